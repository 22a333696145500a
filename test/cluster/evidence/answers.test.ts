/** An earlier answer of the API server is no evidence for a requested sync or its dry run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerOf, outcomeOf, requestsByVerb } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { declareOutdated, liveGrace } from './policy.ts';

const { world, agent } = useWorld({ agent: true });

test('a requested sync applies what a policy had changed before it was removed, and its dry run foretells it', async () => {
  const { subject, inGit, byPolicy } = await declareOutdated(world, 'asked');
  const before = await requestsByVerb(agent);
  await subject.application.refresh();
  assert.equal((await requestsByVerb(agent))['apply'], before['apply'], 'a refresh asks Git only');
  assert.equal(await liveGrace(world, 'asked'), byPolicy);
  const foretold = await subject.application.ask({ action: 'sync', dryRun: true });
  assert.equal(outcomeOf(foretold), 'Succeeded');
  assert.match(answerOf(foretold), /1 changed\n.*terminationGracePeriodSeconds from 45 to 10/);
  assert.equal(await liveGrace(world, 'asked'), byPolicy, 'the dry run changes nothing');
  const synced = await subject.application.ask({ action: 'sync' });
  assert.equal(outcomeOf(synced), 'Succeeded');
  assert.equal(await liveGrace(world, 'asked'), inGit);
});

test('a sync that names one object asks about no other', async () => {
  const { subject, inGit, byPolicy } = await declareOutdated(world, 'named');
  const file = { 'b.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}}' };
  await subject.repository.commit(file);
  await subject.application.refresh();
  await subject.application.ask({ action: 'sync', objects: ['/ConfigMap/named/b'] });
  assert.equal(await liveGrace(world, 'named'), byPolicy);
  await subject.application.ask({ action: 'sync', objects: ['apps/Deployment/named/web'] });
  assert.equal(await liveGrace(world, 'named'), inGit);
});
