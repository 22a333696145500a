import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeInventory } from '../../../../src/application/inventory.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import { StageError } from '../../../../src/object/stage-error.ts';
import { finish, type Steps } from '../../../../src/object/steps.ts';
import type { Value } from '../../../../src/object/value.ts';
import {
  addToInventory,
  completeInventory,
  encodeAhead,
  encodeFor,
  forgetInventory,
  forgetWritten,
  keysOfStored,
  leftoverOf,
  noteLost,
  noteSeen,
  noteWritten,
  readInventory,
  removeFromInventory,
  replaceInventory,
  writtenOf,
  type StoredInventory,
} from '../../../../src/reconcile/decide/inventory.ts';
import { emptyInventoryMemory } from '../../../../src/reconcile/decide/memory.ts';
import { applicationOf, inventoryOf } from '../../../support/applications.ts';
import {
  changeOf,
  desiredOf,
  idOf,
  leftChange,
  liveOf,
  marksOf,
  OTHER_OWNER,
  OWNER,
} from '../../../support/changes.ts';

const A = idOf('a');
const B = idOf('b');
const C = idOf('c');

function storing(inventory: Value | undefined): StoredInventory {
  return applicationOf({ status: inventory === undefined ? {} : { inventory } });
}

const storingIds = (...ids: readonly ObjectId[]): StoredInventory => storing(encodeInventory(ids) as Value);

test('the inventory is read from the status once, and then kept in memory', () => {
  const memory = emptyInventoryMemory();
  const ids = readInventory(memory, storingIds(A));
  assert.deepEqual(ids, inventoryOf(A));
  addToInventory(ids, [B]);
  assert.equal(readInventory(memory, storingIds(A)), ids);
  assert.deepEqual(ids, inventoryOf(A, B));
});

test('an Application that has stored no inventory has applied nothing', () => {
  assert.deepEqual(readInventory(emptyInventoryMemory(), storing(undefined)), new Map());
});

test('an inventory that another writer has changed is merged, and no id is concluded to be gone', () => {
  const memory = emptyInventoryMemory();
  readInventory(memory, storingIds(A, B));
  assert.deepEqual(readInventory(memory, storingIds(B, C)), inventoryOf(A, B, C));
});

test('an inventory that cannot be read stops the pass, and the memory stays empty', () => {
  const memory = emptyInventoryMemory();
  assert.throws(
    () => readInventory(memory, storing({ objects: 'damaged' })),
    (error) =>
      error instanceof StageError &&
      error.code === 'InventoryUnreadable' &&
      error.stage === 'status' &&
      error.retry === 'never',
  );
  assert.deepEqual(memory, emptyInventoryMemory());
});

test('the inventory in memory counts where the stored one was damaged later', () => {
  const memory = emptyInventoryMemory();
  const ids = readInventory(memory, storingIds(A));
  assert.equal(readInventory(memory, storing('damaged')), ids);
  assert.deepEqual(ids, inventoryOf(A));
});

test('a forgotten inventory is read again from the status', () => {
  const memory = emptyInventoryMemory();
  addToInventory(readInventory(memory, storingIds(A)), [B]);
  forgetInventory(memory);
  assert.deepEqual(readInventory(memory, storingIds(A)), inventoryOf(A));
});

test('an id that was removed stays away as long as the stored inventory is the same', () => {
  const memory = emptyInventoryMemory();
  removeFromInventory(readInventory(memory, storingIds(A, B)), [idKey(B)]);
  assert.deepEqual(readInventory(memory, storingIds(A, B)), inventoryOf(A));
});

test('the inventory of a deleted Application is replaced by the objects that are left', () => {
  const memory = emptyInventoryMemory();
  readInventory(memory, storingIds(A, B));
  replaceInventory(memory, [B]);
  assert.deepEqual(memory.ids, inventoryOf(B));
});

test('no id leaves the inventory, for any status that is stored between passes', () => {
  const anyIds = fc.subarray([A, B, C, idOf('d')]);
  const anyStored = fc.oneof(anyIds, fc.constant('damaged' as const));
  fc.assert(
    fc.property(anyIds, fc.array(anyStored, { maxLength: 12, size: 'max' }), (first, later) => {
      const memory = emptyInventoryMemory();
      const expected = new Set(first.map(idKey));
      readInventory(memory, storingIds(...first));
      for (const stored of later) {
        if (stored !== 'damaged') for (const id of stored) expected.add(idKey(id));
        const ids = readInventory(memory, stored === 'damaged' ? storing(stored) : storingIds(...stored));
        assert.deepEqual([...ids.keys()].sort(), [...expected].sort());
      }
    }),
  );
});

