import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ChangeResult, Outcome } from '../../../../src/apply/applied.ts';
import type { Change, ChangeType } from '../../../../src/diff/changes.ts';
import { idKey } from '../../../../src/object/identity.ts';
import { defaultBrake } from '../../../../src/plan/brake.ts';
import { brakeHeals, dropHeals, noteHeal } from '../../../../src/reconcile/decide/brake-heals.ts';
import { emptyHealsMemory, type HealsMemory } from '../../../../src/reconcile/decide/memory.ts';
import { changeOf, idOf, leftChange } from '../../../support/changes.ts';

const UPDATE = changeOf('update');
const KEY = idKey(UPDATE.id);
const NOTHING = { held: new Map(), contested: [], againInMs: Infinity };

/** Another manifest of the same object. */
const NEW_MANIFEST: Change = { ...UPDATE, desired: { ...UPDATE.desired!, digest: 'new' } };

function heal(heals: HealsMemory, nowMs: number, change = UPDATE, outcome: Outcome = 'configured'): boolean {
  return noteHeal(heals, { change, outcome }, { isAccepted: () => true, nowMs });
}

/** The memory after heals at the given times. */
function healedAt(...timesMs: readonly number[]): HealsMemory {
  const heals = emptyHealsMemory();
  for (const nowMs of timesMs) heal(heals, nowMs);
  return heals;
}

test('an object that was never healed is healed at once', () => {
  assert.deepEqual(brakeHeals(emptyHealsMemory(), [UPDATE], 0), NOTHING);
  assert.deepEqual(brakeHeals(healedAt(0), [changeOf('update', { id: idOf('other') })], 0), NOTHING);
});

test('the next heal waits for the pause, and the object is reported as contested meanwhile', () => {
  const heals = healedAt(0, 2_000);
  assert.deepEqual(brakeHeals(heals, [UPDATE], 2_500), {
    held: new Map([[KEY, 'contested: another writer; it is healed again 6 s after the last time']]),
    contested: [{ id: UPDATE.id, message: 'healed 2 times against another writer' }],
    againInMs: 5_500,
  });
  assert.deepEqual(brakeHeals(heals, [UPDATE], 8_000).held, new Map());
});

test('already the first pause holds the next heal, and the object counts as contested while it does', () => {
  const { held, contested, againInMs } = brakeHeals(healedAt(1_000), [UPDATE], 1_500);
  assert.match(held.get(KEY) ?? '', /again 2 s after the last time$/);
  assert.deepEqual(contested, [{ id: UPDATE.id, message: 'healed once against another writer' }]);
  assert.equal(againInMs, 1_500);
});

test('each further pause is longer, and the reason stays the same while it lasts', () => {
  const heals = healedAt(0, 2_000);
  const early = brakeHeals(heals, [UPDATE], 2_001);
  assert.equal(early.againInMs, 5_999);
  assert.match(early.held.get(KEY) ?? '', /again 6 s after the last time$/);
  assert.deepEqual(brakeHeals(heals, [UPDATE], 7_000).held, early.held);
});

test('one heal by itself is not contested, and a second one stays so after the pause', () => {
  const none = changeOf('none');
  assert.deepEqual(brakeHeals(healedAt(0), [none], 1_000).contested, []);
  assert.equal(brakeHeals(healedAt(0, 2_000), [none], 100_000).contested.length, 1);
});

test('an object that needs no heal is not held, and its record ends after the quiet time', () => {
  const heals = healedAt(0);
  assert.deepEqual(brakeHeals(heals, [changeOf('none')], 10), {
    held: new Map(),
    contested: [],
    againInMs: defaultBrake.quietMs - 10,
  });
  assert.deepEqual(brakeHeals(heals, [changeOf('none')], defaultBrake.quietMs), NOTHING);
  assert.equal(heals.records.size, 0);
});

test('a new manifest is applied at once, and heals of the old one stay braked while it waits', () => {
  const heals = healedAt(0, 2_000);
  assert.deepEqual(brakeHeals(heals, [NEW_MANIFEST], 2_001), NOTHING);
  assert.equal(brakeHeals(heals, [UPDATE], 2_001).held.size, 1);
  assert.deepEqual(brakeHeals(heals, [NEW_MANIFEST], 2_000 + defaultBrake.quietMs), NOTHING);
  assert.equal(heals.records.size, 0);
});

test('an object that left Git is not held', () => {
  assert.deepEqual(brakeHeals(healedAt(0), [leftChange('prune')], 1), NOTHING);
});

