/** Applications as older schemas, other writers and accidents may have stored them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildCrd } from '../../../src/application/crd.ts';
import { useWorld } from '../../support/use-world.ts';
import { conditionOf } from '../../support/world.ts';
import {
  at,
  configMap,
  configMapPath,
  declareSubject,
  inventoryOf,
  passesOf,
  readyMessage,
  readyReason,
  text,
  untilGone,
} from './scene.ts';

const { world, agent } = useWorld({ agent: true });
const BAD = '/apis/tautline.dev/v1alpha1/namespaces/apps/applications/bad';

async function installCrd(crd: unknown): Promise<void> {
  const args = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
  const { code, stderr } = await world.plane.kubectl(args, { input: JSON.stringify(crd) });
  assert.equal(code, 0, stderr);
}

/** The definition with a schema that takes anything. */
function looseCrd(): unknown {
  const crd = structuredClone(buildCrd()) as { spec: { versions: { schema: unknown }[] } };
  for (const version of crd.spec.versions) {
    version.schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  }
  return crd;
}

const MALFORMED: Readonly<Record<string, unknown>> = {
  'without-spec': {},
  'spec-is-text': { spec: 'text' },
  'spec-is-list': { spec: [1] },
  'no-source': { spec: { destination: {} } },
  'bad-interval': { spec: { source: { repoURL: 'http://127.0.0.1:1/x.git', interval: '1ms' }, destination: {} } },
  'bad-path': { spec: { source: { repoURL: 'http://127.0.0.1:1/x.git', path: '../..' }, destination: {} } },
  'status-is-odd': { spec: {}, status: { conditions: 'x', inventory: 7 } },
};

test('malformed Applications are stalled and named, and the others go on', async () => {
  await installCrd(looseCrd());
  const healthy = await declareSubject(world, 'healthy', { files: { 'a.yaml': text(configMap('a', { k: '1' })) } });
  await healthy.application.untilReady();
  for (const [name, rest] of Object.entries(MALFORMED)) {
    await world.send('POST', '/apis/tautline.dev/v1alpha1/namespaces/apps/applications', {
      apiVersion: 'tautline.dev/v1alpha1',
      kind: 'Application',
      metadata: { name, namespace: 'apps', finalizers: ['finalizers.tautline.dev/prune'] },
      ...(rest as object),
    });
  }
  await installCrd(buildCrd());
  for (const name of Object.keys(MALFORMED)) {
    const path = `/apis/tautline.dev/v1alpha1/namespaces/apps/applications/${name}`;
    const stalled = await untilStalled(path);
    assert.match(readyMessage(stalled), /spec/, name);
  }
  await healthy.repository.commit({ 'a.yaml': text(configMap('a', { k: '2' })) });
  await healthy.application.refresh();
  assert.equal(at(await healthy.configMap('a'), 'data', 'k'), '2');
});

test('malformed Applications can be deleted, whoever set their finalizer', async () => {
  for (const name of Object.keys(MALFORMED)) {
    // The API server lets nobody change what has no spec at all, and an odd inventory is not given up.
    if (name === 'without-spec' || name === 'status-is-odd') continue;
    const path = `/apis/tautline.dev/v1alpha1/namespaces/apps/applications/${name}`;
    await world.plane.request('DELETE', path);
    await untilGone(world, path);
  }
});

test('an inventory that cannot be read prunes nothing, is kept as it is, and costs no busy loop', async () => {
  const subject = await declareSubject(world, 'bad', {
    files: { 'a.yaml': text(configMap('a', {})), 'b.yaml': text(configMap('b', {})) },
  });
  await subject.application.untilReady();
  await agent.stop();
  const unreadable = { objects: { 'Config/Map/Odd': { bad: 'a b' } } };
  const stored = await world.read(BAD);
  await world.send('PUT', `${BAD}/status`, {
    ...stored,
    status: { ...(at(stored, 'status') as object), inventory: unreadable },
  });
  await subject.repository.commit({ 'b.yaml': null });
  const next = await world.agent();
  const told = await subject.application.until('stalled', (a) => conditionOf(a, 'Stalled') !== undefined);
  assert.match(readyMessage(told), /status\.inventory cannot be read/);
  assert.deepEqual(at(told, 'status', 'inventory'), unreadable);
  assert.ok(await world.read(configMapPath('bad', 'b')));
  const passes = await passesOf(next, 'bad');
  await sleep(1_000);
  assert.ok((await passesOf(next, 'bad')) - passes <= 1);

  await subject.application.remove();
  await subject.application.until(
    'says why',
    (a) => /cannot be read/.test(readyMessage(a)) && /False/.test(readyReason(a)),
  );
  assert.ok(await world.read(configMapPath('bad', 'a')));
  assert.ok(await world.read(BAD));
});

test('an Application of an absurd name and one of a namespace that goes are served like any other', async () => {
  const name = `x${'y'.repeat(200)}.z`;
  const repository = await world.repository('absurd');
  await repository.commit({ 'a.yaml': text(configMap('a', {})) });
  const application = await world.declare(name, {
    source: { repoURL: repository.url },
    destination: { namespace: 'apps' },
  });
  const ready = await application.untilReady();
  assert.deepEqual(inventoryOf(ready), ['ConfigMap apps/a']);
});

async function untilStalled(path: string) {
  const handle = { read: () => world.read(path) };
  for (let n = 0; n < 200; n++) {
    const found = await handle.read();
    if (found && conditionOf(found, 'Stalled') !== undefined) return found;
    await sleep(50);
  }
  return assert.fail(`${path} is not stalled: ${JSON.stringify(await handle.read())}`);
}
