/** An agent without memory between passes: it costs requests, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { useWorld } from '../../support/use-world.ts';
import { tracksOf, untilStill, type Tracks } from './scene.ts';
import { edit } from '../../support/kubectl.ts';
import { configMap, job, secret, text, workload } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  jobPath,
  PROGRESS_FLAGS,
  syncOf,
  untilGone,
  untilObject,
} from '../../support/scene.ts';
import { builtFile } from '../../support/built-program.ts';

const { world, agent } = useWorld({
  mode: 'full',
  agent: {
    entry: builtFile('agent-that-forgets.js'),
    flags: PROGRESS_FLAGS,
  },
});

const sealed = secret('sealed', { stringData: { password: 'hunter2' } });
/** The server stores other spellings of these values, so that only an answer of the server settles them. */
const spelled = workload('Deployment', 'spelled', {
  pod: { volumes: [{ name: 'v', emptyDir: { sizeLimit: '0.5Gi' } }], securityContext: {}, tolerations: [] },
});
const brief = job('brief', { spec: { ttlSecondsAfterFinished: 1 } });

/** The tracks without the requests, which dropped memory may cost. */
function lasting({ objects, application, lines, events }: Tracks): unknown {
  return { objects, application, lines, events };
}

test('memory that is dropped between any two passes costs no write, no Event and no log line', async () => {
  const files = {
    'all.yaml': text(configMap('a', { k: '1' }), sealed, spelled, workload('StatefulSet', 'set'), brief),
  };
  const subject = await declareSubject(world, 'forgets', { files });
  await subject.application.until(
    'Synced and Healthy',
    (found) => syncOf(found) === 'Synced' && at(found, 'status', 'health', 'status') === 'Healthy',
  );
  await untilGone(world, jobPath('forgets', 'brief'));
  await untilStill(world, agent, subject, { mayListPods: true });
  const first = await tracksOf(world, agent, subject);
  await sleep(3000);
  assert.deepEqual(lasting(await tracksOf(world, agent, subject)), lasting(first), 'left alone');
  for (let n = 0; n < 4; n++) {
    const answered = await subject.application.refresh();
    assert.equal(syncOf(answered), 'Synced');
    assert.equal(at(answered, 'status', 'health', 'status'), 'Healthy');
  }
  const last = await tracksOf(world, agent, subject);
  assert.deepEqual(
    { ...last, application: '', requests: {}, updates: 0 },
    { ...first, application: '', requests: {}, updates: 0 },
  );
  assert.equal(last.updates, first.updates + 4, 'one write of status answers a request');
  assert.equal(last.requests['delete'], first.requests['delete']);
  assert.equal(await world.read(jobPath('forgets', 'brief')), undefined, 'a finished Job is run again');
});

test('without memory drift is healed, and an object that leaves Git is pruned', async () => {
  const files = { 'a.yaml': text(configMap('a', { k: '1' })), 'b.yaml': text(configMap('b', { k: '1' })) };
  const subject = await declareSubject(world, 'forgets-drift', { files });
  await subject.application.untilReady();
  await untilStill(world, agent, subject);
  const first = await tracksOf(world, agent, subject);
  await edit(world, 'configmap/a', { namespace: 'forgets-drift', patch: { data: { k: 'other' } } });
  await untilObject(world, configMapPath('forgets-drift', 'a'), (found) => at(found, 'data', 'k') === '1');
  await subject.application.untilReady();
  await untilStill(world, agent, subject);
  const healed = await tracksOf(world, agent, subject);
  assert.equal(healed.objects['ConfigMap forgets-drift/b'], first.objects['ConfigMap forgets-drift/b']);
  assert.equal(healed.lines.length, first.lines.length + 1, 'one log line reports the heal');
  await subject.repository.commit({ 'b.yaml': null });
  await subject.application.refresh();
  await untilGone(world, configMapPath('forgets-drift', 'b'));
  await subject.application.untilReady();
});