const isCompleted = (more: Parameters<typeof changeOf>[1], type: Parameters<typeof changeOf>[0] = 'none'): boolean => {
  const inventory = inventoryOf();
  finish(completeInventory({ inventory, changes: [changeOf(type, { id: A, ...more })], owner: OWNER }));
  return inventory.has(idKey(A));
};

test('an object with both marks that is as desired enters an inventory that was lost', () => {
  assert.equal(isCompleted({ live: liveOf({ id: A }) }), true);
  assert.equal(isCompleted({}), false, 'it does not exist');
  assert.equal(isCompleted({ live: liveOf({ id: A }) }, 'update'), false, 'it is applied first');
  assert.equal(isCompleted({ live: liveOf({ id: A, metadata: marksOf(OTHER_OWNER) }) }), false, 'another owner');
  const half = { ...marksOf(OWNER), annotations: {} };
  assert.equal(isCompleted({ live: liveOf({ id: A, metadata: half }) }), false, 'one mark is missing');
});

test('completing the inventory leaves the ids that it holds as they are', () => {
  const inventory = inventoryOf(A, B);
  finish(
    completeInventory({ inventory, changes: [changeOf('none', { id: A, live: liveOf({ id: A }) })], owner: OWNER }),
  );
  finish(completeInventory({ inventory, changes: [leftChange('prune', B)], owner: OWNER }));
  assert.deepEqual(inventory, inventoryOf(A, B));
});

test('leftovers are the objects of the inventory that are not desired', () => {
  assert.deepEqual(leftoverOf([desiredOf({ id: A }), desiredOf({ id: C })], inventoryOf(A, B)), [B]);
  assert.deepEqual(leftoverOf([], inventoryOf(A, B)), [A, B]);
  assert.deepEqual(leftoverOf([desiredOf({ id: A })], inventoryOf(A)), []);
});

const longIds = (count: number): ObjectId[] =>
  Array.from({ length: count }, (_, at) => idOf(`${'n'.repeat(200)}-${at}`));

test('the form of a large inventory is made once for each set of ids, and equals that of the set', async () => {
  const memory = emptyInventoryMemory();
  const ids = longIds(1_000);
  memory.ids = new Map(ids.map((id) => [idKey(id), id]));
  await encodeAhead(memory);
  const { encoded } = memory;
  assert.deepEqual(encoded?.value, encodeInventory(ids));
  assert.equal(encodeFor(memory, ids.toReversed()), encoded?.value);
  assert.deepEqual(keysOfStored(memory, encoded?.value as Value), new Set(ids.map(idKey)));
  await encodeAhead(memory);
  assert.equal(memory.encoded, encoded);
});

test('an inventory that changes after its form was made is stored as it is now', async () => {
  const memory = emptyInventoryMemory();
  const ids = longIds(1_000);
  memory.ids = new Map(ids.map((id) => [idKey(id), id]));
  const isMade = encodeAhead(memory);
  memory.ids.delete(idKey(ids[0] ?? A));
  await isMade;
  assert.deepEqual(encodeFor(memory, [...memory.ids.values()]), encodeInventory(ids.slice(1)));
  assert.deepEqual(keysOfStored(memory, encodeInventory(ids) as Value), new Set(ids.map(idKey)));
});

test('an object counts as written once it was seen or accepted with our marks, until something else is seen', () => {
  const memory = emptyInventoryMemory();
  const isWritten = (): boolean => memory.written.has(idKey(A));
  const see = (...changes: Parameters<typeof noteSeen>[1]): boolean => {
    finish(noteSeen(memory, changes, OWNER));
    return isWritten();
  };
  const theirs = liveOf({ id: A, metadata: marksOf(OTHER_OWNER) });
  const stripped = liveOf({ id: A, metadata: { labels: {} } });
  assert.equal(see(changeOf('update', { id: A, live: stripped })), false, 'marks that were never complete');
  assert.equal(see(changeOf('none', { id: A, live: liveOf({ id: A }) })), true);
  assert.equal(see(changeOf('update', { id: A, live: stripped })), true, 'marks that are being healed');
  assert.equal(see(changeOf('update', { id: A, live: theirs })), true, 'forged marks that are being healed');
  assert.equal(see(changeOf('unknown', { id: A })), true);
  assert.equal(see(changeOf('conflict', { id: A, live: theirs })), false);
  noteWritten(memory, A);
  assert.equal(see(changeOf('create', { id: A })), false, 'it is gone');
  noteWritten(memory, A);
  assert.equal(see(), false, 'it is neither desired nor in the inventory');
  noteWritten(memory, A);
  noteLost(memory, A);
  assert.equal(isWritten(), false);
  noteWritten(memory, A);
  forgetWritten(memory);
  assert.equal(isWritten(), false);
});

