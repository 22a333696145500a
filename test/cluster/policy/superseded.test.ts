/**
 * A newer revision, request or spec does not wait for what an older one has under way, however slow the API server is.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startFaultProxy, type FaultProxy } from '../../fault/proxy.ts';
import type { RunningAgent } from '../../support/agent.ts';
import { startWorld, type World } from '../../support/world.ts';
import { hmac, send } from '../../unit/server/webhook-scene.ts';
import { at, configMap, declareSubject, text, untilObject, type Subject } from '../agent/scene.ts';

const SECRET = 'canary-of-the-secret';
const OBJECTS = 200;

let world: World;
let proxy: FaultProxy;
let agent: RunningAgent;
let secrets: string;
before(async () => {
  secrets = await mkdtemp(join(tmpdir(), 'tautline-hook-secrets-'));
  await writeFile(join(secrets, 'github'), SECRET);
  world = await startWorld();
  proxy = await startFaultProxy({ target: world.plane.url, caFile: world.plane.caFile, token: world.plane.adminToken });
  const flags = ['--progress-check', '60s', '--webhook-secrets-dir', secrets];
  agent = await world.agent({ kubeconfig: proxy.kubeconfig, flags });
});
after(async () => {
  await world?.[Symbol.asyncDispose]();
  await proxy?.stop();
  await rm(secrets, { recursive: true, force: true });
});

const many = (value: string): string =>
  text(...Array.from({ length: OBJECTS }, (_item, n) => configMap(`m${n}`, { value })));

/** Declares an Application whose objects the server takes slowly; resolves when the first of them is there. */
async function startSlowly(name: string, interval: string): Promise<Subject> {
  const path = new RegExp(`/namespaces/${name}/configmaps`);
  proxy.rules.push({ method: 'PATCH', path, fault: { type: 'delay', delayMs: 1500 } });
  const repoURL = (await world.repository(name)).url;
  const subject = await declareSubject(world, name, {
    files: { 'all.yaml': many('old') },
    spec: { source: { repoURL, interval } },
  });
  await untilObject(world, `/api/v1/namespaces/${name}/configmaps/m0`, () => true);
  return subject;
}

function sentOf({ namespace }: Subject): number {
  const path = `/namespaces/${namespace}/configmaps`;
  return proxy.requests.filter((request) => request.method === 'PATCH' && request.path.includes(path)).length;
}

/** The history says that the first revision was overtaken, before all of it was sent. */
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

async function annotate({ name }: Subject, annotation: string): Promise<void> {
  const result = await world.plane.kubectl(['annotate', '--overwrite', 'tla', name, '-n', 'apps', annotation]);
  assert.equal(result.code, 0, result.stderr);
}

/** By what tells the agent of a newer commit: how often it polls by itself, and what is done. */
const WAYS: Readonly<Record<string, { interval: string; tell: (subject: Subject) => Promise<void> }>> = {
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
    tell: (subject) => annotate(subject, `tautline.dev/request=${JSON.stringify({ id: 'now', action: 'refresh' })}`),
  },
  "Flux's annotation": { interval: '1h', tell: (subject) => annotate(subject, 'reconcile.fluxcd.io/requestedAt=now') },
};

for (const [index, [way, { interval, tell }]] of Object.entries(WAYS).entries()) {
  test(`${way} that brings a newer commit cuts short what an older one has under way`, async () => {
    const subject = await startSlowly(`slow-${index}`, interval);
    const next = await subject.repository.commit({ 'all.yaml': many('new') });
    await tell(subject);
    await assertOvertaken(subject, next);
  });
}

test('a changed spec cuts short what is under way', async () => {
  const subject = await startSlowly('slow-spec', '1h');
  await subject.repository.commit({ 'new/all.yaml': many('new') });
  await subject.application.patch({ source: { path: 'new' } });
  await untilObject(world, '/api/v1/namespaces/slow-spec/configmaps/m0', (now) => at(now, 'data', 'value') === 'new');
  const made = (await world.read('/api/v1/namespaces/slow-spec/configmaps')) ?? assert.fail();
  proxy.rules.length = 0;
  assert.ok((at(made, 'items') as unknown[]).length < OBJECTS, 'all objects of the old path were sent first');
  await subject.application.untilReady();
});
