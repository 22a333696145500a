/**
 * Objects that a deleted Application hands over to this one, which is paused and desires them: their ids are stored in
 * the inventory first, and only then does the deleted Application put our marks on them. An object that leaves Git
 * before this Application goes on has an Application that prunes it.
 *
 * Invariant: an id in the inventory proves nothing. Until an object carries our marks it is released, never deleted.
 */
import { unionIds } from '../../application/inventory.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { valueAt, type KubeObject } from '../../object/value.ts';
import type { Signals } from '../memory.ts';
import { keysOfStored } from './inventory.ts';
import type { InventoryMemory } from './memory.ts';

export interface Receiver {
  readonly signals: Pick<Signals, 'entrusted'>;
  readonly memory: { readonly inventory: Pick<InventoryMemory, 'encoded'> };
  /** The Application as it is stored. */
  readonly base: KubeObject;
}

/** Adds the objects to the inventory of a pass, and forgets those that are stored. */
export function takeEntrusted(receiver: Receiver, inventory: Map<string, ObjectId>): void {
  for (const id of stillEntrusted(receiver)) inventory.set(idKey(id), id);
}

/** The inventory with the objects. undefined: there is none, or all of them are stored. */
export function withEntrusted(receiver: Receiver, inventory: ReadonlyMap<string, ObjectId>): ObjectId[] | undefined {
  const entrusted = stillEntrusted(receiver);
  return entrusted.length === 0 ? undefined : unionIds([...inventory.values()], entrusted);
}

function stillEntrusted({ signals: { entrusted }, memory, base }: Receiver): ObjectId[] {
  if (entrusted.size === 0) return [];
  const stored = keysOfStored(memory.inventory, valueAt(base, 'status', 'inventory'));
  return [...entrusted].flatMap(([key, id]) => (stored.has(key) ? [] : [id]));
}
