/** Every fight over an object has a brake, whatever the other writer does to it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../../../src/apply/applied.ts';
import type { ChangeType } from '../../../../src/diff/changes.ts';
import { idKey } from '../../../../src/object/identity.ts';
import { brakeHeals, noteHeal } from '../../../../src/reconcile/decide/brake-heals.ts';
import { emptyHealsMemory } from '../../../../src/reconcile/decide/memory.ts';
import { changeOf } from '../../../support/changes.ts';

/** One turn of a fight: the changes that the agent makes of the object, with their outcomes, in order. */
type Step = readonly [ChangeType, Outcome];
type Turn = readonly [Step, ...Step[]];

const FIGHTS: Readonly<Record<string, Turn>> = {
  'a field is changed': [['update', 'configured']],
  'the difference is only known to the server': [['unsure', 'configured']],
  'the object is deleted': [['create', 'created']],
  'the object is replaced without the owner marks': [['adopt', 'adopted']],
  'an immutable field is changed, and the object is recreated': [
    ['update', 'recreating'],
    ['create', 'created'],
  ],
};

for (const [fight, turn] of Object.entries(FIGHTS)) {
  test(`when ${fight} again and again, heals slow down and the object is contested`, () => {
    const heals = emptyHealsMemory();
    const options = { isAccepted: () => true };
    const endMs = 10 * 60_000;
    let turns = 0;
    let isContested = false;
    for (let nowMs = 0; nowMs < endMs; nowMs += 100) {
      const [[first]] = turn;
      const { held, contested } = brakeHeals(heals, [changeOf(first)], nowMs);
      isContested ||= contested.length > 0;
      if (held.size > 0) continue;
      turns++;
      for (const [type, outcome] of turn) {
        const change = changeOf(type);
        if (type !== first) {
          assert.equal(
            brakeHeals(heals, [change], nowMs).held.has(idKey(change.id)),
            false,
            'the creation is not held',
          );
        }
        noteHeal(heals, { change, outcome }, { ...options, nowMs });
      }
    }
    assert.ok(isContested);
    assert.ok(turns >= 2 && turns <= 8, `${turns} turns in ten minutes`);
  });
}

test('the first adoption, and a manifest that the server has not accepted before, do not count as heals', () => {
  const heals = emptyHealsMemory();
  noteHeal(heals, { change: changeOf('adopt'), outcome: 'adopted' }, { isAccepted: () => false, nowMs: 0 });
  assert.equal(heals.records.size, 0);
});
