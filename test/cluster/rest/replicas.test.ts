/** Replicas that others set: left alone if the manifest sets none, healed with a brake if it does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { useWorld } from '../../support/use-world.ts';
import { conditionOf } from '../../support/world.ts';
import { expectRest, untilStill } from './scene.ts';
import { kubectl } from '../../support/kubectl.ts';
import { autoscaler, text, workload, type Manifest } from '../../support/objects.ts';
import {
  at,
  declareSubject,
  deploymentPath,
  eventsOf,
  PROGRESS_FLAGS,
  requestsByVerb,
  untilObject,
  type Subject,
} from '../../support/scene.ts';

const { world, agent } = useWorld({ mode: 'full', agent: { flags: PROGRESS_FLAGS } });

/** An autoscaler that raises the replicas to its minimum at once. Without metrics it does nothing more. */
function scaler(least: number): Manifest {
  const target = { type: 'Utilization', averageUtilization: 80 };
  const metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
  return autoscaler('web', { minReplicas: least, maxReplicas: 9, metrics });
}

const webPath = (namespace: string): string => deploymentPath(namespace, 'web');

function untilReplicas(namespace: string, replicas: number): Promise<unknown> {
  return untilObject(
    world,
    webPath(namespace),
    (found) => at(found, 'spec', 'replicas') === replicas && at(found, 'status', 'readyReplicas') === replicas,
  );
}

function scale(namespace: string, replicas: number): Promise<string> {
  return kubectl(world, ['scale', 'deployment/web', '-n', namespace, `--replicas=${replicas}`]);
}

const withoutReplicas = workload('Deployment', 'web', { spec: { replicas: undefined } });

test('replicas that an autoscaler sets are left alone if the manifest has none', async () => {
  const files = { 'web.yaml': text(withoutReplicas, scaler(3)) };
  const subject = await declareSubject(world, 'scaled', { files });
  await untilReplicas('scaled', 3);
  // The autoscaler has no metrics and writes that to its status every 15 seconds.
  const options = { health: 'Degraded', busy: ['HorizontalPodAutoscaler/web'], mayListPods: true };
  await expectRest(world, agent, subject, options);
  await subject.repository.commit({ 'web.yaml': text(withoutReplicas, scaler(4)) });
  await subject.application.refresh();
  await untilReplicas('scaled', 4);
  await expectRest(world, agent, subject, options);
  await remove(subject);
});

test('kubectl scale is left alone if the manifest has no replicas', async () => {
  const subject = await declareSubject(world, 'by-hand', { files: { 'web.yaml': text(withoutReplicas) } });
  await untilReplicas('by-hand', 1);
  await expectRest(world, agent, subject);
  for (const replicas of [4, 0, 1]) {
    await scale('by-hand', replicas);
    if (replicas > 0) await untilReplicas('by-hand', replicas);
    await expectRest(world, agent, subject, { refreshes: 1 });
    assert.equal(at(await world.read(webPath('by-hand')), 'spec', 'replicas'), replicas);
  }
  await remove(subject);
});

test('kubectl scale is healed once if the manifest has replicas, and the Deployment comes to rest', async () => {
  const subject = await declareSubject(world, 'undone', { files: { 'web.yaml': text(workload('Deployment', 'web')) } });
  await expectRest(world, agent, subject);
  const heals = async () =>
    (await eventsOf(world, subject)).filter((event) => at(event, 'reason') === 'DriftCorrected');
  await scale('undone', 3);
  await untilObject(world, webPath('undone'), (found) => at(found, 'spec', 'replicas') === 1);
  await expectRest(world, agent, subject);
  const [heal, ...more] = await heals();
  assert.equal(more.length, 0);
  assert.match(String(at(heal, 'note')), /^Deployment\.apps undone\/web: \/spec\/replicas 3 → 1 \([\w-]+\)/);
  assert.equal(conditionOf(await subject.application.read(), 'Contested'), undefined);
  // Scaled by hand to the value in Git: another manager owns the field too, and nothing differs.
  await scale('undone', 1);
  await expectRest(world, agent, subject);
  await remove(subject);
});

test('when an autoscaler and a manifest both set the replicas, the brake delays the heals and Contested names both', async () => {
  // The autoscaler is not part of the Application: otherwise the agent would leave the replicas to it.
  const files = { 'web.yaml': text(workload('Deployment', 'web')) };
  const subject = await declareSubject(world, 'fought', { files });
  await world.apply({ ...scaler(3), metadata: { name: 'web', namespace: 'fought' } });
  const contested = await subject.application.until(
    'contested',
    (found) => conditionOf(found, 'Contested') !== undefined,
  );
  const message = String(conditionOf(contested, 'Contested')?.['message']);
  assert.match(message, /Deployment\.apps fought\/web: .*kube-controller-manager at \/spec\/replicas/);
  // Between two heals the agent writes little, although the status of the Deployment changes all the time.
  await untilReplicas('fought', 3);
  const version = await statusWrites();
  await sleep(10_000);
  const writes = (await statusWrites()) - version;
  assert.ok(writes <= 8, `${writes} writes of status in ten seconds`);
  const heals = agent.log.filter(
    ({ application, reason }) => application === 'apps/fought' && reason === 'DriftCorrected',
  );
  assert.ok(heals.length <= 6, `${heals.length} heals`);
  // Without replicas in Git the conflict is over.
  await subject.repository.commit({ 'web.yaml': text(withoutReplicas) });
  await subject.application.refresh();
  await subject.application.until('peace', (found) => conditionOf(found, 'Contested') === undefined);
  await untilReplicas('fought', 3);
  await untilStill(world, agent, subject, { mayListPods: true });
  await remove(subject);
});

/** The number of status writes by the agent. */
async function statusWrites(): Promise<number> {
  return (await requestsByVerb(agent))['update'] ?? 0;
}

async function remove({ application }: Subject): Promise<void> {
  await application.remove();
}
