/**
 * The inventory of a pass: applied and owned objects, by `idKey`. Invariant: an id enters before its object is written,
 * and leaves only when the object is confirmed gone or released; a lost or damaged inventory never deletes.
 */
import { decodeInventory, encodeAside, encodeOnce, isLargeInventory } from '../../application/inventory.ts';
import type { Application } from '../../application/schema.ts';
import type { InventoryValue, WrittenValue } from '../../application/status-schema.ts';
import { decodeWritten, encodeWritten } from '../../application/written.ts';
import type { Change } from '../../diff/changes.ts';
import { readOwnership, type Owner } from '../../object/applyset.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { StageError } from '../../object/stage-error.ts';
import { visitSteps, type Steps } from '../../object/steps.ts';
import { isEqualValue, valueAt, type Value } from '../../object/value.ts';
import type { InventoryMemory } from './memory.ts';

/** The part of an Application that its inventory is read from. */
export interface StoredInventory {
  readonly status: Pick<Application['status'], 'inventory' | 'pruneGuard'>;
  readonly metadata: Pick<Application['metadata'], 'uid'>;
}

/**
 * From status at the start of the agent's life and when another writer (a second agent, a person) has changed it, else
 * from memory. Only a confirmed end removes an id: an id that only one of the two has is not concluded to be gone.
 */
export function readInventory(memory: InventoryMemory, { status, metadata }: StoredInventory): Map<string, ObjectId> {
  const stored = status.inventory;
  if (memory.ids && isEqualValue(stored, memory.stored)) return memory.ids;
  const decoded = decodeInventory(stored);
  if (!decoded.ok) {
    // The inventory in memory was read before the stored one was damaged: it is whole, and is written again.
    if (memory.ids) return memory.ids;
    throw new StageError({
      stage: 'status',
      code: 'InventoryUnreadable',
      retry: 'never',
      message: `status.inventory cannot be read, so nothing is applied or pruned: ${decoded.problem}`,
    });
  }
  if (!memory.ids) memory.sizeBefore = status.pruneGuard?.objectsBefore;
  memory.ids ??= new Map();
  for (const id of decoded.ids) memory.ids.set(idKey(id), id);
  // The proof of an earlier process is older than everything that this one has seen.
  if (memory.stored === undefined) memory.recalled = decodeWritten(stored, decoded.ids.map(idKey), metadata.uid);
  memory.stored = stored;
  return memory.ids;
}

/**
 * Makes the stored form of the inventory beside the main thread, so that the status is composed without that work. If
 * the inventory changes meanwhile, the form is of another set, and is not used.
 */
export async function encodeAhead(memory: InventoryMemory): Promise<void> {
  const ids = [...(memory.ids?.values() ?? [])];
  memory.encoded = isLargeInventory(ids) ? await encodeAside(ids, memory.encoded) : undefined;
}

/** The stored form of a set of ids, which is remembered if it is large. */
export function encodeFor(memory: Pick<InventoryMemory, 'encoded'>, ids: readonly ObjectId[]): InventoryValue {
  const encoded = encodeOnce(ids, memory.encoded);
  if (isLargeInventory(ids)) memory.encoded = encoded;
  return encoded.value;
}

/** The proof of what this Application has written, to be stored with the inventory. */
export function writtenOf(
  { ids, written, recalled }: Pick<InventoryMemory, 'ids' | 'written' | 'recalled'>,
  uid: string,
): WrittenValue | undefined {
  const hasWritten = (key: string): boolean => written.has(key) || recalled.has(key);
  return encodeWritten({ inventory: ids?.keys() ?? [], hasWritten }, uid);
}

/** By `idKey`: the ids of a stored inventory; none if it cannot be read. */
export function keysOfStored(
  { encoded }: Pick<InventoryMemory, 'encoded'>,
  stored: Value | undefined,
): ReadonlySet<string> {
  const { gzip, objects } = encoded?.value ?? {};
  if (encoded && isEqualValue(gzip, valueAt(stored, 'gzip')) && isEqualValue(objects, valueAt(stored, 'objects'))) {
    return encoded.keys;
  }
  const decoded = decodeInventory(stored);
  return new Set(decoded.ok ? decoded.ids.map(idKey) : []);
}

