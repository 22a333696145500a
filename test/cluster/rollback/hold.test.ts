/** Rollbacks: a hold that a person asks for, and one that a failed revision brings about. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tautline } from '../cli/scene.ts';
import { configMap, text, workload } from '../../support/objects.ts';
import {
  answerOf,
  at,
  configMapPath,
  declareSubject,
  deploymentPath,
  outcomeOf,
  PROGRESS_FLAGS,
  readyMessage,
  readyReason,
  syncOf,
  untilGone,
  untilObject,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import type { Json } from '../../support/world.ts';

const { world, agent: first } = useWorld({ agent: (it) => it.agent({ flags: PROGRESS_FLAGS }) });

const file = (name: string, value: string) => ({ [`${name}.yaml`]: text(configMap(name, { k: value })) });
const holdOf = (application: Json): unknown => at(application, 'status', 'hold');
const isAt = (value: string) => (object: Json) => at(object, 'data', 'k') === value;

test('a rollback holds an earlier commit over refreshes and a restart, and a newer commit ends it', async () => {
  const { application, repository } = await declareSubject(world, 'held', { files: file('a', '1') });
  const older = await repository.resolve('main');
  await application.untilReady(older);
  const followed = await repository.commit({ ...file('a', '2'), ...file('b', '2') });
  await application.refresh();
  await application.untilReady(followed);

  const back = await tautline(world, 'rollback', 'held', '--reason', 'a is wrong');
  assert.equal(back.code, 0, back.stderr);
  await untilObject(world, configMapPath('held', 'a'), isAt('1'));
  await untilGone(world, configMapPath('held', 'b'));
  const held = await application.refresh();
  assert.equal(at(held, 'status', 'hold', 'revision'), `main@sha1:${older}`);
  assert.equal(at(held, 'status', 'hold', 'over', 'revision'), `main@sha1:${followed}`);
  assert.equal(at(held, 'status', 'hold', 'message'), 'a is wrong');
  assert.equal(syncOf(held), 'Synced');
  assert.match(readyReason(held), /^True/);

  await first.stop();
  await world.apply(configMap('a', { k: 'by hand' }, { namespace: 'held' }), 'someone');
  await world.agent({ flags: PROGRESS_FLAGS });
  await untilObject(world, configMapPath('held', 'a'), isAt('1'));
  assert.deepEqual(holdOf(await application.refresh()), holdOf(held));

  const newer = await repository.commit(file('a', '3'));
  await application.refresh();
  const ended = await application.untilReady(newer);
  assert.equal(holdOf(ended), undefined);
  await untilObject(world, configMapPath('held', 'b'), isAt('2'));
});

test('a release brings the followed commit back, and rollbacks that cannot be are refused', async () => {
  const { application, repository } = await declareSubject(world, 'released', { files: file('a', '1') });
  const older = await repository.resolve('main');
  await application.untilReady(older);
  const followed = await repository.commit(file('a', '2'));
  await application.refresh();
  await application.untilReady(followed);
  for (const [revision, why] of [
    [followed, /is the followed revision/],
    ['d'.repeat(40), /the commit cannot be read/],
  ] as const) {
    const refused = await application.ask({ action: 'rollback', revision });
    assert.equal(outcomeOf(refused), 'Refused');
    assert.match(answerOf(refused), why);
    assert.equal(holdOf(refused), undefined);
  }
  assert.equal(outcomeOf(await application.ask({ action: 'rollback', revision: older, prune: false })), 'Succeeded');
  await untilObject(world, configMapPath('released', 'a'), isAt('1'));
  const release = await tautline(world, 'release', 'released');
  assert.equal(release.code, 0, release.stderr);
  await untilObject(world, configMapPath('released', 'a'), isAt('2'));
  assert.equal(holdOf(await application.refresh()), undefined);
});

test('in mode manual a rollback is applied once, and stays the revision that is compared', async () => {
  const spec = { sync: { mode: 'manual' } };
  const { application, repository } = await declareSubject(world, 'byhand', { files: file('a', '1'), spec });
  const older = await repository.resolve('main');
  await application.ask({ action: 'sync' });
  await repository.commit(file('a', '2'));
  await application.ask({ action: 'sync' });
  await application.ask({ action: 'rollback', revision: older });
  await untilObject(world, configMapPath('byhand', 'a'), isAt('1'));
  const resting = await application.until('synced at the held commit', (it) => syncOf(it) === 'Synced');
  assert.ok(holdOf(resting));
  await repository.commit(file('a', '3'));
  const ended = await application.refresh();
  assert.equal(holdOf(ended), undefined);
  assert.equal(syncOf(ended), 'OutOfSync');
  assert.equal(at(await world.read(configMapPath('byhand', 'a')), 'data', 'k'), '1');
});

test('a revision that is not Healthy in time is rolled back once, and neither side is pruned', async () => {
  const spec = { sync: { onFailure: 'rollback' }, health: { wait: true, timeout: '1s' } };
  const files = { ...file('a', '1'), ...file('b', '1') };
  const { application, repository } = await declareSubject(world, 'failing', { files, spec });
  const good = await repository.resolve('main');
  await application.untilReady(good);
  const bad = await repository.commit({
    ...file('a', '2'),
    'b.yaml': null,
    'web.yaml': text(workload('Deployment', 'web')),
  });
  await application.refresh();
  const back = await application.until('rolled back', (it) => readyReason(it) === 'False RolledBack');
  assert.equal(at(back, 'status', 'hold', 'revision'), `main@sha1:${good}`);
  assert.equal(at(back, 'status', 'hold', 'over', 'revision'), `main@sha1:${bad}`);
  assert.match(readyMessage(back), /Deployment.apps failing\/web/);
  await untilObject(world, configMapPath('failing', 'a'), isAt('1'));
  await untilObject(world, configMapPath('failing', 'b'), isAt('1'));
  await untilObject(world, deploymentPath('failing', 'web'), () => true);

  await application.ask({ action: 'release' });
  await untilObject(world, configMapPath('failing', 'a'), isAt('2'));
  const failed = await application.until('failed again', (it) => readyReason(it) === 'False HealthCheckFailed');
  assert.equal(holdOf(failed), undefined, 'the revision is not rolled back twice');
});
