/** Objects with the marks of an Application that does not exist any more are taken over by a request, never without. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  answerOf,
  at,
  configMapPath,
  declareSubject,
  makeNamespace,
  outcomeOf,
  OWNER,
  readyMessage,
  readyReason,
  untilGone,
} from '../../support/scene.ts';

const { world } = useWorld();
const FLAGS = ['--max-backoff', '2s'];

const ownerOf = (object: unknown): string => String(at(object, 'metadata', 'annotations', OWNER));

test('objects of an Application whose finalizer was removed by hand are taken over after a request', async () => {
  const repository = await world.repository('dead');
  await repository.commit({ 'a.yaml': text(configMap('a', { v: '1' }), configMap('b', {})) });
  await makeNamespace(world, 'pool');
  const spec = { source: { repoURL: repository.url }, destination: { namespace: 'pool' } };
  const old = await world.declare('old', spec);
  {
    await using agent = await world.agent({ flags: FLAGS });
    await old.untilReady();
    assert.equal(agent.process.exitCode, null);
  }
  const uid = at(await world.read(configMapPath('pool', 'a')), 'metadata', 'uid');
  await old.remove();
  await world.send('PATCH', old.path, { metadata: { finalizers: null } });
  await untilGone(world, old.path);
  await using agent = await world.agent({ flags: FLAGS });
  const next = await world.declare('new', spec);
  const told = await next.until('conflict', (a) => readyReason(a) === 'False Conflict');
  assert.match(
    readyMessage(told),
    /apps\/old, which does not exist any more; take them over with: tautline take-over \w+ -n apps/,
  );
  assert.equal(outcomeOf(await next.ask({ action: 'sync' })), 'Failed', 'a sync takes nothing over');
  assert.match(ownerOf(await world.read(configMapPath('pool', 'a'))), /\/apps\/old$/);
  const answered = await next.ask({ action: 'take-over' });
  assert.equal(outcomeOf(answered), 'Succeeded', answerOf(answered));
  await next.untilReady();
  const taken = await world.read(configMapPath('pool', 'a'));
  assert.match(ownerOf(taken), /\/apps\/new$/);
  assert.equal(at(taken, 'metadata', 'uid'), uid);
  assert.equal(agent.process.exitCode, null);
});

test('an object of an Application that exists is not taken over, even while that Application is suspended', async () => {
  await using agent = await world.agent({ flags: FLAGS });
  const first = await declareSubject(world, 'alive', { files: { 'a.yaml': text(configMap('a', { v: '1' })) } });
  await first.application.untilReady();
  await first.application.patch({ suspend: true });
  await first.application.until('suspended', (a) => readyReason(a) === 'False Suspended');
  const repository = await world.repository('rival');
  await repository.commit({ 'a.yaml': text(configMap('a', { v: '2' })) });
  const rival = await world.declare('rival', {
    source: { repoURL: repository.url },
    destination: { namespace: first.namespace },
  });
  const told = await rival.until('conflict', (a) => readyReason(a) === 'False Conflict');
  assert.doesNotMatch(readyMessage(told), /take-over/);
  assert.equal(outcomeOf(await rival.ask({ action: 'take-over' })), 'Failed');
  const live = await first.configMap('a');
  assert.match(ownerOf(live), /\/apps\/alive$/);
  assert.equal(at(live, 'data', 'v'), '1');
  assert.equal(agent.process.exitCode, null);
});

test('objects restored from a backup of another cluster are taken over after a request', async () => {
  const subject = await declareSubject(world, 'restored', { files: { 'a.yaml': text(configMap('x', { v: '1' })) } });
  {
    await using agent = await world.agent({ flags: FLAGS });
    await subject.application.untilReady();
    assert.equal(agent.process.exitCode, null);
  }
  const foreign = '11111111-2222-3333-4444-555555555555/apps/restored';
  await world.send('PATCH', configMapPath('restored', 'x'), { metadata: { annotations: { [OWNER]: foreign } } });
  const stored = await subject.application.read();
  await world.send('PUT', `${subject.application.path}/status`, { ...stored, status: {} });
  await using agent = await world.agent({ flags: FLAGS });
  const told = await subject.application.until('conflict', (a) => readyReason(a) === 'False Conflict');
  assert.match(readyMessage(told), /another cluster or agent.*tautline take-over restored/);
  assert.equal(ownerOf(await subject.configMap('x')), foreign);
  const answered = await subject.application.ask({ action: 'take-over' });
  assert.equal(outcomeOf(answered), 'Succeeded', answerOf(answered));
  assert.match(ownerOf(await subject.configMap('x')), /\/apps\/restored$/);
  assert.notEqual(ownerOf(await subject.configMap('x')), foreign);
  await subject.application.remove();
  await untilGone(world, subject.application.path);
  assert.equal(await subject.configMap('x'), undefined, 'it is deleted with its new Application');
  assert.equal(agent.process.exitCode, null);
});
