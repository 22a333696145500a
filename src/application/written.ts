/**
 * The stored proof that an Application has written the objects of its inventory: the API server has shown or accepted
 * them with its marks.
 *
 * Invariants: the proof counts only for the Application with the uid that it names: a status that was restored into
 * another cluster or for a later Application proves nothing. A proof that cannot be read proves nothing either.
 */
import { isMap, own, type Value } from '../object/value.ts';
import { MAX_UNWRITTEN, type WrittenValue } from './status-schema.ts';

export interface WrittenObjects {
  /** `idKey` of each object of the inventory. */
  readonly inventory: Iterable<string>;
  /** Whether the Application has written the object with this `idKey`. */
  readonly hasWritten: (key: string) => boolean;
}

/** undefined: nothing is proven, or there are more than `MAX_UNWRITTEN` exceptions. */
export function encodeWritten({ inventory, hasWritten }: WrittenObjects, uid: string): WrittenValue | undefined {
  const except: string[] = [];
  let isAnyWritten = false;
  for (const key of inventory) {
    if (hasWritten(key)) isAnyWritten = true;
    else if (except.push(key) > MAX_UNWRITTEN) return undefined;
  }
  if (!isAnyWritten) return undefined;
  return { uid, ...(except.length > 0 ? { except: except.sort() } : {}) };
}

/** The keys of an inventory that its stored form proves to be written by the Application with this uid. */
export function decodeWritten(stored: Value | undefined, inventory: Iterable<string>, uid: string): Set<string> {
  const written = isMap(stored) ? own(stored, 'written') : undefined;
  if (!isMap(written) || uid === '' || own(written, 'uid') !== uid) return new Set();
  const except = own(written, 'except') ?? [];
  if (!Array.isArray(except)) return new Set();
  return new Set(inventory).difference(new Set(except));
}