const UID = 'uid-shop';
const storedBy = (memory: ReturnType<typeof emptyInventoryMemory>): StoredInventory => {
  const written = writtenOf(memory, UID);
  return storing({ ...encodeInventory([...(memory.ids?.values() ?? [])]), ...(written && { written }) } as Value);
};
/** The memory of a process that starts after one that had written A and not B. */
function restarted(uid = UID) {
  const before = emptyInventoryMemory();
  addToInventory(readInventory(before, storing(undefined)), [A, B]);
  noteWritten(before, A);
  const memory = emptyInventoryMemory();
  readInventory(memory, { ...storedBy(before), metadata: { uid } });
  return memory;
}

test('the objects that were written are recalled from the status after a restart, for the same Application alone', () => {
  assert.deepEqual([...restarted().recalled], [idKey(A)]);
  assert.deepEqual([...restarted().written], []);
  assert.deepEqual([...restarted('uid-later').recalled], []);
});

test('a recalled proof lasts while marks are healed or nothing is seen, and is stored again', () => {
  const memory = restarted();
  const theirs = liveOf({ id: A, metadata: marksOf(OTHER_OWNER) });
  for (const change of [changeOf('update', { id: A, live: theirs }), changeOf('unknown', { id: A })]) {
    finish(noteSeen(memory, [change, changeOf('create', { id: B })], OWNER));
    assert.deepEqual([...memory.recalled], [idKey(A)]);
    assert.deepEqual(writtenOf(memory, UID), { uid: UID, except: [idKey(B)] });
  }
});

test('a recalled proof ends when the object is seen, lost or gone, or when nothing is looked at', () => {
  const theirs = liveOf({ id: A, metadata: marksOf(OTHER_OWNER) });
  for (const change of [
    changeOf('none', { id: A, live: liveOf({ id: A }) }),
    changeOf('conflict', { id: A, live: theirs }),
    changeOf('create', { id: A }),
  ]) {
    const memory = restarted();
    finish(noteSeen(memory, [change], OWNER));
    assert.deepEqual([...memory.recalled], [], change.type);
  }
  const [lost, paused] = [restarted(), restarted()];
  noteLost(lost, A);
  forgetWritten(paused);
  assert.deepEqual([...lost.recalled, ...paused.recalled], []);
});

test('an inventory that is read again after a refused write brings no proof back', () => {
  const memory = restarted();
  const stored = storedBy(memory);
  noteLost(memory, A);
  forgetInventory(memory);
  readInventory(memory, stored);
  assert.deepEqual([...memory.recalled], []);
});

test('the stored form of a large inventory is known with any proof beside it', async () => {
  const memory = emptyInventoryMemory();
  const ids = Array.from({ length: 6_000 }, (_, index) => idOf(`a-long-name-of-an-object-${index}`));
  addToInventory(readInventory(memory, storing(undefined)), ids);
  await encodeAhead(memory);
  const stored = { ...encodeFor(memory, ids), written: { uid: UID } } as Value;
  assert.equal(keysOfStored(memory, stored), memory.encoded?.keys);
});

test('the marks of many objects are read in steps, so that others have their turn', () => {
  const pauses = (steps: Steps<unknown>): number => {
    let count = 0;
    while (!steps.next().done) count++;
    return count;
  };
  const changes = Array.from({ length: 1_600 }, (_, index) => {
    const id = idOf(`c${index}`);
    return changeOf('none', { id, live: liveOf({ id }) });
  });
  const memory = emptyInventoryMemory();
  assert.ok(pauses(noteSeen(memory, changes, OWNER)) >= 100);
  assert.equal(memory.written.size, 1_600);
  const inventory = new Map<string, ObjectId>();
  assert.ok(pauses(completeInventory({ inventory, changes, owner: OWNER })) >= 100);
  assert.equal(inventory.size, 1_600);
});
