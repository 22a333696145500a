/** Everyday use of the command line: short names, confirmations, comparisons before a merge, failed Jobs. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import type { Json } from '../../support/world.ts';
import { start, tautline } from './scene.ts';
import { configMap, job, podSpec, text, workload } from '../../support/objects.ts';
import { at, declareSubject, endJob, jobPath, readyReason, untilGone, untilObject } from '../../support/scene.ts';
import { configMapPath, deploymentPath } from '../../support/scene.ts';

const { world } = useWorld({ agent: true });

const file = (value: string) => ({ 'a.yaml': text(configMap('a', { k: value })) });
const manual = { sync: { mode: 'manual' } };

test('sync takes the start of a commit, a branch, several names, and an object by kind and name', async () => {
  const subject = await declareSubject(world, 'short', { files: file('1'), spec: manual });
  const first = await subject.repository.git(['rev-parse', 'main']);
  const second = await tautline(world, 'sync', 'application/short');
  assert.equal(second.code, 0, second.stderr);
  await subject.repository.commit(file('2'));
  assert.equal((await tautline(world, 'sync', 'short', '--object', 'configmap/a')).code, 0);
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), '2');
  const back = await tautline(world, 'sync', 'tla/short', '--revision', first.trim().slice(0, 12));
  assert.equal(back.code, 0, back.stderr);
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), '1');
  const branch = await tautline(world, 'sync', 'short', '--revision', 'main');
  assert.equal(branch.code, 0, branch.stderr);
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), '2');
  const names = (await tautline(world, 'get', '-o', 'name')).stdout.split('\n').filter(Boolean);
  assert.equal((await tautline(world, 'wait', ...names, '--for=synced')).code, 0);
  const both = await tautline(world, 'get', 'short', 'nowhere', '--no-headers');
  assert.match(both.stdout, /^short +Synced/);
  assert.deepEqual([both.code, /no Application nowhere/.test(both.stderr)], [1, true]);
});

test('confirm lists the objects of a held prune, deletes them with --yes, and has nothing to do afterwards', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `c${String(index).padStart(2, '0')}`);
  const files = Object.fromEntries(names.map((name) => [`${name}.yaml`, text(configMap(name, { k: '1' }))]));
  const subject = await declareSubject(world, 'held', { files });
  await subject.application.untilReady();
  await subject.repository.commit(Object.fromEntries(names.slice(1).map((name) => [`${name}.yaml`, null])));
  await subject.application.refresh();
  const held = await subject.application.until('held', (found) => readyReason(found) === 'False PruneHeld');
  assert.match(JSON.stringify(at(held, 'status', 'conditions')), /confirm it with: tautline confirm held -n apps/);
  const asked = await tautline(world, 'confirm', 'held');
  assert.equal(asked.code, 2);
  assert.match(asked.stderr, /\n {2}- ConfigMap held\/c01\n[\s\S]*ConfigMap held\/c11\n[\s\S]*add --yes/);
  assert.ok(await subject.configMap('c01'));
  const confirmed = await tautline(world, 'confirm', 'held', '--yes');
  assert.equal(confirmed.code, 0, confirmed.stderr);
  await untilGone(world, configMapPath('held', 'c11'));
  const again = await tautline(world, 'confirm', 'held', '--yes');
  assert.deepEqual([again.code, again.stderr], [1, 'Error: held: no prune waits for a confirmation\n']);
});

test('diff compares a branch, and an Application that is only in a file, with the cluster', async () => {
  const subject = await declareSubject(world, 'review', { files: file('1') });
  await subject.application.untilReady();
  await subject.repository.git(['branch', 'feature']);
  await subject.repository.commit(file('of the feature'), { branch: 'feature' });
  const branch = await tautline(world, 'diff', 'review', '--revision', 'feature');
  assert.equal(branch.code, 1, branch.stderr);
  assert.match(branch.stdout, /\/data\/k: "1" → "of the feature"\n/);
  const dir = await mkdtemp(join(tmpdir(), 'tautline-file-'));
  try {
    const path = join(dir, 'application.yaml');
    const { spec } = (await subject.application.read()) ?? {};
    const declared = { apiVersion: 'tautline.dev/v1alpha1', kind: 'Application', metadata: { name: 'fresh' }, spec };
    await writeFile(path, text(declared));
    const fresh = await tautline(world, 'diff', '-f', path);
    assert.equal(fresh.code, 1, fresh.stderr);
    assert.match(fresh.stdout, /ConfigMap review\/a/);
    assert.match(fresh.stderr, /^fresh against main@sha1:/);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('wait for health ends at once when a Job has failed, and get says why', async () => {
  const subject = await declareSubject(world, 'migrating', { files: { 'job.yaml': text(job('migrate')) } });
  await untilObject(world, jobPath('migrating', 'migrate'), () => true);
  const waiting = start(world.plane.kubeconfig, ['wait', 'migrating', '--for', 'healthy', '-n', 'apps']);
  await endJob(world, jobPath('migrating', 'migrate'), 'Failed');
  const { code, stderr } = await waiting.ended;
  assert.equal(code, 1);
  assert.match(stderr, /Error: migrating cannot become healthy: Job\.batch migrating\/migrate has failed/);
  const shown = (await tautline(world, 'get', 'migrating')).stdout;
  assert.match(shown, /Degraded .*Job\.batch migrating\/migrate/);
  await subject.application.until('told', (found) => JSON.stringify(at(found, 'status')).includes('Degraded: Job'));
});

test('a Pod is traced to the commit, why and tree show it with its Events, and suspend and resume are taken up', async () => {
  const subject = await declareSubject(world, 'asked', { files: { 'web.yaml': text(workload('Deployment', 'web')) } });
  const deployment = await untilObject(world, deploymentPath('asked', 'web'), () => true);
  // Without controllers nothing makes the account of the Pod.
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'asked' } };
  await world.send('POST', '/api/v1/namespaces/asked/serviceaccounts', account);
  const replicas = await createOwned('apps/v1 ReplicaSet', 'replicasets', deployment);
  const pod = await createOwned('v1 Pod', 'pods', replicas);
  await world.send('POST', '/api/v1/namespaces/asked/events', {
    ...{ apiVersion: 'v1', kind: 'Event', metadata: { name: 'web.1', namespace: 'asked' }, reason: 'BackOff' },
    ...{ type: 'Warning', message: 'restarting failed container\u001b[2J', lastTimestamp: '2026-01-01T00:00:00Z' },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'asked', name: String(at(pod, 'metadata', 'name')) },
  });
  await subject.application.until('compared', (found) => at(found, 'status', 'inventory') !== undefined);
  const commit = (await subject.repository.git(['rev-parse', 'main'])).trim();
  const trace = (...args: string[]) => start(world.plane.kubeconfig, ['trace', ...args, '-n', 'asked']).ended;
  const [traced, rendered, tree, events, why, missing] = await Promise.all([
    trace('pod/web-1'),
    trace('deploy/web', '--render'),
    tautline(world, 'tree', 'asked'),
    tautline(world, 'events', 'asked'),
    tautline(world, 'why', 'asked'),
    tautline(world, 'history', 'aksed'),
  ]);
  assert.equal(traced.code, 0, traced.stderr);
  assert.match(traced.stdout, /Object +Pod asked\/web-1\nOwned by +ReplicaSet[^]*Application +apps\/asked \(/);
  assert.match(traced.stdout, new RegExp(`Commit +${commit.slice(0, 12)}`));
  assert.match(rendered.stdout, /File +web\.yaml:1\n/, rendered.stderr);
  assert.match(tree.stdout, /└─ Deployment\.apps asked\/web .*\n +└─ ReplicaSet\.apps .*\n +└─ Pod asked\/web-1 /);
  assert.match(events.stdout, /BackOff +Pod asked\/web-1 +restarting .*\\u001b\[2J/);
  assert.match(why.stdout, /^apps\/asked: [^]*Commit [0-9a-f]{12}[^]*Last Events[^]*BackOff/, why.stderr);
  assert.match(why.stderr, /the log of Pod asked\/web-1 is not shown/);
  assert.deepEqual([missing.code, /did you mean asked\?/.test(missing.stderr)], [1, true]);
  for (const [verb, word] of [
    ['suspend', 'suspended'],
    ['resume', 'resumed'],
  ] as const) {
    const { code, stdout, stderr } = await tautline(world, verb, 'asked');
    assert.deepEqual([code, stdout], [0, `application.tautline.dev/asked ${word}\n`], stderr);
  }
});

/** Creates an object that `owner` controls, as a controller would. */
async function createOwned(type: string, plural: string, owner: Json): Promise<Json> {
  const [apiVersion = '', kind = ''] = type.split(' ');
  const { name, uid } = at(owner, 'metadata') as { readonly name: string; readonly uid: string };
  const reference = { apiVersion: at(owner, 'apiVersion'), kind: at(owner, 'kind'), name, uid, controller: true };
  const labels = { app: 'web' };
  const isPod = kind === 'Pod';
  const spec = isPod
    ? podSpec()
    : { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec() } };
  const group = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const path = `${group}/namespaces/asked/${plural}`;
  const metadata = { name: isPod ? 'web-1' : 'web', namespace: 'asked', labels, ownerReferences: [reference] };
  await world.send('POST', path, { apiVersion, kind, metadata, spec });
  return untilObject(world, `${path}/${metadata.name}`, () => true);
}
