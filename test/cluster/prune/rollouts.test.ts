/** Generated ConfigMaps that left Git, while Pods of the former template may still start with them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text, workload } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  deploymentPath,
  detailOf,
  inventoryOf,
  PROGRESS_FLAGS,
  putStatus,
  readyMessage,
  readyReason,
  untilGone,
  untilObject,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import type { Json } from '../../support/world.ts';

const { world, agent } = useWorld({ agent: { flags: PROGRESS_FLAGS } });

const NAME = 'rollout';
const PATH = deploymentPath(NAME, 'web');

const filesOf = (value: string): Record<string, string> => ({
  'web.yaml': text(
    workload('Deployment', 'web', { pod: { volumes: [{ name: 'v', configMap: { name: 'settings' } }] } }),
  ),
  'kustomization.yaml': JSON.stringify({
    resources: ['web.yaml'],
    configMapGenerator: [{ name: 'settings', literals: [`k=${value}`] }],
  }),
});

/** Reports the rollout of the present template, as the controller would. */
async function reportRollout(updatedReplicas: number): Promise<void> {
  const live = await untilObject(world, PATH, () => true);
  const replicas = { replicas: 1, readyReplicas: 1, availableReplicas: 1, updatedReplicas };
  await putStatus(world, PATH, { ...replicas, observedGeneration: Number(live['metadata']?.['generation']) });
}

const settingsOf = (application: Json): string[] =>
  inventoryOf(application).flatMap((id) => /^ConfigMap .*\/(settings-.*)$/.exec(id)?.[1] ?? []);

test('a generated ConfigMap stays until the Deployment that uses its successor is rolled out', async () => {
  const { application, repository } = await declareSubject(world, NAME, {
    files: filesOf('1'),
    spec: { health: { wait: true } },
  });
  await untilObject(world, PATH, () => true);
  await reportRollout(1);
  const [old = ''] = settingsOf(await application.untilReady());
  const commit = await repository.commit(filesOf('2'));
  const request = await application.request({ action: 'refresh' });
  const mounted = (live: Json): unknown => at(live, 'spec', 'template', 'spec', 'volumes', 0, 'configMap', 'name');
  await untilObject(world, PATH, (live) => mounted(live) !== old);
  await application.answerTo(request);
  await reportRollout(0);
  const rolling = await application.until('the rollout is told', (a) =>
    /0 of 1 replicas updated/.test(readyMessage(a)),
  );
  assert.equal(readyReason(rolling), 'False Progressing');
  assert.equal(settingsOf(rolling).length, 2);
  assert.ok(await world.read(configMapPath(NAME, old)));
  assert.match(readyMessage(rolling), new RegExp(`${old}: kept until Deployment.apps rollout/web is rolled out$`));
  assert.match(JSON.stringify(await detailOf(agent, NAME)), /waits: kept until Deployment\.apps/);
  await reportRollout(1);
  await untilGone(world, configMapPath(NAME, old));
  assert.equal(settingsOf(await application.untilReady(commit)).length, 1);
});
