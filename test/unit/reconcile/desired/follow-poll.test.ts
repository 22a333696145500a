/** Which answers of polls are followed: forward at once, back only when polls agree. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { doubtWaitMs, followPoll, type PlacedCommit } from '../../../../src/reconcile/desired/follow-poll.ts';
import { NOTHING_FOLLOWED, type Following } from '../../../../src/reconcile/desired/memory.ts';

interface Followed {
  readonly following: Following;
  readonly followed: PlacedCommit | undefined;
}

const START: Followed = { following: NOTHING_FOLLOWED, followed: undefined };

function poll({ following, followed }: Followed, polled: PlacedCommit): Followed {
  const next = followPoll({ following, followed, polled });
  return { following: next.following, followed: next.isFollowed ? polled : followed };
}

/** The commits that are followed after each of the polls. */
function follow(commits: readonly PlacedCommit[], from: Followed = START): (string | undefined)[] {
  let state = from;
  return commits.map((commit) => {
    state = poll(state, commit);
    return state.followed?.commit;
  });
}

/** Commits of one branch, each the child of the one before, a second apart. */
function branchOf(names: readonly string[]): PlacedCommit[] {
  return names.map((commit, index) => ({
    commit,
    lineage: { parents: names.slice(Math.max(0, index - 1), index), committedS: 1_000 + index },
  }));
}

const [A, B, C] = branchOf(['a', 'b', 'c']) as [PlacedCommit, PlacedCommit, PlacedCommit];

test('a newer commit is followed at once', () => {
  assert.deepEqual(follow([A, B, C]), ['a', 'b', 'c']);
});

test('a commit that was followed before is followed again once two polls in a row answer it', () => {
  assert.deepEqual(follow([A, B, A, A]), ['a', 'b', 'b', 'a']);
});

test('a commit that was not seen before is older if it is a parent, or if its committer wrote an earlier time', () => {
  assert.deepEqual(follow([C, B, B]), ['c', 'c', 'b']);
  assert.deepEqual(follow([C, A, A]), ['c', 'c', 'a']);
});

test('a child is newer than its parent, whatever times the committers wrote', () => {
  const child = { commit: 'x', lineage: { parents: ['a', 'c'], committedS: 1 } };
  assert.deepEqual(follow([C, child]), ['c', 'x']);
});

test('a commit without a readable time is newer, unless it was seen before', () => {
  const timeless = { commit: 'x', lineage: { parents: [], committedS: undefined } };
  assert.deepEqual(follow([C, timeless, A, { commit: 'y' }]), ['c', 'x', 'a', 'y']);
});

test('a server whose answers alternate has to agree more often, and its answers are asked for less often', () => {
  const state = [A, B, A, B, A, B].reduce(poll, START);
  assert.equal(state.followed?.commit, 'b');
  assert.equal(state.following.refuted, 2);
  assert.ok(doubtWaitMs(state.following) > doubtWaitMs(NOTHING_FOLLOWED));
  assert.deepEqual(follow([A, A, A, A], state), ['b', 'b', 'b', 'a']);
});

test('a replica that still has the commit before a forced push does not bring it back', () => {
  assert.deepEqual(follow([A, B, A, A, B, A, B, A]), ['a', 'b', 'b', 'a', 'a', 'a', 'a', 'a']);
});

test('a commit on top of the one that a forced push went back to is followed at once', () => {
  const next = { commit: 'x', lineage: { parents: ['a'], committedS: 2_000 } };
  assert.deepEqual(follow([A, B, A, next]), ['a', 'b', 'b', 'x']);
});

/** A branch of commits, and polls that each answer one of them. */
const branchAndPolls = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.array(fc.nat(11), { minLength: 1, maxLength: 60, size: 'max' }))
  .map(([length, picks]) => {
    const branch = branchOf(Array.from({ length }, (_, index) => `commit-${index}`));
    return { branch, polls: picks.map((pick) => branch[pick % length] as PlacedCommit) };
  });

test('the followed commit goes back only after two equal polls in a row, for any sequence of answers', () => {
  fc.assert(
    fc.property(branchAndPolls, ({ branch, polls }) => {
      let state = START;
      for (const [index, polled] of polls.entries()) {
        const before = state.followed;
        state = poll(state, polled);
        if (!before || !state.followed || before.commit === state.followed.commit) continue;
        const isBack = branch.indexOf(state.followed) < branch.indexOf(before);
        if (isBack) assert.equal(polls[index - 1]?.commit, polled.commit);
      }
    }),
    { numRuns: 1000 },
  );
});

test('two replicas, one of which lags by any number of commits and then alternates, never bring an older commit', () => {
  const scene = fc.record({
    length: fc.integer({ min: 2, max: 10 }),
    // How far the second replica lags behind at each poll that it answers; the first answers every other poll.
    lags: fc.array(fc.nat(9), { minLength: 1, maxLength: 40, size: 'max' }),
  });
  fc.assert(
    fc.property(scene, ({ length, lags }) => {
      const branch = branchOf(Array.from({ length }, (_, index) => `commit-${index}`));
      let state = START;
      let newest = 0;
      for (const lag of lags) {
        newest = Math.min(length - 1, newest + 1);
        state = poll(state, branch[newest] as PlacedCommit);
        assert.equal(state.followed?.commit, `commit-${newest}`);
        state = poll(state, branch[Math.max(0, newest - lag)] as PlacedCommit);
        assert.equal(state.followed?.commit, `commit-${newest}`);
      }
    }),
    { numRuns: 1000 },
  );
});

test('a commit that a server goes on to answer is followed after five polls, for any answers before', () => {
  fc.assert(
    fc.property(branchAndPolls, fc.nat(11), ({ branch, polls }, pick) => {
      const last = branch[pick % branch.length] as PlacedCommit;
      const all = follow([...polls, ...Array.from({ length: 5 }, () => last)]);
      assert.equal(all.at(-1), last.commit);
    }),
    { numRuns: 1000 },
  );
});

test('the commits that are remembered are bounded', () => {
  const state = branchOf(Array.from({ length: 500 }, (_, index) => `commit-${index}`)).reduce(poll, START);
  assert.ok(state.following.seen.length <= 100);
});
