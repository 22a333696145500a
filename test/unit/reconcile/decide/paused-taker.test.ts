/**
 * An object that moves from `apps/shop` to another Application, `apps/other`, that is paused or broken: it keeps an
 * Application that deletes it when it leaves Git.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../../../../src/diff/changes.ts';
import { OWNER_ANNOTATION } from '../../../../src/object/applyset.ts';
import { idKey } from '../../../../src/object/identity.ts';
import type { ValueMap } from '../../../../src/object/value.ts';
import { hasGivenUp } from '../../../../src/reconcile/decide/claim-objects.ts';
import { foreseeHandOver, handOver, type HandOverQuestion } from '../../../../src/reconcile/decide/hand-over.ts';
import { Claims } from '../../../../src/reconcile/neighbours/claims.ts';
import { createNeighbourhood, statementOf, storedOf } from '../../../support/applications.ts';
import { createClock } from '../../../support/clock.ts';
import { idOf } from '../../../support/changes.ts';

const ID = idOf('o0');
const LEFT: Change = { type: 'prune', id: ID, kind: undefined, fields: [] };
const WAIT_MS = 60_000;
const COMMITS = ['1', '2', '3'].map((digit) => digit.repeat(40));

/** It has applied another object. */
const HOLDING: ValueMap = { inventory: { objects: { '/ConfigMap': { pool: 'base' } } } };
const HELD: ValueMap = {
  ...HOLDING,
  hold: {
    revision: 'main@sha1:0',
    over: { revision: 'main@sha1:1' },
    reason: 'Requested',
    since: '2026-03-01T10:00:00Z',
  },
};

interface Parties {
  readonly spec?: ValueMap;
  readonly status?: ValueMap;
  /** Spec of the Application that loses the object. */
  readonly giver?: ValueMap;
}

/** Both Applications at the first commit; each `at` reads one of `COMMITS`. */
function scene({ spec = {}, status = HOLDING, giver = {} }: Parties) {
  const clock = createClock(100_000);
  const { add, neighbours, registry } = createNeighbourhood(clock);
  add({ spec: giver });
  const other = add({ name: 'other', spec, status });
  let generation = 1;
  const at = (index: number, desired: boolean, isComplete = true): HandOverQuestion => {
    const commit = COMMITS[index] ?? '';
    const poll = { begunMs: clock.nowMs, endedMs: clock.nowMs };
    neighbours.announce('apps/shop', statementOf([], { commit, poll }), false);
    neighbours.announce(
      'apps/other',
      statementOf(desired ? [ID] : [], { commit, poll, isComplete, generation }),
      false,
    );
    return {
      key: 'apps/shop',
      state: { commit, readByMs: clock.nowMs },
      changes: [LEFT],
      isActing: true,
      isPinned: false,
      nowMs: clock.nowMs,
      handOverWaitMs: WAIT_MS,
      neighbours,
      ownerOf: () => undefined,
      readForSuspended: () => Promise.resolve(),
      reviewStanding: () => Promise.resolve(() => true),
      reviewSay: () => Promise.resolve(() => true),
    };
  };
  const edit = (next: ValueMap): void => {
    other.stored = storedOf({ name: 'other', spec: next, status, metadata: { generation: ++generation } });
    registry.note(other);
  };
  /** Whether the taker may take the object while it carries the marks of the giver. */
  const mayTake = (): boolean => {
    const claimant = { key: 'apps/other', clusterId: 'c', isReporting: false, isActing: true };
    const settings = { defaultServiceAccount: undefined };
    return hasGivenUp({ ...claimant, claims: new Claims(), neighbours, settings }, 'apps/shop', ID);
  };
  return { at, edit, clock, mayTake };
}

async function fateOf(question: HandOverQuestion) {
  const { changes, waits, againInMs } = await handOver(question);
  const [change] = changes;
  return { type: change?.type, reason: change?.reason, wait: waits.get(idKey(ID)), againInMs };
}

const KEPT = 'it is kept until Application apps/other, which is paused, takes it over';

const PAUSED: Readonly<Record<string, Parties>> = {
  'that is suspended': { spec: { suspend: true } },
  'in mode manual': { spec: { sync: { mode: 'manual' } } },
  'in mode detect': { spec: { sync: { mode: 'detect' } } },
  'that a rollback keeps at another commit': { status: HELD },
  'that is suspended, with a large inventory,': { spec: { suspend: true }, status: { inventory: { gzip: 'H4sI' } } },
  'that is suspended, and holds no object,': { spec: { suspend: true }, status: { inventory: { objects: {} } } },
  'in mode manual that holds no object': { spec: { sync: { mode: 'manual' } }, status: {} },
  'that is suspended, of a giver in mode manual,': { spec: { suspend: true }, giver: { sync: { mode: 'manual' } } },
  'in mode manual that depends on the giver': {
    spec: { sync: { mode: 'manual' }, dependsOn: [{ name: 'shop', namespace: 'apps' }] },
  },
};

