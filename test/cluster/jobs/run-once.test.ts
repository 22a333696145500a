/** A Job runs once for a manifest: broken commits, restarts and policies that change Jobs do not run it again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, job, text } from '../../support/objects.ts';
import {
  at,
  declareSubject,
  endJob,
  fingerprint,
  jobPath,
  PROGRESS_FLAGS,
  readyReason,
  untilGone,
} from '../../support/scene.ts';
import { prepare, useWorld } from '../../support/use-world.ts';
import { eventually, type Json } from '../../support/world.ts';

const { world } = useWorld();
const flags = [...PROGRESS_FLAGS, '--max-backoff', '2s'];
const hook = { metadata: { annotations: { 'argocd.argoproj.io/hook': 'PreSync' } } };
const POLICIES = '/apis/admissionregistration.k8s.io/v1';

/** A policy that replaces the image of every Job when the Job is created, as a registry mirror does. */
prepare(async () => {
  const metadata = { name: 'mirror.example.com' };
  const image = { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'mirror.invalid/tool' };
  const expression = `[JSONPatch{op: "${image.op}", path: "${image.path}", value: "${image.value}"}]`;
  const rule = { apiGroups: ['batch'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['jobs'] };
  await world.send('POST', `${POLICIES}/mutatingadmissionpolicies`, {
    metadata,
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      matchConstraints: { namespaceSelector: { matchLabels: { mirror: 'yes' } }, resourceRules: [rule] },
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
    },
  });
  const spec = { policyName: metadata.name };
  await world.send('POST', `${POLICIES}/mutatingadmissionpolicybindings`, { metadata, spec });
});

async function untilMirrored(namespace: string): Promise<void> {
  const labels = { 'kubernetes.io/metadata.name': namespace, mirror: 'yes' };
  await world.send('POST', '/api/v1/namespaces', { metadata: { name: namespace, labels } });
  const isInForce = await eventually(async () => {
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs?dryRun=All`;
    const { body } = await world.plane.request('POST', path, job('probe'));
    return JSON.stringify(body).includes('mirror.invalid') ? true : undefined;
  });
  assert.ok(isInForce, 'the policy is not in force');
}

const finishedOf = (application: Json | undefined): unknown => at(application, 'status', 'finished');

test('a Job that has run does not run again when its file is broken by one commit and mended by the next', async () => {
  await using agent = await world.agent({ flags });
  assert.ok(agent.apiUrl);
  const files = { 'job.yaml': text(job('migrate', hook)), 'cm.yaml': text(configMap('a', {})) };
  const { application, repository } = await declareSubject(world, 'mended', { files });
  const path = jobPath('mended', 'migrate');
  await endJob(world, path);
  await application.until('finished', (found) => finishedOf(found) !== undefined);
  await world.send('DELETE', `${path}?propagationPolicy=Background`);
  await repository.commit({ 'job.yaml': `${files['job.yaml']}\n---\n: : broken: [\n` });
  const broken = await application.refresh();
  assert.match(readyReason(broken), /BuildFailed/);
  assert.notEqual(finishedOf(broken), undefined);
  await repository.commit({ 'job.yaml': files['job.yaml'] });
  await application.refresh();
  await application.untilReady();
  assert.equal(await world.read(path), undefined);
});

test('a Job that has run does not run again when the agent starts on a commit that cannot be rendered', async () => {
  const files = { 'job.yaml': text(job('migrate', hook)), 'cm.yaml': text(configMap('a', {})) };
  const path = jobPath('unrendered', 'migrate');
  const { application, repository } = await (async () => {
    await using agent = await world.agent({ flags });
    assert.ok(agent.apiUrl);
    const subject = await declareSubject(world, 'unrendered', { files });
    await endJob(world, path);
    await subject.application.until('finished', (found) => finishedOf(found) !== undefined);
    await world.send('DELETE', `${path}?propagationPolicy=Background`);
    return subject;
  })();
  await repository.commit({ 'kustomization.yaml': 'resources: [missing.yaml]\n' });
  await using restarted = await world.agent({ flags });
  assert.ok(restarted.apiUrl);
  await application.until('broken', (found) => readyReason(found).includes('BuildFailed'));
  await repository.commit({ 'kustomization.yaml': null });
  await application.refresh();
  await application.untilReady();
  assert.equal(await world.read(path), undefined);
});

test('a Job that a policy changed at its creation is neither deleted nor called wrong after a restart', async () => {
  await untilMirrored('mirrored');
  await untilMirrored('mirrored-plain');
  const files = { 'job.yaml': text(job('migrate', hook)), 'cm.yaml': text(configMap('a', {})) };
  const plainFiles = { 'job.yaml': text(job('plain')), 'cm.yaml': text(configMap('a', {})) };
  const path = jobPath('mirrored', 'migrate');
  const { running, plain, uid } = await (async () => {
    await using agent = await world.agent({ flags });
    assert.ok(agent.apiUrl);
    const first = await declareSubject(world, 'mirrored', { files });
    const second = await declareSubject(world, 'mirrored-plain', { files: plainFiles });
    await endJob(world, jobPath('mirrored-plain', 'plain'));
    await second.application.untilReady();
    const isStarted = (found: Json): boolean => at(found, 'status', 'started') !== undefined;
    await first.application.until('started', isStarted);
    const live = await world.read(path);
    return { running: first.application, plain: second.application, uid: fingerprint(live).split(' ')[0] };
  })();
  await using restarted = await world.agent({ flags });
  assert.ok(restarted.apiUrl);
  await running.refresh();
  await plain.refresh();
  await plain.untilReady();
  assert.equal(at(await world.read(path), 'metadata', 'uid'), uid);
  await endJob(world, path);
  await running.untilReady();
  assert.equal(at(await world.read(path), 'metadata', 'uid'), uid);
});

test('a sync that names a Job runs it again', async () => {
  await using agent = await world.agent({ flags });
  assert.ok(agent.apiUrl);
  const files = { 'job.yaml': text(job('again')), 'cm.yaml': text(configMap('a', {})) };
  const { application } = await declareSubject(world, 'again', { files });
  const path = jobPath('again', 'again');
  await endJob(world, path);
  await application.until('finished', (found) => finishedOf(found) !== undefined);
  await world.send('DELETE', `${path}?propagationPolicy=Background`);
  await untilGone(world, path);
  await application.refresh();
  assert.equal(await world.read(path), undefined);
  await application.ask({ action: 'sync', objects: ['batch/Job/again/again'] });
  assert.ok(await eventually(() => world.read(path)));
});
