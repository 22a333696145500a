/** When the source is polled: by interval, webhook and schedule, with a clock and a Git server that the test drives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RepositoryPush } from '../../../../src/application/repository.ts';
import { specSchema } from '../../../../src/application/schema.ts';
import type { ValueMap } from '../../../../src/object/value.ts';
import { sourceError } from '../../../../src/object/source-error.ts';
import type { Snapshot } from '../../../../src/source/snapshot.ts';
import { snapshotOf } from '../../../support/applications.ts';
import { MINUTE_MS, PUSH, REPOSITORY, scene, type Scene } from './source-scene.ts';

test('a webhook leads to a poll at once, however far away the next one was', async () => {
  const it = scene({ interval: '1h' });
  assert.equal(await it.pass(), 60 * MINUTE_MS);
  it.wait(5_000);
  await it.pass();
  assert.equal(it.polls, 1);
  assert.equal(it.hook(), 1);
  assert.deepEqual(it.woken, ['apps/shop']);
  it.commit = 'b';
  await it.pass();
  assert.equal(it.polls, 2);
  assert.equal(it.record.memory.desired.source?.snapshot?.commit, 'b');
});

test('a thousand webhooks cost one wake and one poll a second', async () => {
  const it = scene();
  await it.pass();
  it.wait(200);
  for (let n = 0; n < 1000; n++) it.hook();
  assert.equal(it.woken.length, 1);
  assert.equal(await it.pass(), 800);
  assert.equal(it.polls, 1);
  it.wait(800);
  await it.pass();
  assert.equal(it.polls, 2);
});

test('a webhook that arrives while a poll is under way leads to another poll', async () => {
  const it = scene({ interval: '1h' });
  await it.pass();
  it.wait(60 * MINUTE_MS);
  it.duringPoll = () => it.hook();
  assert.equal(await it.pass(), 1_000);
  it.duringPoll = () => undefined;
  assert.deepEqual(it.woken, ['apps/shop']);
  it.wait(1_000);
  it.commit = 'b';
  assert.equal(await it.pass(), 60 * MINUTE_MS);
  assert.equal(it.polls, 3);
});

test('a neighbour that asks for a poll brings it forward, however far away the next one was', async () => {
  const it = scene({ interval: '1h' });
  await it.pass();
  it.wait(5_000);
  it.neighbours.askToPoll('apps/shop');
  assert.deepEqual(it.woken, ['apps/shop']);
  await it.pass();
  assert.equal(it.polls, 2);
  it.wait(5_000);
  await it.pass();
  assert.equal(it.polls, 2);
});

test('a poll that a neighbour asks for while one is under way is followed by another poll', async () => {
  const it = scene({ interval: '1h' });
  it.wait(5);
  it.duringPoll = () => it.neighbours.askToPoll('apps/shop');
  assert.equal(await it.pass(), 1_000);
});

test('a webhook during the very first poll leads to another poll', async () => {
  const it = scene({ interval: '1h' });
  it.wait(5);
  it.duringPoll = () => it.hook();
  assert.equal(await it.pass(), 1_000);
});

test('a webhook while Git is down is not lost: its commit counts as announced', async () => {
  const it = scene();
  await it.pass();
  it.wait(10_000);
  it.hook();
  it.isDown = true;
  assert.equal(await it.pass(), 5_000);
  it.wait(5_000);
  it.isDown = false;
  it.commit = 'b';
  assert.equal(await it.pass(), 2 * MINUTE_MS);
});

test('announced commits lengthen the interval, and an unannounced one shortens it', async () => {
  const it = scene();
  assert.equal(await it.pass(), MINUTE_MS);
  const push = async (commit: string): Promise<number> => {
    it.wait(30_000);
    it.commit = commit;
    it.hook();
    return it.pass();
  };
  assert.equal(await push('b'), 2 * MINUTE_MS);
  assert.equal(await push('c'), 4 * MINUTE_MS);
  it.wait(4 * MINUTE_MS);
  assert.equal(await it.pass(), 4 * MINUTE_MS);
  it.wait(4 * MINUTE_MS);
  it.commit = 'd';
  assert.equal(await it.pass(), MINUTE_MS);
});

test('a schedule adds a poll to those of the interval', async () => {
  const it = scene({ interval: '1h', schedule: '0 6 * * *' });
  assert.equal(await it.pass(), 90_000);
  it.wait(90_000);
  assert.equal(await it.pass(), 60 * MINUTE_MS);
  assert.equal(it.polls, 2);
});

test('a scheduled time after the next poll changes nothing, and the time zone of the schedule counts', async () => {
  assert.equal(await scene({ interval: '1m', schedule: '0 6 * * *' }).pass(), MINUTE_MS);
  assert.equal(await scene({ interval: '1h', schedule: '0 7 * * *', timeZone: 'Europe/Berlin' }).pass(), 90_000);
});

const OTHERS: readonly (readonly [string, Scene, RepositoryPush])[] = [
  ['another repository', scene(), { ...PUSH, addresses: ['https://git.example.com/team/other'] }],
  ['another branch', scene({ revision: 'main' }), { ...PUSH, refs: ['refs/heads/next'] }],
  ['a suspended Application', scene({}, { suspend: true }), PUSH],
];
for (const [what, it, push] of OTHERS) {
  test(`a push to ${what} brings no poll forward`, () => {
    assert.equal(it.hook(push), 0);
    assert.deepEqual(it.woken, []);
    assert.equal(it.record.signals.hookHeardMs, undefined);
  });
}

test('a scheduled time that passes while a poll is under way is followed by another poll', async () => {
  const it = scene({ interval: '1h', schedule: '0 6 * * *' });
  it.wait(89_000);
  it.duringPoll = () => it.wait(2_000);
  assert.equal(await it.pass(), 0);
});

const commitOf = ({ record }: Scene): string | undefined => record.memory.desired.source?.snapshot?.commit;

test('an older commit is followed once a second poll, which comes soon, answers it too', async () => {
  const it = scene({ interval: '1h' });
  await it.pass();
  it.commit = 'b';
  await it.pass({ isForced: true });
  it.commit = 'a';
  assert.equal(await it.pass({ isForced: true }), 2_000);
  assert.equal(commitOf(it), 'b');
  it.wait(2_000);
  assert.equal(await it.pass(), 60 * MINUTE_MS);
  assert.equal(commitOf(it), 'a');
});

test('a failed poll between two polls does not end a doubt', async () => {
  const it = scene();
  for (const commit of ['a', 'b', 'a']) {
    it.commit = commit;
    await it.pass({ isForced: true });
  }
  it.isDown = true;
  await it.pass({ isForced: true });
  assert.equal(commitOf(it), 'b');
  it.isDown = false;
  await it.pass({ isForced: true });
  assert.equal(commitOf(it), 'a');
});

test('a poll is not older than the question of a webhook or of a neighbour', async () => {
  const it = scene();
  it.wait(7);
  it.hook();
  it.wait(1);
  await it.pass();
  assert.equal(it.notBeforeMs, 7);
  it.wait(2_000);
  it.neighbours.askToPoll('apps/shop');
  await it.pass();
  assert.equal(it.notBeforeMs, 2_008);
});

const SECRET = { secretRef: { name: 'git' } };
const EDITS: readonly (readonly [string, ValueMap, boolean])[] = [
  ['another Secret', SECRET, false],
  ['another revision', { revision: 'next' }, true],
  ['signatures', { verify: { mode: 'head', secretRef: { name: 'keys' } } }, true],
  ['another repository', { repoURL: 'https://git.example.com/other.git' }, true],
];
for (const [what, source, isOfEarlierSpec] of EDITS) {
  test(`the snapshot stays in force while Git is down after an edit that names ${what}`, async () => {
    const it = scene();
    await it.pass();
    const { source: edited } = specSchema.parse({ source: { repoURL: REPOSITORY, ...source } });
    it.isDown = true;
    for (let passes = 0; passes < 3; passes++) {
      await it.pass({ spec: edited, isForced: true });
      assert.equal(commitOf(it), 'a');
      assert.equal(it.record.memory.desired.source?.isOfEarlierSpec, isOfEarlierSpec);
      assert.notEqual(it.record.memory.desired.source?.error, undefined);
    }
    it.isDown = false;
    it.commit = 'b';
    await it.pass({ spec: edited, isForced: true });
    assert.equal(commitOf(it), 'b');
    assert.equal(it.record.memory.desired.source?.isOfEarlierSpec, false);
  });
}

test('a commit that a request names leaves the source of the spec as it is', async () => {
  const it = scene();
  await it.pass();
  it.commit = 'pinned';
  await it.pass({ isPinned: true });
  assert.equal(commitOf(it), 'a');
  assert.equal(it.record.memory.desired.pinned?.snapshot?.commit, 'pinned');
});

const [OLDER, NEWER] = [snapshotOf('a'), snapshotOf('b')];
const KNOWN = { resolved: NEWER, seen: [OLDER.commit, NEWER.commit] };

test('after a restart the snapshot on disk is in force while Git is down', async () => {
  const it = scene();
  it.disk = [NEWER];
  it.isDown = true;
  await it.pass({ known: KNOWN });
  assert.equal(commitOf(it), NEWER.commit);
  assert.notEqual(it.record.memory.desired.source?.error, undefined);
});

test('after a restart an older commit is followed only if polls agree, with a snapshot on disk or without', async () => {
  const onDisk = scene();
  onDisk.disk = [NEWER];
  onDisk.commit = OLDER.commit;
  assert.equal(await onDisk.pass({ known: KNOWN }), 2_000);
  assert.equal(commitOf(onDisk), NEWER.commit);

  const lagging = scene();
  lagging.commit = OLDER.commit;
  lagging.duringPoll = () => (lagging.commit = lagging.polls === 1 ? OLDER.commit : NEWER.commit);
  await lagging.pass({ known: KNOWN });
  assert.deepEqual([lagging.polls, commitOf(lagging)], [2, NEWER.commit]);

  const moved = scene();
  moved.commit = OLDER.commit;
  await moved.pass({ known: KNOWN });
  assert.deepEqual([moved.polls, commitOf(moved)], [2, OLDER.commit]);
});

test('a commit in status that this process has never seen is polled for at once, and once only', async () => {
  const it = scene({ interval: '1h' });
  it.commit = OLDER.commit;
  await it.pass({ known: { resolved: OLDER, seen: [OLDER.commit] } });
  const { polls } = it;
  it.wait(10);
  it.commit = NEWER.commit;
  await it.pass({ known: KNOWN });
  assert.deepEqual([it.polls, commitOf(it)], [polls + 1, NEWER.commit]);
  await it.pass({ known: KNOWN });
  await it.pass({ known: { resolved: OLDER, seen: [OLDER.commit] } });
  assert.equal(it.polls, polls + 1, 'both commits are known now');
  const lagging = scene({ interval: '1h' });
  lagging.commit = OLDER.commit;
  await lagging.pass({ known: { resolved: OLDER, seen: [OLDER.commit] } });
  for (let count = 0; count < 3; count++) await lagging.pass({ known: KNOWN });
  assert.equal(lagging.polls, 2, 'a Git server that lags behind is not asked at every pass');
});

test('a server that names another older commit at each poll does not hold the first pass for ever', async () => {
  const it = scene();
  it.duringPoll = () => (it.commit = it.polls % 2 ? OLDER.commit : 'c');
  await it.pass({ known: { resolved: NEWER, seen: ['c', OLDER.commit, NEWER.commit] } });
  assert.equal(it.polls, 5);
});

test('a failed poll is repeated no sooner than the server asks for, nor sooner than its backoff', async () => {
  const it = scene({ interval: '1m' });
  it.isDown = true;
  it.retryAfterMs = 40_000;
  assert.equal(await it.pass(), 40_000);
  it.wait(40_000);
  it.retryAfterMs = 1_000;
  assert.equal(await it.pass(), 10_000);
  it.wait(10_000);
  it.retryAfterMs = 600_000;
  assert.equal(await it.pass(), 600_000);
});

test('webhooks that were refused bring the next poll back to the interval, once', async () => {
  const it = scene({ interval: '1m' });
  await it.pass();
  for (const commit of ['b', 'c', 'd', 'e']) {
    it.wait(MINUTE_MS);
    it.commit = commit;
    it.hook();
    await it.pass();
  }
  assert.equal(await it.pass(), 10 * MINUTE_MS, 'polls rely on webhooks');
  it.wait(20_000);
  it.woken.length = 0;
  it.neighbours.doubtHooks();
  assert.deepEqual(it.woken, ['apps/shop']);
  const { polls } = it;
  assert.equal(await it.pass(), 40_000);
  it.neighbours.doubtHooks();
  assert.deepEqual(it.woken, ['apps/shop'], 'the interval is short already');
  it.wait(40_000);
  assert.equal(await it.pass(), MINUTE_MS);
  assert.equal(it.polls, polls + 1);
});

const VERIFY = { verify: { mode: 'head', secretRef: { name: 'keys' } } };
const keysOf = (key: string) => async () =>
  ({ provider: 'git', mode: 'head', secret: 'apps/keys', field: 'spec.source.verify', keys: [key] }) as const;

function signedScene() {
  const it = scene(VERIFY);
  it.signed.add('a alice');
  it.disk = [{ id: 'a', revision: 'main@sha1:a', commit: 'a' } as Snapshot];
  const state = () => {
    const { snapshot, isOfEarlierSpec, error } = it.record.memory.desired.source ?? {};
    return [snapshot?.commit, isOfEarlierSpec, (error as { code?: unknown } | undefined)?.code];
  };
  return { it, state, pass: (key: string) => it.pass({ verification: keysOf(key), isForced: true }) };
}

test('an unsigned commit is not followed, and the signed one before it stays in force', async () => {
  const { it, state, pass } = signedScene();
  await pass('alice');
  assert.deepEqual(state(), ['a', false, undefined]);
  it.commit = 'b';
  for (let passes = 0; passes < 3; passes++) {
    await pass('alice');
    assert.deepEqual(state(), ['a', false, 'NotSigned']);
  }
  it.signed.add('b alice');
  await pass('alice');
  assert.deepEqual(state(), ['b', false, undefined]);
});

test('a commit whose key has left the Secret is not rendered any more, and is once the key is back', async () => {
  const { it, state, pass } = signedScene();
  await pass('alice');
  await pass('bob');
  assert.deepEqual(state(), ['a', true, 'NotSigned']);
  it.isDown = true;
  await pass('alice');
  assert.deepEqual(state(), ['a', true, 'ServerError']);
  it.isDown = false;
  await pass('alice');
  assert.deepEqual(state(), ['a', false, undefined]);
});

test('a Secret with keys that cannot be read takes no verified commit away', async () => {
  const { it, state, pass } = signedScene();
  await pass('alice');
  const unreadable = async () => Promise.reject(sourceError('SecretNotFound', 'it is gone'));
  await it.pass({ verification: unreadable, isForced: true });
  assert.deepEqual(state(), ['a', false, 'SecretNotFound']);
});

test('a commit of an earlier process is recalled only if it is signed', async () => {
  const { it, state } = signedScene();
  const known = { resolved: { commit: 'a', revision: 'main@sha1:a' }, seen: ['a'] };
  it.isDown = true;
  await it.pass({ verification: keysOf('bob'), known });
  assert.deepEqual(state(), [undefined, false, 'ServerError']);
  it.record.memory.desired.source = undefined;
  await it.pass({ verification: keysOf('alice'), known });
  assert.deepEqual(state(), ['a', false, 'ServerError']);
});
