/**
 * A newer revision, request or spec cuts a running pass short, however slow the API server is.
 */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFaultProxy } from '../../fault/proxy.ts';
import { useStarted, useWorld } from '../../support/use-world.ts';
import { hmac, send } from '../../unit/server/webhook-scene.ts';
import { kubectl } from '../../support/kubectl.ts';
import { configMap, text } from '../../support/objects.ts';
import { at, configMapPath, declareSubject, untilObject, type Subject } from '../../support/scene.ts';

const SECRET = 'canary-of-the-secret';
const OBJECTS = 200;

const { world } = useWorld();
const proxy = useStarted('the proxy', () => {
  const { url, caFile, adminToken } = world.plane;
  return startFaultProxy({ target: url, caFile, token: adminToken });
});
const secrets = useStarted('the folder of secrets', () => mkdtempDisposable(join(tmpdir(), 'tautline-hook-secrets-')));
const agent = useStarted('the agent', async () => {
  await writeFile(join(secrets.path, 'github'), SECRET);
  const flags = ['--progress-check', '60s', '--webhook-secrets-dir', secrets.path];
  return world.agent({ kubeconfig: proxy.kubeconfig, flags });
});

const many = (value: string): string =>
  text(...Array.from({ length: OBJECTS }, (_item, n) => configMap(`m${n}`, { value })));

/** Declares an Application whose applies are answered slowly; resolves when its first object exists. */
async function startSlowly(name: string, interval: string): Promise<Subject> {
  const path = new RegExp(`/namespaces/${name}/configmaps`);
  proxy.rules.push({ method: 'PATCH', path, fault: { type: 'delay', delayMs: 1500 } });
  const repoURL = (await world.repository(name)).url;
  const subject = await declareSubject(world, name, {
    files: { 'all.yaml': many('old') },
    spec: { source: { repoURL, interval } },
  });
  await untilObject(world, configMapPath(name, 'm0'), () => true);
  return subject;
}

function sentOf({ namespace }: Subject): number {
  const path = `/namespaces/${namespace}/configmaps`;
  return proxy.requests.filter((request) => request.method === 'PATCH' && request.path.includes(path)).length;
}

/** The history records that the first revision was superseded, and not all of its objects were sent. */
async function assertOvertaken(subject: Subject, next: string): Promise<void> {
  const over = await untilObject(world, subject.application.path, (now) =>
    /"Superseded"/.test(JSON.stringify(at(now, 'status', 'history') ?? [])),
  );
  const sent = sentOf(subject);
  proxy.rules.length = 0;
  assert.match(JSON.stringify(at(over, 'status', 'history')), /replaced by /);
  assert.ok(sent < OBJECTS, `${sent} objects of the old revision were sent first`);
  await subject.application.untilReady(next);
  assert.equal(at(await subject.configMap(`m${OBJECTS - 1}`), 'data', 'value'), 'new');
}

/** The ways in which the agent learns of a newer commit: the interval of its polls, and the trigger of the test. */
const WAYS: Readonly<Record<string, { interval: string; tell: (subject: Subject) => Promise<unknown> }>> = {
  'a poll that is due': { interval: '10s', tell: async () => undefined },
  'a webhook': {
    interval: '1h',
    async tell({ repository }) {
      const body = JSON.stringify({ ref: 'refs/heads/main', repository: { clone_url: repository.url } });
      const headers = { 'X-GitHub-Event': 'push', 'X-Hub-Signature-256': `sha256=${hmac(body, SECRET)}` };
      const { status } = await send(`${agent.webhookUrl}/hooks/github`, { headers, body });
      assert.equal(status, 200);
    },
  },
  'a request for a refresh': {
    interval: '1h',
    tell: ({ application }) => application.request({ action: 'refresh' }),
  },
  "Flux's annotation": {
    interval: '1h',
    tell: ({ name }) => kubectl(world, ['annotate', 'tla', name, '-n', 'apps', 'reconcile.fluxcd.io/requestedAt=now']),
  },
};

for (const [index, [way, { interval, tell }]] of Object.entries(WAYS).entries()) {
  test(`${way} that brings a newer commit cuts the pass of the older one short`, async () => {
    const subject = await startSlowly(`slow-${index}`, interval);
    const next = await subject.repository.commit({ 'all.yaml': many('new') });
    await tell(subject);
    await assertOvertaken(subject, next);
  });
}

test('a changed spec cuts a running pass short', async () => {
  const subject = await startSlowly('slow-spec', '1h');
  await subject.repository.commit({ 'new/all.yaml': many('new') });
  await subject.application.patch({ source: { path: 'new' } });
  await untilObject(world, configMapPath('slow-spec', 'm0'), (now) => at(now, 'data', 'value') === 'new');
  const made = (await world.read('/api/v1/namespaces/slow-spec/configmaps')) ?? assert.fail();
  proxy.rules.length = 0;
  assert.ok((at(made, 'items') as unknown[]).length < OBJECTS, 'all objects of the old path were sent first');
  await subject.application.untilReady();
});
