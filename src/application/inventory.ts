/**
 * The stored form of the inventory: the ids of all objects that were applied and are owned. Only these may be pruned.
 * Invariant: decoding returns exactly the encoded ids; a value that cannot be decoded is an error, never an empty list.
 */
import { promisify } from 'node:util';
import { gunzipSync, gzip, gzipSync } from 'node:zlib';
import { idKey, type ObjectId } from '../object/identity.ts';
import { isMap, own, type Value, type ValueMap } from '../object/value.ts';
import type { InventoryValue } from './status-schema.ts';

/** Longer JSON is gzipped. 10,000 ids take about 180 KiB plain and 73 KiB gzipped; etcd's limit is 1.5 MiB. */
export const MAX_PLAIN_INVENTORY_BYTES = 128 * 1024;
/** Bound on the decompressed size when a gzipped inventory is read: some 500,000 ids. */
const MAX_INVENTORY_BYTES = 16 * 1024 * 1024;

export type DecodedInventory =
  | { readonly ok: true; readonly ids: ObjectId[] }
  /** Then nothing may be pruned, and the stored value must not be overwritten. `problem` is a sentence for people. */
  | { readonly ok: false; readonly problem: string };

/** A stored form with the set of ids that it holds. */
export interface EncodedInventory {
  /** `idKey` of each id. */
  readonly keys: ReadonlySet<string>;
  readonly value: InventoryValue;
}

/** Equal sets of ids give equal values in any order. Duplicates count once. */
export function encodeInventory(ids: readonly ObjectId[]): InventoryValue {
  const { objects, json } = toJson(ids);
  return json === undefined ? { objects } : { gzip: gzipSync(json).toString('base64') };
}

/** The same, without the work if the form of the same set is known. */
export function encodeOnce(ids: readonly ObjectId[], known: EncodedInventory | undefined): EncodedInventory {
  const keys = new Set(ids.map(idKey));
  return known && isSameSet(keys, known.keys) ? known : { keys, value: encodeInventory(ids) };
}

/** The same, and a large inventory is compressed beside the main thread. */
export async function encodeAside(
  ids: readonly ObjectId[],
  known: EncodedInventory | undefined,
): Promise<EncodedInventory> {
  const keys = new Set(ids.map(idKey));
  if (known && isSameSet(keys, known.keys)) return known;
  const { objects, json } = toJson(ids);
  if (json === undefined) return { keys, value: { objects } };
  return { keys, value: { gzip: (await promisify(gzip)(json)).toString('base64') } };
}

/** Whether the stored form is worth to be kept: the names alone are too long for plain JSON. */
export function isLargeInventory(ids: readonly ObjectId[]): boolean {
  return ids.reduce((sum, { name }) => sum + name.length + 1, 0) > MAX_PLAIN_INVENTORY_BYTES;
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}

/** `json` is present if it is to be compressed. */
function toJson(ids: readonly ObjectId[]): { objects: Record<string, Record<string, string>>; json?: string } {
  const byKey = new Map(ids.map((id) => [idKey(id), id]));
  const objects: Record<string, Record<string, string>> = Object.create(null);
  for (const key of [...byKey.keys()].sort()) {
    const id = byKey.get(key) as ObjectId;
    const names = (objects[groupKindOf(id)] ??= Object.create(null) as Record<string, string>);
    const before = names[id.namespace];
    names[id.namespace] = before === undefined ? escapeName(id.name) : `${before} ${escapeName(id.name)}`;
  }
  const json = JSON.stringify(objects);
  return Buffer.byteLength(json) <= MAX_PLAIN_INVENTORY_BYTES ? { objects } : { objects, json };
}

/** Never throws. undefined decodes to no ids: the Application has not applied anything yet. */
export function decodeInventory(value: Value | undefined): DecodedInventory {
  if (value === undefined) return { ok: true, ids: [] };
  if (!isMap(value)) return malformed('it is not a map');
  const objects = own(value, 'objects');
  const gzip = own(value, 'gzip');
  if ((objects === undefined) === (gzip === undefined)) return malformed('it must have either objects or gzip');
  if (objects !== undefined) return decodeObjects(objects);
  if (typeof gzip !== 'string') return malformed('gzip is not a string');
  try {
    const json = gunzipSync(Buffer.from(gzip, 'base64'), { maxOutputLength: MAX_INVENTORY_BYTES }).toString('utf8');
    return decodeObjects(JSON.parse(json) as Value);
  } catch {
    return malformed('gzip is not gzipped JSON, or is too large');
  }
}

/** Each id of either list, once. */
export function unionIds(a: readonly ObjectId[], b: readonly ObjectId[]): ObjectId[] {
  return [...new Map([...a, ...b].map((id) => [idKey(id), id])).values()];
}

/** The ids of `a` that are not in `b`. */
export function minusIds(a: readonly ObjectId[], b: readonly ObjectId[]): ObjectId[] {
  const keys = new Set(b.map(idKey));
  return a.filter((id) => !keys.has(idKey(id)));
}

function decodeObjects(objects: Value): DecodedInventory {
  if (!isMap(objects)) return malformed('objects is not a map');
  const ids: ObjectId[] = [];
  for (const [groupKind, namespaces] of Object.entries(objects)) {
    const [kind, group] = splitGroupKind(groupKind);
    if (!kind || group === undefined || !isMap(namespaces))
      return malformed(`'${groupKind}' is not a kind with namespaces`);
    const problem = addIds(ids, { group, kind }, namespaces);
    if (problem !== undefined) return malformed(`${problem} under '${groupKind}'`);
  }
  return { ok: true, ids };
}

function addIds(ids: ObjectId[], kind: { group: string; kind: string }, namespaces: ValueMap): string | undefined {
  for (const [namespace, names] of Object.entries(namespaces)) {
    if (typeof names !== 'string' || names === '') return `no names in namespace '${namespace}'`;
    for (const name of names.split(' ')) {
      if (name === '') return `an empty name in namespace '${namespace}'`;
      ids.push({ ...kind, namespace, name: unescapeName(name) });
    }
  }
  return undefined;
}

/** `apps/Deployment`; the core group has no slash: `ConfigMap`. */
function groupKindOf(id: ObjectId): string {
  return id.group ? `${id.group}/${id.kind}` : id.kind;
}

function splitGroupKind(text: string): [kind: string, group: string | undefined] {
  const parts = text.split('/');
  if (parts.length === 1) return [text, ''];
  return [parts[1] ?? '', parts.length === 2 && parts[0] ? parts[0] : undefined];
}

// Names of RBAC objects may contain a blank. A percent sign is not allowed in any object name (path segment names).
const escapeName = (name: string): string => name.replaceAll(' ', '%20');
const unescapeName = (text: string): string => text.replaceAll('%20', ' ');

function malformed(why: string): DecodedInventory {
  return { ok: false, problem: `status.inventory cannot be read (${why}), so nothing is pruned` };
}