for (const [how, parties] of Object.entries(PAUSED)) {
  test(`an object that moves to an Application ${how} is kept by the giver, and pruned when it leaves Git`, async () => {
    const { at, clock } = scene(parties);
    const moved = await fateOf(at(0, true));
    assert.deepEqual(moved, { type: 'none', reason: KEPT, wait: undefined, againInMs: 30_000 });
    clock.nowMs += 10 * WAIT_MS;
    assert.equal((await fateOf(at(1, true))).type, 'none', 'however long the pause is');
    const gone = await fateOf(at(2, false));
    assert.deepEqual([gone.type, gone.wait], ['prune', undefined]);
  });

  test(`a dry run shows that an object is kept for an Application ${how}`, async () => {
    const { at } = scene(parties);
    const [change] = await foreseeHandOver(at(0, true));
    assert.deepEqual([change?.type, change?.reason, change?.isLeftToOther], ['none', KEPT, true]);
  });
}

test('an Application that goes on after a long pause gets the whole time to take the object', async () => {
  const { at, edit, clock } = scene({ spec: { suspend: true } });
  await handOver(at(0, true));
  clock.nowMs += 10 * WAIT_MS;
  await handOver(at(0, true));
  edit({});
  const resumed = await fateOf(at(0, true));
  assert.deepEqual([resumed.type, resumed.wait], ['prune', 'Application apps/other takes it over']);
  clock.nowMs += WAIT_MS - 1;
  assert.notEqual((await fateOf(at(0, true))).wait, undefined);
});

test('an object that an Application took before it was suspended is not deleted by the giver', async () => {
  const { at, edit } = scene({});
  assert.equal((await fateOf(at(0, true))).wait, 'Application apps/other takes it over');
  edit({ suspend: true });
  const annotations = { [OWNER_ANNOTATION]: 'c/apps/other' };
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'o0', annotations } };
  const taken = { ...LEFT, type: 'release', live: { body } } as unknown as Change;
  for (const desired of [true, false]) {
    const { changes } = await handOver({ ...at(1, desired), changes: [taken] });
    assert.equal(changes[0]?.type, 'release');
    assert.equal(changes[0].reason, 'Application apps/other has taken it over');
  }
});

test('an object that a broken Application desired is kept, and pruned once that one reads that it left Git', async () => {
  const { at } = scene({});
  assert.equal((await fateOf(at(0, true))).wait, 'Application apps/other takes it over');
  assert.match(
    String((await fateOf(at(1, false, false))).wait),
    /^it is kept: Application apps\/other desired it before/,
  );
  const gone = await fateOf(at(2, false));
  assert.deepEqual([gone.type, gone.wait], ['prune', undefined]);
});

test('an object that a paused Application desires is kept by the sync of a commit that a request names', async () => {
  const question = scene({ spec: { suspend: true } }).at(0, true);
  assert.equal((await fateOf({ ...question, isPinned: true })).type, 'none');
});

const LATE: Readonly<Record<string, Parties>> = {
  'acts, and has not taken it in time': {},
  'acts, and waits for the giver': { spec: { dependsOn: [{ name: 'shop', namespace: 'apps' }] } },
};

for (const [how, parties] of Object.entries(LATE)) {
  test(`an object whose taker ${how} is kept, may be taken at any time, and is pruned when it leaves Git`, async () => {
    const { at, clock, mayTake } = scene(parties);
    await handOver(at(0, true));
    clock.nowMs += WAIT_MS;
    const { type, reason, wait, againInMs } = await fateOf(at(0, true));
    assert.deepEqual([type, wait, againInMs], ['none', undefined, 30_000]);
    assert.equal(reason, 'it is kept until Application apps/other takes it over');
    assert.equal(mayTake(), true);
    const gone = await fateOf(at(2, false));
    assert.deepEqual([gone.type, gone.wait], ['prune', undefined]);
  });
}

test('an object is taken from an Application in mode manual that does not desire it, and from no other that rests', () => {
  for (const [giver, isTaken] of [
    [{ sync: { mode: 'manual' } }, true],
    [{ sync: { mode: 'detect' } }, false],
    [{ suspend: true }, false],
  ] as const) {
    const { at, mayTake } = scene({ giver });
    at(0, true);
    assert.equal(mayTake(), isTaken, JSON.stringify(giver));
  }
});

test('an object that moves is released for an Application in mode detect that holds no object', async () => {
  const { at } = scene({ spec: { sync: { mode: 'detect' } }, status: {} });
  assert.equal((await fateOf(at(0, true))).type, 'release');
});

test('the sync of a commit that a request names releases an object that is not taken in time', async () => {
  const { at, clock } = scene({});
  await handOver({ ...at(0, true), isPinned: true });
  clock.nowMs += WAIT_MS;
  assert.equal((await fateOf({ ...at(0, true), isPinned: true })).type, 'release');
});
