/** Jobs with a time to live run once for a manifest, with the real controllers for Jobs and for their time to live. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultPoint } from '../../../src/reconcile/context.ts';
import { configMap, job, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  jobPath,
  PROGRESS_FLAGS,
  untilGone,
  untilPasses,
  type Subject,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { conditionOf, eventually } from '../../support/world.ts';
import { builtFile } from '../../support/built-program.ts';

const { world } = useWorld({ mode: 'full' });
const flags = PROGRESS_FLAGS;
const FAULTY_AGENT = builtFile('agent-with-faults.js');
const hook = { metadata: { annotations: { 'argocd.argoproj.io/hook': 'PreSync' } } };

/** Collects the uids of a Job until the returned function is called. */
function watchUids(path: string): () => Promise<Set<string>> {
  const uids = new Set<string>();
  let isWatching = true;
  const watching = (async () => {
    while (isWatching) {
      const uid = at(await world.read(path), 'metadata', 'uid');
      if (uid !== undefined) uids.add(String(uid));
      await sleep(20);
    }
  })();
  return async () => {
    isWatching = false;
    await watching;
    return uids;
  };
}

for (const ttl of [0, 2]) {
  test(`a hook with a time to live of ${ttl} s runs once, and later waves go on`, async () => {
    await using agent = await world.agent({ flags });
    const name = `hook-${ttl}`;
    const files = {
      'job.yaml': text(job('migrate', { ...hook, spec: { ttlSecondsAfterFinished: ttl } })),
      'cm.yaml': text(configMap('later', {})),
    };
    const stop = watchUids(jobPath(name, 'migrate'));
    const { application } = await declareSubject(world, name, { files });
    await application.untilReady();
    assert.notEqual(await world.read(configMapPath(name, 'later')), undefined);
    await untilGone(world, jobPath(name, 'migrate'));
    const refreshed = await application.refresh();
    await untilPasses(agent, name, 3);
    assert.equal((await stop()).size, 1);
    assert.equal(conditionOf(refreshed, 'Contested'), undefined);
  });
}

test('a Job that ends and expires while no agent runs does not run again', async () => {
  const files = { 'job.yaml': text(job('away', { spec: { ttlSecondsAfterFinished: 1 } })) };
  const path = jobPath('away', 'away');
  const stop = watchUids(path);
  const { application } = await (async () => {
    await using agent = await world.agent({ flags });
    assert.ok(agent.apiUrl);
    const subject = await declareSubject(world, 'away', { files });
    const isRecorded = await eventually(async () => {
      const status = at(await subject.application.read(), 'status');
      return (at(status, 'started') ?? at(status, 'finished')) === undefined ? undefined : true;
    });
    assert.ok(isRecorded, 'the start of the Job is not in the status');
    return subject;
  })();
  await untilGone(world, path);
  await using restarted = await world.agent({ flags });
  assert.ok(restarted.apiUrl);
  await application.refresh();
  await application.untilReady();
  assert.equal((await stop()).size, 1);
});

/** Starts an agent that kills itself at the point, and declares an Application with one Job. */
async function killWhileSending(name: string, point: FaultPoint): Promise<Subject> {
  await using agent = await world.agent({ entry: FAULTY_AGENT, flags: [...flags, '--kill-at', point] });
  const files = { 'job.yaml': text(job('once', { spec: { ttlSecondsAfterFinished: 1 } })) };
  const subject = await declareSubject(world, name, { files });
  const { process } = agent;
  if (process.exitCode === null && process.signalCode === null) await once(process, 'exit');
  return subject;
}

test('a Job that was created right before a kill, and expires while no agent runs, does not run again', async () => {
  const path = jobPath('sent', 'once');
  const stop = watchUids(path);
  const { application } = await killWhileSending('sent', 'wave-applied');
  await untilGone(world, path);
  await using restarted = await world.agent({ flags });
  assert.ok(restarted.apiUrl);
  await application.refresh();
  await application.untilReady();
  assert.equal((await stop()).size, 1);
});

test('a Job whose creation a kill prevented is created by the next agent, once', async () => {
  const path = jobPath('unsent', 'once');
  const stop = watchUids(path);
  const { application } = await killWhileSending('unsent', 'inventory-written');
  assert.equal(await world.read(path), undefined);
  await using restarted = await world.agent({ flags });
  assert.ok(restarted.apiUrl);
  await application.untilReady();
  await untilGone(world, path);
  await application.refresh();
  assert.equal((await stop()).size, 1);
});

test('a hook that fails and expires is not run again and again, and says that it failed', async () => {
  await using agent = await world.agent({ flags });
  const failing = { activeDeadlineSeconds: 1, ttlSecondsAfterFinished: 1 };
  // No node has this label, so the Job fails by its deadline.
  const files = {
    'job.yaml': text(job('fails', { ...hook, pod: { nodeSelector: { no: 'where' } }, spec: failing })),
    'cm.yaml': text(configMap('later', {})),
  };
  const path = jobPath('failing', 'fails');
  const stop = watchUids(path);
  const { application } = await declareSubject(world, 'failing', { files });
  const failed = await application.until('failed', (found) => at(found, 'status', 'finished') !== undefined);
  assert.match(JSON.stringify(at(failed, 'status', 'finished')), /:failed/);
  await untilGone(world, path);
  const refreshed = await application.refresh();
  await untilPasses(agent, 'failing', 3);
  assert.equal((await stop()).size, 1);
  assert.equal(at(refreshed, 'status', 'health', 'status'), 'Degraded');
  assert.equal(await world.read(configMapPath('failing', 'later')), undefined);
});
