/** Applications that the present schema would refuse, as an older schema or another writer may have stored them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildCrd } from '../../../src/application/crd.ts';
import { useWorld } from '../../support/use-world.ts';
import { conditionOf } from '../../support/world.ts';
import { kubectl } from '../../support/kubectl.ts';
import { ANY_FIELDS, applicationManifest, configMap, text } from '../../support/objects.ts';
import {
  applicationPath,
  at,
  configMapPath,
  declareSubject,
  inventoryOf,
  passesOf,
  putStatus,
  readyMessage,
  readyReason,
  untilGone,
  untilObject,
} from '../../support/scene.ts';

const { world, agent } = useWorld({ agent: true });

const APPLY = ['apply', '--server-side', '--force-conflicts', '-f', '-'];

/** The definition with a schema that accepts any Application. */
function looseCrd(): unknown {
  const crd = structuredClone(buildCrd()) as { spec: { versions: { schema: unknown }[] } };
  for (const version of crd.spec.versions) version.schema = { openAPIV3Schema: ANY_FIELDS };
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

test('malformed Applications are stalled with a message about the spec, and the others go on', async () => {
  await kubectl(world, APPLY, looseCrd());
  const healthy = await declareSubject(world, 'healthy', { files: { 'a.yaml': text(configMap('a', { k: '1' })) } });
  await healthy.application.untilReady();
  for (const [name, rest] of Object.entries(MALFORMED)) {
    const malformed = applicationManifest(name, undefined, { finalizers: ['finalizers.tautline.dev/prune'] });
    await world.send('POST', applicationPath(), { ...malformed, ...(rest as object) });
  }
  await kubectl(world, APPLY, buildCrd());
  for (const name of Object.keys(MALFORMED)) {
    const stalled = await untilObject(
      world,
      applicationPath(name),
      (found) => conditionOf(found, 'Stalled') !== undefined,
    );
    assert.match(readyMessage(stalled), /spec/, name);
  }
  await healthy.repository.commit({ 'a.yaml': text(configMap('a', { k: '2' })) });
  await healthy.application.refresh();
  assert.equal(at(await healthy.configMap('a'), 'data', 'k'), '2');
});

test('malformed Applications that carry the finalizer can be deleted', async () => {
  for (const name of Object.keys(MALFORMED)) {
    // The API server refuses every change of an Application without a spec, and an unreadable inventory is kept.
    if (name === 'without-spec' || name === 'status-is-odd') continue;
    const path = applicationPath(name);
    await world.plane.request('DELETE', path);
    await untilGone(world, path);
  }
});

test('an inventory that cannot be read is kept as it is; nothing is pruned, and no pass repeats in a loop', async () => {
  const subject = await declareSubject(world, 'bad', {
    files: { 'a.yaml': text(configMap('a', {})), 'b.yaml': text(configMap('b', {})) },
  });
  await subject.application.untilReady();
  await agent.stop();
  const unreadable = { objects: { 'Config/Map/Odd': { bad: 'a b' } } };
  const { path } = subject.application;
  const stored = await world.read(path);
  await putStatus(world, path, { ...(at(stored, 'status') as object), inventory: unreadable });
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
    'the reason is reported',
    (a) => /cannot be read/.test(readyMessage(a)) && /False/.test(readyReason(a)),
  );
  assert.ok(await world.read(configMapPath('bad', 'a')));
  assert.ok(await world.read(path));
});

test('an Application with a name of 200 characters is applied like any other', async () => {
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
