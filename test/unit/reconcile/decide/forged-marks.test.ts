/** Marks of another Application on an object that this one has written, by its own memory or by the status. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeInventory } from '../../../../src/application/inventory.ts';
import { ownerOf } from '../../../../src/object/applyset.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import type { ValueMap } from '../../../../src/object/value.ts';
import { createForgeryJudge } from '../../../../src/reconcile/decide/forged-marks.ts';
import { noteWritten } from '../../../../src/reconcile/decide/inventory.ts';
import { createNeighbourhood } from '../../../support/applications.ts';
import { idOf } from '../../../support/changes.ts';

const A = idOf('a');
const marksOf = (name: string, hubId = 'hub'): string => ownerOf({ hubId, namespace: 'apps', name }).ownerAnnotation;

type Other = 'holding' | 'not holding' | 'unreadable' | 'that wrote it' | 'unknown';
type Proof = 'written' | 'recalled' | 'none';

function judge(proof: Proof, other: Other, annotation = marksOf('other')): boolean {
  const { add, neighbours } = createNeighbourhood();
  const inventoryOf = (...ids: readonly ObjectId[]): ValueMap => encodeInventory(ids) as ValueMap;
  const inventory = other === 'unreadable' ? 'damaged' : inventoryOf(...(other === 'not holding' ? [idOf('b')] : [A]));
  const record = other === 'unknown' ? undefined : add({ name: 'other', status: { inventory } });
  if (other === 'that wrote it' && record) noteWritten(record.memory.inventory, A);
  const proofOf = (name: Proof): Set<string> => new Set(proof === name ? [idKey(A)] : []);
  const memory = { inventory: { written: proofOf('written'), recalled: proofOf('recalled') } };
  return createForgeryJudge({ context: { hub: { hubId: 'hub' }, neighbours }, memory })(A, annotation);
}

const CASES: readonly (readonly [Other, Readonly<Record<Proof, boolean>>])[] = [
  ['holding', { written: true, recalled: false, none: false }],
  ['not holding', { written: true, recalled: true, none: false }],
  ['unreadable', { written: true, recalled: false, none: false }],
  ['that wrote it', { written: false, recalled: false, none: false }],
  ['unknown', { written: true, recalled: true, none: false }],
];
for (const [other, expected] of CASES) {
  test(`marks of an Application ${other} are judged by the proof`, () => {
    for (const proof of ['written', 'recalled', 'none'] as const) {
      assert.equal(judge(proof, other), expected[proof], proof);
    }
  });
}

test('marks of another cluster and marks that cannot be read are forged on an object that was written', () => {
  for (const annotation of [marksOf('other', 'elsewhere'), 'nonsense']) {
    assert.equal(judge('recalled', 'holding', annotation), true);
    assert.equal(judge('none', 'holding', annotation), false);
  }
});