test('the next pass is due for the object whose pause ends first', () => {
  const heals = healedAt(0, 2_000);
  const other = changeOf('update', { id: idOf('other') });
  heal(heals, 1_000, other);
  assert.equal(brakeHeals(heals, [UPDATE, other], 2_500).againInMs, 500);
});

const TYPES: readonly (readonly [ChangeType, boolean])[] = [
  ['update', true],
  ['unsure', true],
  ['create', true],
  ['adopt', true],
  ['none', false],
];
for (const [type, isHeld] of TYPES) {
  test(`a change of type ${type} ${isHeld ? 'is a heal' : 'is not a heal'}`, () => {
    assert.equal(brakeHeals(healedAt(0), [changeOf(type)], 1).held.has(KEY), isHeld);
    const heals = emptyHealsMemory();
    heal(heals, 0, changeOf(type));
    assert.equal(heals.records.has(KEY), isHeld);
  });
}

const RESULTS: readonly (readonly [string, ChangeResult, boolean])[] = [
  ['an update that changed the object', { change: UPDATE, outcome: 'configured' }, true],
  ['a creation', { change: changeOf('create'), outcome: 'created' }, true],
  ['an update that changed nothing', { change: UPDATE, outcome: 'unchanged' }, false],
  ['an update that failed', { change: UPDATE, outcome: 'failed' }, false],
  ['an adoption', { change: changeOf('create'), outcome: 'adopted' }, true],
  ['a prune', { change: leftChange('prune'), outcome: 'configured' }, false],
];
for (const [what, result, isHeal] of RESULTS) {
  test(`${what} ${isHeal ? 'counts' : 'does not count'} as a heal`, () => {
    const heals = emptyHealsMemory();
    assert.equal(noteHeal(heals, result, { isAccepted: () => true, nowMs: 0 }), false, 'it is contested already');
    assert.equal(heals.records.size, isHeal ? 1 : 0);
  });
}

test('the first apply of a manifest is not a heal', () => {
  const heals = emptyHealsMemory();
  const isAccepted = (id: Change['id'], digest: string): boolean => idKey(id) !== KEY || digest !== 'digest';
  assert.equal(noteHeal(heals, { change: UPDATE, outcome: 'configured' }, { isAccepted, nowMs: 0 }), false);
  assert.equal(heals.records.size, 0);
});

test('an object becomes contested with its second heal, and only then', () => {
  const heals = emptyHealsMemory();
  assert.deepEqual(
    [0, 2_000, 8_000].map((nowMs) => heal(heals, nowMs)),
    [false, true, false],
  );
});

const WRITERS: readonly (readonly [Change, string])[] = [
  [
    { ...UPDATE, fields: [{ path: '/data/color', manager: 'kubectl-edit', live: 'blue' }] },
    'kubectl-edit at /data/color',
  ],
  [{ ...UPDATE, fields: [{ path: '/data/color', live: 'blue' }] }, 'another writer at /data/color'],
  [UPDATE, 'another writer'],
  [changeOf('create'), 'another writer that deletes it'],
];
for (const [change, expected] of WRITERS) {
  test(`the other side of a ${change.type} is told as '${expected}'`, () => {
    const heals = emptyHealsMemory();
    heal(heals, 0, change);
    assert.equal(heals.records.get(KEY)?.other, expected);
  });
}

test('the heals of an object that is gone are forgotten', () => {
  const heals = healedAt(0);
  dropHeals(heals, idOf('other'));
  assert.equal(heals.records.size, 1);
  dropHeals(heals, UPDATE.id);
  assert.equal(heals.records.size, 0);
});

test('with any gaps between passes a heal is held until the time that was told, and not longer', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 400_000 }), { maxLength: 30, size: 'max' }), (gapsMs) => {
      const heals = emptyHealsMemory();
      let nowMs = 0;
      heal(heals, nowMs);
      for (const gapMs of gapsMs) {
        nowMs += gapMs;
        const { held, againInMs } = brakeHeals(heals, [UPDATE], nowMs);
        assert.ok(againInMs > 0);
        if (held.size > 0) {
          const { records } = heals;
          assert.equal(brakeHeals({ records: new Map(records) }, [UPDATE], nowMs + againInMs - 1).held.size, 1);
          assert.equal(brakeHeals({ records: new Map(records) }, [UPDATE], nowMs + againInMs).held.size, 0);
        } else heal(heals, nowMs);
      }
    }),
  );
});
