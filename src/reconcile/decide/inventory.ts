/**
 * The inventory of a pass: what was applied and is owned, by `idKey`. Invariant: an id enters before its object is
 * written, and leaves only when the object is confirmed gone or let go; a lost or spoilt inventory never deletes.
 */
import { decodeInventory } from '../../application/inventory.ts';
import type { Change } from '../../diff/changes.ts';
import { readOwnership } from '../../object/applyset.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { StageError } from '../../object/stage-error.ts';
import { isEqualValue } from '../../object/value.ts';
import type { Pass } from '../pass.ts';

/**
 * From status at the start of the agent's life and when somebody else has written it (another agent, a hand), from
 * memory else. Only a confirmed end takes an id out of it: what one of the two lacks is not concluded to be gone.
 */
export function readInventory({ application, state }: Pass): Map<string, ObjectId> {
  const { memory } = state;
  const stored = application.status.inventory;
  if (memory.inventory && isEqualValue(stored, memory.storedInventory)) return memory.inventory;
  const decoded = decodeInventory(stored);
  if (!decoded.ok) {
    // What was read before it was spoilt is whole, and is written again.
    if (memory.inventory) return memory.inventory;
    throw new StageError({
      stage: 'status',
      code: 'InventoryUnreadable',
      retry: 'never',
      message: `status.inventory cannot be read, so nothing is applied or pruned: ${decoded.problem}`,
    });
  }
  memory.inventory ??= new Map();
  for (const id of decoded.ids) memory.inventory.set(idKey(id), id);
  memory.storedInventory = stored;
  return memory.inventory;
}

/** What is as desired and carries both our marks is ours, even where the inventory was lost. */
export function completeInventory(
  { owner, asked }: Pass,
  changes: readonly Change[],
  inventory: Map<string, ObjectId>,
): void {
  if (asked.intent.mode === 'detect') return;
  for (const { type, id, live } of changes) {
    if (type !== 'none' || !live || inventory.has(idKey(id))) continue;
    if (readOwnership(live.body, owner).type === 'ours') inventory.set(idKey(id), id);
  }
}
