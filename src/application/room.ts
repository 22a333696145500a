/**
 * The room that one Application has in the API server: the size of its stored form, and the size of its annotations.
 * Invariant: a status whose lasting parts fit (`roomForRecords`) can always be written, whatever else it has to tell.
 */
import { stringifyJson } from '../object/json.ts';
import { stringMap } from '../object/identity.ts';
import { own, type KubeObject, type Value } from '../object/value.ts';

/** etcd refuses requests of more than 1.5 MiB by default; a request is a little larger than the object in it. */
export const MAX_STORED_BYTES = 1_472 * 1024;
/** For everything in the status but inventory and Jobs: conditions, history, warnings and troubled objects. */
export const RESERVED_BYTES = 256 * 1024;
/** The bound of the API server on all keys and values of the annotations of one object. */
export const MAX_ANNOTATIONS_BYTES = 256 * 1024;

/** Bytes of the JSON that the API server stores: it has six bytes for each of `<`, `>`, `&` and the line separators. */
export function storedBytes(value: Value): number {
  const json = stringifyJson(value);
  const escaped = json.match(/[<>&]/g)?.length ?? 0;
  const separators = json.match(/[\u2028\u2029]/g)?.length ?? 0;
  return Buffer.byteLength(json) + escaped * 5 + separators * 3;
}

/** Bytes that are left for the status of a stored Application: the rest of it is metadata and spec. */
export function roomForStatus(stored: KubeObject): number {
  const { status: _status, ...rest } = stored;
  return MAX_STORED_BYTES - storedBytes(rest);
}

/** Bytes that are left for the inventory and the records of Jobs. */
export function roomForRecords(stored: KubeObject): number {
  return roomForStatus(stored) - RESERVED_BYTES;
}

/** Bytes of all annotations once some of them have new values, as the API server counts them. */
export function annotationBytes(stored: KubeObject, added: Readonly<Record<string, string>>): number {
  const annotations = { ...stringMap(own(stored.metadata, 'annotations')), ...added };
  return Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
}

/** How many of `count` things of equal size, which take `bytes`, fit into `room`: a little less, in round numbers. */
export function countThatFits(
  count: number,
  { bytes, room }: { readonly bytes: number; readonly room: number },
): number {
  const exact = Math.max(0, Math.floor((count * room * 0.97) / Math.max(1, bytes)));
  const unit = 10 ** Math.max(0, String(exact).length - 2);
  return Math.floor(exact / unit) * unit;
}
