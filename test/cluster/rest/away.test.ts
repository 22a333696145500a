/** Drift that no watch reports, since the API server or the agent was down. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningAgent } from '../../support/agent.ts';
import { useWorld } from '../../support/use-world.ts';
import { eventually } from '../../support/world.ts';
import { expectRest } from './scene.ts';
import { edit } from '../../support/kubectl.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  OWNER,
  PART_OF,
  requestsByVerb,
  resourceVersion,
  untilObject,
  type Subject,
} from '../../support/scene.ts';

const { world, agent: first } = useWorld({ mode: 'full', agent: true });
let agent: RunningAgent = first;

const NAMES = ['valued', 'labelled', 'unmarked', 'deleted', 'quiet'];

async function declare(name: string, source: Record<string, unknown> = {}): Promise<Subject> {
  const metadata = { labels: { team: 'x' } };
  const files = Object.fromEntries(
    NAMES.map((object) => [`${object}.yaml`, text(configMap(object, { k: '1' }, metadata))]),
  );
  const subject = await declareSubject(world, name, { files });
  if (source['interval']) await subject.application.patch({ source });
  await expectRest(world, agent, subject, { refreshes: 1 });
  return subject;
}

/** Changes a value, a label, our marks and a whole object; `quiet` stays unchanged. */
async function makeDrift(namespace: string): Promise<void> {
  const unmarked = { labels: { [PART_OF]: null }, annotations: { [OWNER]: null } };
  await edit(world, 'configmap/valued', { namespace, patch: { data: { k: 'other' } } });
  await edit(world, 'configmap/labelled', { namespace, patch: { metadata: { labels: { team: null } } } });
  await edit(world, 'configmap/unmarked', { namespace, patch: { metadata: unmarked } });
  await world.send('DELETE', configMapPath(namespace, 'deleted'));
}

async function untilHealed({ namespace, application }: Subject): Promise<void> {
  for (const name of NAMES) {
    await untilObject(
      world,
      configMapPath(namespace, name),
      (found) =>
        at(found, 'data', 'k') === '1' &&
        at(found, 'metadata', 'labels', 'team') === 'x' &&
        at(found, 'metadata', 'labels', PART_OF) !== undefined &&
        at(found, 'metadata', 'annotations', OWNER) !== undefined,
    );
  }
  await application.untilReady();
}

test('drift made right after a restart of the API server is healed, and nothing else is written', async () => {
  const subject = await declare('cut');
  const quiet = resourceVersion(await subject.configMap('quiet'));
  const before = await requestsByVerb(agent);
  await world.plane.kill('kube-apiserver', 'SIGKILL');
  await world.plane.restart('kube-apiserver');
  await makeDrift('cut');
  await untilHealed(subject);
  const after = await requestsByVerb(agent);
  assert.equal(resourceVersion(await subject.configMap('quiet')), quiet);
  // One apply for each of the four objects; one that met the API server while it started may have been retried.
  const applies = (after['apply'] ?? 0) - (before['apply'] ?? 0);
  assert.ok(applies >= 4 && applies <= 6, `${applies} applies`);
  assert.equal(after['delete'], before['delete']);
  await expectRest(world, agent, subject, { refreshes: 2 });
});

test('drift made while no agent ran is healed by the next agent, and nothing else is written', async () => {
  const subject = await declare('stopped');
  const quiet = resourceVersion(await subject.configMap('quiet'));
  await agent.stop();
  await makeDrift('stopped');
  agent = await world.agent();
  await untilHealed(subject);
  const after = await requestsByVerb(agent);
  assert.equal(resourceVersion(await subject.configMap('quiet')), quiet);
  assert.equal(after['apply'], 4);
  assert.equal(after['delete'], undefined);
  const lines = agent.log.filter(({ application }) => application === 'apps/stopped');
  assert.deepEqual(
    lines.map(({ reason }) => reason),
    ['DriftCorrected'],
  );
  await expectRest(world, agent, subject, { refreshes: 2 });
});

test('the next agent applies a commit and heals drift that were made while no agent ran', async () => {
  const subject = await declare('missed');
  const quiet = resourceVersion(await subject.configMap('quiet'));
  await agent.kill();
  await makeDrift('missed');
  await subject.repository.commit({ 'valued.yaml': text(configMap('valued', { k: '2' })), 'deleted.yaml': null });
  agent = await world.agent();
  await untilObject(world, configMapPath('missed', 'valued'), (found) => at(found, 'data', 'k') === '2');
  await subject.application.untilReady();
  assert.equal(await subject.configMap('deleted'), undefined);
  assert.equal(resourceVersion(await subject.configMap('quiet')), quiet);
  assert.equal(at(await subject.configMap('unmarked'), 'metadata', 'labels', PART_OF) === undefined, false);
  await expectRest(world, agent, subject, { refreshes: 2 });
});

/** Whether each watch that failed has recovered since: the wait before a retry grows with the failures. */
function areWatchesOpen(log: RunningAgent['log']): boolean {
  const isFailing = new Map<string, boolean>();
  for (const { msg, kind, namespace } of log) {
    if (msg === 'watch failed, retrying') isFailing.set(`${String(kind)} ${String(namespace)}`, true);
    if (msg === 'watch recovered') isFailing.set(`${String(kind)} ${String(namespace)}`, false);
  }
  return ![...isFailing.values()].includes(true);
}

test('an outage of the API server is logged once for each Application, however many passes meet it', async () => {
  const subject = await declare('outage', { interval: '10s' });
  const lines = agent.log.length;
  await world.plane.kill('kube-apiserver', 'SIGKILL');
  // The next poll finds a commit that cannot be applied, and each retry fails the same way.
  await subject.repository.commit({ 'valued.yaml': text(configMap('valued', { k: '3' }, { labels: { team: 'x' } })) });
  await sleep(15_000);
  await world.plane.restart('kube-apiserver');
  await untilObject(world, configMapPath('outage', 'valued'), (found) => at(found, 'data', 'k') === '3');
  await subject.application.untilReady();
  const told = agent.log.slice(lines).filter(({ msg }) => msg === 'a pass ended early');
  const applications = told.map(({ application }) => application);
  assert.deepEqual(applications, [...new Set(applications)], JSON.stringify(told));
  assert.ok(applications.includes('apps/outage'));
  assert.ok(await eventually(async () => areWatchesOpen(agent.log.slice(lines)) || undefined));
  await expectRest(world, agent, subject, { refreshes: 1 });
});
