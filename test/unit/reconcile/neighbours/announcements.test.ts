import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Announcements, ASK_AGAIN_MS, type Statement } from '../../../../src/reconcile/neighbours/announcements.ts';

function statement(commit: string, ids: readonly string[], fields: Partial<Statement> = {}): Statement {
  const poll = { begunMs: 0, endedMs: 1 };
  return { commit, generation: 1, ids: new Set(ids), isComplete: true, poll, ...fields };
}

const now = { nowMs: 0, isNewSpec: false };

test('an object waits since it left, however often the commit changes', () => {
  const announcements = new Announcements();
  announcements.await('a', 'one', 0);
  announcements.waitSince('a', ['x'], 0);
  announcements.await('a', 'two', 50);
  assert.deepEqual(
    [...announcements.waitSince('a', ['x', 'y'], 50)],
    [
      ['x', 0],
      ['y', 50],
    ],
  );
  announcements.waitSince('a', ['y'], 60);
  assert.deepEqual([...announcements.waitSince('a', ['x'], 70)], [['x', 70]]);
});

test('an Application is asked again only after a pause, or at another state', () => {
  const announcements = new Announcements();
  announcements.await('a', 'one', 0);
  const asked = [0, 1, ASK_AGAIN_MS].map((nowMs) => announcements.ask('a', 'b', nowMs));
  announcements.await('a', 'two', ASK_AGAIN_MS + 1);
  assert.deepEqual([...asked, announcements.ask('a', 'b', ASK_AGAIN_MS + 1)], [true, false, true, true]);
});

test('a waiting Application is woken by the last answer, and earlier by one that desires its object', () => {
  const announcements = new Announcements();
  announcements.await('a', 'one', 0);
  announcements.waitSince('a', ['x'], 0);
  for (const other of ['b', 'c', 'd']) announcements.ask('a', other, 0);
  const toldBy = (key: string, ids: readonly string[]): string[] =>
    announcements.announce(key, statement('one', ids), now).map((told) => told.key);
  assert.deepEqual([toldBy('b', []), toldBy('c', ['x']), toldBy('d', [])], [[], ['a'], ['a']]);
});

test('a set that is not complete leaves the last complete one in force', () => {
  const announcements = new Announcements();
  announcements.announce('a', statement('one', ['x']), now);
  announcements.announce('a', statement('two', ['y'], { isComplete: false }), now);
  assert.deepEqual([...(announcements.wholeOf('a')?.ids ?? [])], ['x']);
  assert.deepEqual([[...announcements.desiredBy('x')], [...announcements.desiredBy('y')]], [['a'], ['a']]);
  announcements.announce('a', statement('three', []), now);
  assert.deepEqual([[...announcements.desiredBy('x')], [...announcements.desiredBy('y')]], [[], []]);
});

/** Two of three Applications of a source wait at commit `one` for all others; each has an object of its own name. */
function waitingTogether(): Announcements {
  const announcements = new Announcements();
  for (const key of ['a', 'b']) {
    announcements.await(key, 'one', 0);
    announcements.waitSince(key, [`of ${key}`], 0);
  }
  return announcements;
}
const toldBy = (announcements: Announcements, key: string, said: Statement): string[] =>
  announcements.announce(key, said, now).map((told) => `${told.key}${told.isAtOtherCommit ? ' elsewhere' : ''}`);

test('Applications of a source that wait at one commit ask each other one once', () => {
  const announcements = waitingTogether();
  assert.deepEqual(announcements.askAll('a', 'source', { others: ['c', 'd'], nowMs: 0 }), ['c', 'd']);
  assert.deepEqual(announcements.askAll('b', 'source', { others: ['c', 'd', 'e'], nowMs: 1 }), ['e']);
  assert.deepEqual(announcements.askAll('b', 'another', { others: ['c'], nowMs: 2 }), ['c']);
  assert.deepEqual(announcements.askAll('a', 'source', { others: ['c'], nowMs: ASK_AGAIN_MS }), ['c']);
  assert.deepEqual(announcements.askAll('unknown', 'source', { others: ['c'], nowMs: 0 }), []);
});

test('all that wait together are told by the last answer, and one of them earlier by a wish for its object', () => {
  const announcements = waitingTogether();
  for (const key of ['a', 'b']) announcements.askAll(key, 'source', { others: ['c', 'd'], nowMs: 0 });
  assert.deepEqual(toldBy(announcements, 'c', statement('one', ['of b', 'x'])), ['b']);
  assert.deepEqual(toldBy(announcements, 'd', statement('one', [])), ['a', 'b']);
});

test('all that wait together are told of another commit', () => {
  const announcements = waitingTogether();
  for (const key of ['a', 'b']) announcements.askAll(key, 'source', { others: ['c', 'd'], nowMs: 0 });
  assert.deepEqual(toldBy(announcements, 'c', statement('two', [])), ['a elsewhere', 'b elsewhere']);
});

test('an Application that waits no longer, or at another commit, is not told by the others', () => {
  const announcements = waitingTogether();
  for (const key of ['a', 'b']) announcements.askAll(key, 'source', { others: ['c', 'd'], nowMs: 0 });
  announcements.await('a', 'two', 1);
  assert.deepEqual(toldBy(announcements, 'c', statement('one', ['of a', 'of b'])), ['b']);
  announcements.stopAwaiting('b');
  assert.deepEqual(toldBy(announcements, 'd', statement('one', [])), []);
  announcements.await('b', 'one', 2);
  assert.deepEqual(announcements.askAll('b', 'source', { others: ['c'], nowMs: 2 }), ['c']);
});

test('an Application is not told of its own announcement', () => {
  const announcements = waitingTogether();
  announcements.askAll('a', 'source', { others: ['b'], nowMs: 0 });
  announcements.askAll('b', 'source', { others: ['a'], nowMs: 0 });
  assert.deepEqual(toldBy(announcements, 'a', statement('one', [])), []);
  assert.deepEqual(toldBy(announcements, 'b', statement('one', [])), ['a']);
});
