/**
 * Decides whether marks of another Application on an object are a forgery: this one has written the object, and the
 * other one has not.
 *
 * Invariant: what this process has seen proves it alone. The proof that was read from the status also needs that the
 * other Application does not hold the object in its inventory, since it may have taken the object over just before the
 * process before this one ended. The inventory is ahead of the objects, and only the agent writes it.
 */
import { applicationKey } from '../../application/keys.ts';
import { parseOwner } from '../../object/applyset.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import type { Neighbour, Neighbours } from '../neighbours/neighbours.ts';
import type { InventoryMemory } from './memory.ts';

type Proof = Pick<InventoryMemory, 'written' | 'recalled'>;

export interface Judging {
  readonly context: { readonly hub: { readonly hubId: string }; readonly neighbours: Pick<Neighbours, 'get'> };
  readonly memory: { readonly inventory: Proof };
}

/** Whether the Application has written the object, by what this process has seen or by the status. */
export function hasProof({ written, recalled }: Proof, id: ObjectId): boolean {
  const key = idKey(id);
  return written.has(key) || recalled.has(key);
}

/** The judge of one pass. `annotation` is the owner annotation of the live object. */
export function createForgeryJudge({ context, memory }: Judging): (id: ObjectId, annotation: string) => boolean {
  const { hub, neighbours } = context;
  const { inventory } = memory;
  const holdings = new Map<string, ReadonlySet<string> | 'unknown'>();
  return (id, annotation) => {
    if (!hasProof(inventory, id)) return false;
    const named = parseOwner(annotation);
    if (named?.hubId !== hub.hubId) return true;
    const key = applicationKey(named.namespace, named.name);
    const neighbour = neighbours.get(key);
    if (!neighbour) return true;
    if (neighbour.hasWritten(id)) return false;
    if (inventory.written.has(idKey(id))) return true;
    const held = holdings.get(key) ?? holdingsOf(neighbour);
    holdings.set(key, held);
    return held !== 'unknown' && !held.has(idKey(id));
  };
}

/** `idKey`s of the inventory of an Application. 'unknown': it cannot be read. */
function holdingsOf(neighbour: Neighbour): ReadonlySet<string> | 'unknown' {
  const inventory = neighbour.inventory();
  return inventory.ok ? new Set(inventory.ids.map(idKey)) : 'unknown';
}
