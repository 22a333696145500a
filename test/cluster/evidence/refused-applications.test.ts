/** An Application that has lost its place waits for no definition: nothing is asked for it any more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, text, type Manifest } from '../../support/objects.ts';
import { at, declareSubject, eventsOf, makeNamespace, readyReason, requestsByVerb } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { untilTrue } from '../../support/world.ts';

const { world, agent } = useWorld({
  agent: {
    flags: ['--max-applications', '2', '--min-backoff', '30m', '--max-backoff', '30m', '--definition-check', '50ms'],
  },
});

const VALVE: Manifest = { apiVersion: 'places.example.net/v1', kind: 'Valve', metadata: { name: 'v' }, spec: {} };

/** Each look at the definitions sends some requests with this verb, and an agent at rest none. */
const readsOf = async (): Promise<number> => (await requestsByVerb(agent))['get'] ?? 0;

test('the definitions are not looked at for an Application that has lost its place', async () => {
  const oldest = await declareSubject(world, 'oldest', { files: { 'a.yaml': text(configMap('a')) } });
  await oldest.application.untilReady();
  const loser = await declareSubject(world, 'loser', { files: { 'a.yaml': text(VALVE) } });
  await loser.application.until('it waits', (found) => readyReason(found) === 'False BuildFailed');
  const before = await readsOf();
  await untilTrue(async () => (await readsOf()) > before + 9, 'the definitions are looked at while it waits');

  await makeNamespace(world, 'winner');
  const source = { repoURL: oldest.repository.url };
  const winner = await world.declare('winner', { source, destination: {} }, 'winner');
  await winner.untilReady();
  const isToldSo = async (): Promise<boolean> =>
    (await eventsOf(world, loser)).some((event) => at(event, 'reason') === 'TooManyApplications');
  await untilTrue(isToldSo, 'it has lost its place');
  // More than a second is between two reads of the metrics. One look may be under way at the first one.
  const after = await readsOf();
  assert.ok((await readsOf()) <= after + 3, 'nothing is looked at any more');
});
