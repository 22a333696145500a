/** `tautline get`, `refresh`, `sync` and `wait` as processes, beside a running agent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { createPerson, start, tautline } from './scene.ts';
import { setFinalizers } from '../../support/kubectl.ts';
import { configMap, job, text } from '../../support/objects.ts';
import { rule } from '../../support/rights.ts';
import { at, declareSubject, endJob, jobPath, readyReason } from '../../support/scene.ts';

const { world } = useWorld({ agent: true });

const file = (value: string) => ({ 'a.yaml': text(configMap('a', { k: value })) });
const broken = { 'a.yaml': 'apiVersion: v1\nkind: [\n' };
const manual = { sync: { mode: 'manual' } };

test('get prints a table, one Application, names, JSON and YAML', async () => {
  const subject = await declareSubject(world, 'shown', { files: file('1') });
  const commit = String(at(await subject.application.untilReady(), 'status', 'sync', 'commit'));
  const table = await tautline(world, 'get');
  assert.equal(table.code, 0);
  assert.match(table.stdout, /^NAME +SYNC +HEALTH +READY +REVISION +AGE +MESSAGE\n/);
  assert.match(table.stdout, new RegExp(`^shown +Synced +Healthy +True +${commit} +\\d+s +-$`, 'm'));
  const wide = await tautline(world, 'get', '-A', '-o', 'wide');
  assert.match(wide.stdout, /^NAMESPACE +NAME .* MODE +REPOSITORY +PATH +MESSAGE\n/);
  assert.match(wide.stdout, /^apps +shown .* auto +http.*shown\.git +\. +main@sha1:\S+ 1 object in sync$/m);
  assert.equal((await tautline(world, 'get', 'shown', '-o', 'name')).stdout, 'application.tautline.dev/shown\n');
  const json = JSON.parse((await tautline(world, 'get', 'shown', '-o', 'json')).stdout) as unknown;
  assert.equal(at(json, 'status', 'sync', 'status'), 'Synced');
  assert.equal(at(json, 'metadata', 'managedFields'), undefined);
  const yaml = await tautline(world, 'get', '-o', 'yaml');
  assert.match(yaml.stdout, /^kind: List$/m);
  assert.doesNotMatch(yaml.stdout, /\u001b/);
});

test('get reports a missing Application and an empty namespace as kubectl does', async () => {
  const missing = await tautline(world, 'get', 'nobody');
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /^Error: there is no Application nobody in namespace apps/);
  const empty = await start(world.plane.kubeconfig, ['get', '-n', 'default']).ended;
  assert.deepEqual([empty.code, empty.stdout, empty.stderr], [0, '', 'No applications in default.\n']);
});

test('refresh applies a commit before the next poll is due', async () => {
  const subject = await declareSubject(world, 'refreshed', { files: file('1') });
  await subject.application.untilReady();
  await subject.application.patch({ source: { interval: '24h' } });
  await subject.application.untilReady();
  const commit = await subject.repository.commit(file('2'));
  const { code, stdout } = await tautline(world, 'refresh', 'refreshed');
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(commit));
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), '2');
});

test('sync applies in mode manual, with --dry-run writes nothing, and with --object applies one object', async () => {
  const files = { ...file('1'), 'b.yaml': text(configMap('b', { k: '1' })) };
  const subject = await declareSubject(world, 'synced', { files, spec: manual });
  const tried = await tautline(world, 'sync', 'synced', '--dry-run');
  assert.equal(tried.code, 0, tried.stderr);
  assert.match(tried.stdout, /nothing was written: 2 created/);
  const one = await tautline(world, 'sync', 'synced', '--object', 'ConfigMap/synced/a');
  assert.equal(one.code, 0, one.stderr);
  assert.ok(await subject.configMap('a'));
  assert.equal(await subject.configMap('b'), undefined);
  const unknown = await tautline(world, 'sync', 'synced', '--object', 'ConfigMap/synced/c');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /^Error: synced: sync refused: .*ConfigMap\/synced\/c/m);
  const all = await tautline(world, 'sync', 'synced');
  assert.equal(all.code, 0, all.stderr);
  assert.ok(await subject.configMap('b'));
  await subject.repository.commit({ 'b.yaml': null });
  assert.equal((await tautline(world, 'sync', 'synced', '--no-prune')).code, 0);
  assert.ok(await subject.configMap('b'));
  const pruned = await tautline(world, 'sync', 'synced', '--prune', '--no-wait');
  assert.equal(pruned.stdout, 'application.tautline.dev/synced: sync requested\n');
});

test('sync waits for health if the Application does, and its exit code tells success from failure', async () => {
  const subject = await declareSubject(world, 'healthy', {
    files: { 'job.yaml': text(job('good')) },
    spec: { ...manual, health: { wait: true } },
  });
  const sync = () => start(world.plane.kubeconfig, ['sync', 'healthy', '-n', 'apps']);
  const good = sync();
  await good.said('waiting');
  await endJob(world, jobPath('healthy', 'good'));
  const { code, stderr } = await good.ended;
  assert.equal(code, 0, stderr);
  await subject.repository.commit({ 'job.yaml': text(job('bad')) });
  const bad = sync();
  await endJob(world, jobPath('healthy', 'bad'), 'Failed');
  const failed = await bad.ended;
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /Error: healthy: sync failed: .*Job\.batch healthy\/bad/);
});

test('sync reports why it failed, and says what is wrong with a revision that does not exist', async () => {
  await declareSubject(world, 'failing', { files: broken, spec: manual });
  const failed = await tautline(world, 'sync', 'failing');
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /Error: failing: sync failed: .*a\.yaml/);
  assert.doesNotMatch(failed.stderr, /at .*\.ts:/);
  const absent = await tautline(world, 'sync', 'failing', '--revision', 'abcdef1');
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /no commit of its history begins with abcdef1.*40 hex digits/);
  const misspelt = await tautline(world, 'sync', 'failing', '--revision', 'mian');
  assert.match(misspelt.stderr, /no branch or tag "mian".*Did you mean main\?/);
});

test('a request of another person is reported, and replaced only with --replace', async () => {
  const subject = await declareSubject(world, 'taken', { files: file('1'), spec: manual });
  const held = configMap('b', { k: '1' }, { finalizers: ['example.com/hold'] });
  await subject.repository.commit({ 'b.yaml': text(held) });
  assert.equal((await tautline(world, 'sync', 'taken')).code, 0);
  await subject.repository.commit({ 'b.yaml': null });
  const slow = start(world.plane.kubeconfig, ['sync', 'taken', '-n', 'apps']);
  await slow.said('waiting');
  const second = await tautline(world, 'sync', 'taken');
  assert.equal(second.code, 1);
  assert.match(second.stderr, /another request \(sync, id .*\) is not answered yet.*--replace/);
  assert.equal((await tautline(world, 'refresh', 'taken', '--replace')).code, 0);
  const { code, stderr } = await slow.ended;
  assert.equal(code, 1);
  assert.match(stderr, /another request replaced this one/);
  await setFinalizers(world, 'configmap/b', { namespace: 'taken', finalizers: [] });
});

test('wait ends when the state is reached, at once when it cannot be, and with code 3 when time is up', async () => {
  const subject = await declareSubject(world, 'awaited', { files: broken });
  const stalled = await tautline(world, 'wait', 'awaited', '--timeout', '10m');
  assert.equal(stalled.code, 1);
  assert.match(stalled.stderr, /Error: awaited is stalled \(BuildFailed\): .*a\.yaml/);
  await subject.repository.commit(file('1'));
  await subject.application.refresh();
  for (const state of ['ready', 'synced', 'healthy']) {
    const waited = await tautline(world, 'wait', 'awaited', '--for', state);
    assert.deepEqual([waited.code, waited.stdout], [0, `application.tautline.dev/awaited is ${state}\n`]);
  }
  const other = await declareSubject(world, 'idle', { files: file('1'), spec: manual });
  await other.application.until('compared', (a) => readyReason(a) === 'False OutOfSync');
  const timed = await tautline(world, 'wait', 'awaited', 'idle', '--for', 'synced', '--timeout', '1s');
  assert.equal(timed.code, 3);
  assert.match(timed.stderr, /idle is not synced within the timeout: OutOfSync/);
  const waiting = start(world.plane.kubeconfig, ['wait', 'idle', '-n', 'apps']);
  await waiting.said('OutOfSync');
  assert.equal((await tautline(world, 'sync', 'idle')).code, 0);
  assert.equal((await waiting.ended).code, 0);
  await other.application.patch({ suspend: true });
  const suspended = await tautline(world, 'wait', 'idle', '--for', 'synced');
  if (suspended.code !== 0) assert.match(suspended.stderr, /is suspended/);
  assert.equal((await tautline(world, 'wait', 'nobody')).code, 1);
});

test('a person who lacks a right is told which one', async () => {
  await declareSubject(world, 'guarded', { files: file('1') });
  const rules = [rule('tautline.dev', 'applications', ['get'])];
  await using person = await createPerson(world, 'reader', { rules });
  assert.equal((await start(person.kubeconfig, ['get', 'guarded']).ended).code, 0);
  const listed = await start(person.kubeconfig, ['get']).ended;
  assert.equal(listed.code, 1);
  assert.match(listed.stderr, /list.*applications/);
  const asked = await start(person.kubeconfig, ['sync', 'guarded']).ended;
  assert.equal(asked.code, 1);
  assert.match(asked.stderr, /patch.*applications/);
  // Without the right to watch, the Application is read at intervals.
  assert.equal((await start(person.kubeconfig, ['wait', 'guarded']).ended).code, 0);
});