/** To be called when a write of the status was refused: additions that were to be stored with it are read again. */
export function forgetInventory(memory: InventoryMemory): void {
  memory.ids = undefined;
}

/** Adds objects before they are written. */
export function addToInventory(inventory: Map<string, ObjectId>, ids: Iterable<ObjectId>): void {
  for (const id of ids) inventory.set(idKey(id), id);
}

/** Removes objects that are gone or released, or that were never written. `keys` are `idKey`s. */
export function removeFromInventory(inventory: Map<string, ObjectId>, keys: Iterable<string>): void {
  for (const key of keys) inventory.delete(key);
}

/** Replaces the inventory of a deleted Application by the objects that are neither gone nor released yet. */
export function replaceInventory(memory: InventoryMemory, left: readonly ObjectId[]): void {
  memory.ids = new Map(left.map((id) => [idKey(id), id]));
}

export interface Completion {
  readonly inventory: Map<string, ObjectId>;
  readonly changes: readonly Change[];
  readonly owner: Owner;
}

/**
 * An object that is as desired and carries both our marks is ours, even where the inventory was lost. Returns the keys
 * that were added.
 */
export function* completeInventory({ inventory, changes, owner }: Completion): Steps<string[]> {
  const added: string[] = [];
  yield* visitSteps(changes, ({ type, id, live }) => {
    if (type !== 'none' || !live || inventory.has(idKey(id))) return;
    if (readOwnership(live.body, owner).type !== 'ours') return;
    inventory.set(idKey(id), id);
    added.push(idKey(id));
  });
  return added;
}

/**
 * Notes which objects carry the marks of this Application, as far as a pass has seen: `changes` has one for each object
 * that is desired or in the inventory. An object whose marks are being healed is still one that it has written.
 */
export function* noteSeen(memory: InventoryMemory, changes: readonly Change[], owner: Owner): Steps<void> {
  const written = new Set<string>();
  const recalled = new Set<string>();
  yield* visitSteps(changes, ({ type, id, live }) => {
    const isOurs = live !== undefined && readOwnership(live.body, owner).type === 'ours';
    const isLost = LOST.has(type) && (live !== undefined || type !== 'conflict');
    if (isOurs || (!isLost && memory.written.has(idKey(id)))) written.add(idKey(id));
    else if (!isLost && memory.recalled.has(idKey(id))) recalled.add(idKey(id));
  });
  memory.written = written;
  memory.recalled = recalled;
}

/** Changes of objects that are gone, or that no longer belong to this Application. */
const LOST: ReadonlySet<Change['type']> = new Set(['create', 'adopt', 'release', 'conflict']);

export function noteWritten(memory: InventoryMemory, id: ObjectId): void {
  memory.written.add(idKey(id));
}

export function noteLost(memory: InventoryMemory, id: ObjectId): void {
  memory.written.delete(idKey(id));
  memory.recalled.delete(idKey(id));
}

/** While nothing is looked at, another Application may come to own any object. */
export function forgetWritten(memory: InventoryMemory): void {
  memory.written.clear();
  memory.recalled.clear();
}

/** Objects in the inventory that are no longer desired. */
export function leftoverOf(
  desired: readonly { readonly id: ObjectId }[],
  inventory: ReadonlyMap<string, ObjectId>,
): ObjectId[] {
  const keys = new Set(desired.map(({ id }) => idKey(id)));
  return [...inventory].flatMap(([key, id]) => (keys.has(key) ? [] : [id]));
}

/**
 * The number of objects that a prune is measured against: those of the inventory before the first object left Git.
 * Until no such object is left it never grows, so that objects which the same commit or a later one adds do not count.
 * It shrinks with the inventory, so that an object which stays for long does not keep a large number alive.
 *
 * To be called before objects are added to the inventory, and again when the effects of the pass are recorded.
 */
export function measureInventory(memory: InventoryMemory, desired: readonly { readonly id: ObjectId }[]): number {
  const inventory = memory.ids ?? new Map<string, ObjectId>();
  const isAnyLeft = leftoverOf(desired, inventory).length > 0;
  memory.sizeBefore = isAnyLeft ? Math.min(memory.sizeBefore ?? Infinity, inventory.size) : undefined;
  return memory.sizeBefore ?? inventory.size;
}
