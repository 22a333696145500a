/** Another client that keeps writing the metadata of an Application, or the status of an object. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { configMap, text, workload } from '../../support/objects.ts';
import {
  at,
  declareSubject,
  deploymentPath,
  eventsOf,
  passesOf,
  putStatus,
  resourceVersion,
  untilGone,
  untilHealth,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { untilTrue } from '../../support/world.ts';

const { world, agent } = useWorld({ agent: true });

/** Shorter than a pass over the objects of the test. */
const BEAT_MS = 50;

async function whileWriting(
  path: string,
  annotate: (beat: number) => Record<string, string>,
  work: () => Promise<void>,
) {
  const ending = new AbortController();
  const writing = (async () => {
    for (let beat = 1; !ending.signal.aborted; beat++) {
      await world.plane.request('PATCH', path, { metadata: { annotations: annotate(beat) } });
      await sleep(BEAT_MS);
    }
  })();
  try {
    await work();
  } finally {
    ending.abort();
    await writing;
  }
}

const writers: readonly (readonly [what: string, annotate: (beat: number) => Record<string, string>])[] = [
  ['an annotation of its own', (beat) => ({ 'example.com/heartbeat': String(beat) })],
  ['the request to look again', (beat) => ({ 'reconcile.fluxcd.io/requestedAt': String(beat) })],
];
for (const [index, [what, annotate]] of writers.entries()) {
  test(`a commit is applied and told while another client keeps writing ${what}`, async () => {
    const name = `writer-${index}`;
    const objects = (v: string): string => text(...Array.from({ length: 200 }, (_, i) => configMap(`c-${i}`, { v })));
    const subject = await declareSubject(world, name, { files: { 'a.yaml': objects('1') } });
    await subject.application.untilReady();
    await whileWriting(subject.application.path, annotate, async () => {
      const commit = await subject.repository.commit({ 'a.yaml': objects('2') });
      if (index === 0) await subject.application.request({ action: 'refresh' });
      const told = await subject.application.until('the commit is told as applied', (application) =>
        String(at(application, 'status', 'sync', 'lastAppliedRevision')).endsWith(commit),
      );
      assert.equal(at(told, 'status', 'counts', 'synced'), 200);
    });
    await subject.application.untilReady();
  });
}

test('an Application is deleted while another client keeps writing its annotations', async () => {
  const subject = await declareSubject(world, 'ending', { files: { 'a.yaml': text(configMap('a', { v: '1' })) } });
  await subject.application.untilReady();
  await whileWriting(
    subject.application.path,
    (beat) => ({ 'example.com/heartbeat': String(beat) }),
    async () => {
      await subject.application.remove();
      await untilGone(world, subject.application.path);
    },
  );
});

test('an object whose status is written all the time leads to passes, and to no write of the Application', async () => {
  const web = workload('Deployment', 'web', { spec: { replicas: 0 } });
  const subject = await declareSubject(world, 'churn', { files: { 'a.yaml': text(web, configMap('a')) } });
  const path = deploymentPath('churn', 'web');
  let beat = 0;
  const write = (): Promise<void> => putStatus(world, path, { observedGeneration: 1, collisionCount: ++beat });
  await write();
  await untilHealth(subject.application, 'Healthy');
  const before = resourceVersion(await subject.application.untilReady());
  const events = (await eventsOf(world, subject)).length;
  const passes = await passesOf(agent, 'churn');
  await untilTrue(async () => {
    await write();
    return (await passesOf(agent, 'churn')) >= passes + 3;
  }, 'the writes lead to passes');
  assert.equal(resourceVersion(await subject.application.read()), before);
  assert.equal((await eventsOf(world, subject)).length, events);
});
