/** The prune guard: prunes that wait for a confirmation, and which confirmation counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { useWorld } from '../../support/use-world.ts';
import { eventually, type Json } from '../../support/world.ts';
import { configMap, definition, namespaceManifest, text, volumeClaim, type Manifest } from '../../support/objects.ts';
import {
  answerOf,
  at,
  configMapPath,
  declareSubject,
  inventoryOf,
  outcomeOf,
  readyMessage,
  readyReason,
  untilGone,
  type Subject,
} from '../../support/scene.ts';

const { world } = useWorld({ agent: true });

const isHeld = (application: Json): boolean => readyReason(application) === 'False PruneHeld';

const volume: Manifest = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'disk' },
  spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/tmp/disk' } },
};

const GUARDED: readonly { manifest: Manifest; path: (namespace: string) => string }[] = [
  { manifest: namespaceManifest('guarded-one'), path: () => '/api/v1/namespaces/guarded-one' },
  {
    manifest: definition({ group: 'example.com', kind: 'Guard' }),
    path: () => '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/guards.example.com',
  },
  { manifest: volumeClaim('data'), path: (namespace) => `/api/v1/namespaces/${namespace}/persistentvolumeclaims/data` },
  { manifest: volume, path: () => '/api/v1/persistentvolumes/disk' },
];

for (const { manifest, path } of GUARDED) {
  const kind = String(manifest['kind']);
  test(`the prune of a single ${kind} waits for a confirmation, is reported by name, and is carried out then`, async () => {
    const name = `guard-${kind.toLowerCase()}`;
    const subject = await declareSubject(world, name, {
      files: { 'a.yaml': text(configMap('a', {})), 'z.yaml': text(manifest), 'b.yaml': text(configMap('b', {})) },
    });
    await subject.application.untilReady();
    await subject.repository.commit({ 'z.yaml': null, 'b.yaml': null });
    const answered = await subject.application.refresh();
    assert.ok(isHeld(answered), readyReason(answered));
    assert.equal(outcomeOf(answered), 'Failed');
    assert.match(readyMessage(answered), new RegExp(`${kind}.* would delete .*confirm it with: tautline confirm `));
    await sleep(500);
    assert.equal(at(await world.read(path(name)), 'metadata', 'deletionTimestamp'), undefined);
    assert.ok(await subject.configMap('b'), 'a prune is held whole');
    assert.equal(inventoryOf((await subject.application.read()) as Json).length, 3);
    await subject.application.request({ action: 'confirm-prune' });
    await untilGone(world, configMapPath(name, 'b'));
    // Some kinds have a protecting finalizer, which no controller removes here.
    const isGoing = async (): Promise<true | undefined> => {
      const left = await world.read(path(name));
      return !left || at(left, 'metadata', 'deletionTimestamp') !== undefined ? true : undefined;
    };
    assert.ok(await eventually(isGoing));
  });
}

/** A prune after an edit of the spec waits some seconds for edits of other Applications: only then is it held. */
const untilHeld = async ({ application }: Subject): Promise<Json> => {
  await application.refresh();
  return application.until('held', isHeld);
};

const NAMES = Array.from({ length: 20 }, (_, index) => `m${String(index).padStart(2, '0')}`);
const someOf = (count: number): string => text(...NAMES.slice(0, count).map((name) => configMap(name, {})));

test('a confirmation holds for the revision that was reported, not for a newer one', async () => {
  const subject = await declareSubject(world, 'meanwhile', { files: { 'all.yaml': someOf(20) }, spec: {} });
  await subject.application.patch({ source: { interval: '1h' } });
  await subject.application.untilReady();
  await subject.repository.commit({ 'all.yaml': someOf(8) });
  await untilHeld(subject);
  const last = await subject.repository.commit({ 'all.yaml': someOf(1) });
  const answered = await subject.application.ask({ action: 'confirm-prune' });
  assert.equal(outcomeOf(answered), 'Refused');
  assert.ok(isHeld(answered));
  assert.match(readyMessage(answered), /pruning 19 of 20 objects/);
  assert.ok(await subject.configMap('m19'));
  const confirmed = await subject.application.ask({ action: 'confirm-prune' });
  assert.equal(outcomeOf(confirmed), 'Succeeded');
  assert.deepEqual(inventoryOf(await subject.application.untilReady(last)), ['ConfigMap meanwhile/m00']);
});

test('a confirmation that comes before there is anything to confirm has no effect', async () => {
  const subject = await declareSubject(world, 'early', { files: { 'all.yaml': someOf(20) } });
  await subject.application.patch({ source: { interval: '1h' } });
  await subject.application.untilReady();
  const early = await subject.application.ask({ action: 'confirm-prune' });
  assert.equal(outcomeOf(early), 'Refused');
  assert.match(answerOf(early), /no prune is held/);
  await subject.repository.commit({ 'all.yaml': someOf(2) });
  const answered = await subject.application.ask({ action: 'confirm-prune' });
  assert.equal(outcomeOf(answered), 'Refused');
  await untilHeld(subject);
  assert.ok(await subject.configMap('m19'));
});

test('a confirmation that was answered is not used for a later prune', async () => {
  const subject = await declareSubject(world, 'again', { files: { 'all.yaml': someOf(20) } });
  await subject.application.patch({ source: { interval: '1h' } });
  await subject.application.untilReady();
  await subject.repository.commit({ 'all.yaml': someOf(8) });
  await untilHeld(subject);
  assert.equal(outcomeOf(await subject.application.ask({ action: 'confirm-prune' })), 'Succeeded');
  await subject.repository.commit({ 'all.yaml': someOf(20) });
  // The annotation stays in place while other fields of the Application change.
  await subject.application.patch({ source: { interval: '2h' } });
  await subject.application.until('back', (a) => inventoryOf(a).length === 20);
  await subject.application.untilReady();
  await subject.repository.commit({ 'all.yaml': someOf(8) });
  await subject.application.patch({ source: { interval: '1h' } });
  await subject.application.until('held', isHeld);
  assert.ok(await subject.configMap('m19'));
});

test('a request with an unknown action confirms nothing', async () => {
  const subject = await declareSubject(world, 'mumbled', { files: { 'all.yaml': someOf(20) } });
  await subject.application.untilReady();
  await subject.repository.commit({ 'all.yaml': someOf(2) });
  assert.ok(isHeld(await subject.application.refresh()));
  for (const action of ['confirm', 'Confirm-Prune', 'prune']) {
    assert.equal(outcomeOf(await subject.application.ask({ action })), 'Refused', action);
  }
  assert.ok(await subject.configMap('m19'));
});

test('ten of eleven objects and eleven of a hundred are pruned without a confirmation', async () => {
  const few = await declareSubject(world, 'few', { files: { 'all.yaml': someOf(11) } });
  await few.application.untilReady();
  await few.repository.commit({ 'all.yaml': someOf(1) });
  await few.application.refresh();
  await untilGone(world, configMapPath('few', 'm10'));
  const hundred = Array.from({ length: 100 }, (_, index) => configMap(`n${index}`, {}));
  const share = await declareSubject(world, 'share', { files: { 'all.yaml': text(...hundred) } });
  await share.application.untilReady();
  const commit = await share.repository.commit({ 'all.yaml': text(...hundred.slice(0, 89)) });
  await share.application.refresh();
  assert.equal(inventoryOf(await share.application.untilReady(commit)).length, 89);
});
