/**
 * The inventory as status stores it: the ids of all objects that were applied and are owned, and so all that may ever
 * be pruned. Invariant: what was encoded is decoded the same, and what cannot be decoded is an error, never an empty
 * list.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { idKey, type ObjectId } from '../object/identity.ts';
import { isMap, own, type Value, type ValueMap } from '../object/value.ts';
import type { InventoryValue } from './status-schema.ts';

/** Plain JSON of more bytes is gzipped: 10,000 ids are about 180 KiB plain and 73 KiB gzipped; etcd takes 1.5 MiB. */
export const MAX_PLAIN_INVENTORY_BYTES = 128 * 1024;
/** What a gzipped inventory may grow to when it is read: some 500,000 ids. */
const MAX_INVENTORY_BYTES = 16 * 1024 * 1024;

export type DecodedInventory =
  | { readonly ok: true; readonly ids: ObjectId[] }
  /** Nothing may be pruned, and the stored value must not be overwritten. `problem` is a sentence for people. */
  | { readonly ok: false; readonly problem: string };

/** Equal sets of ids give equal values, whatever their order; duplicates count once. */
export function encodeInventory(ids: readonly ObjectId[]): InventoryValue {
  const byKey = new Map(ids.map((id) => [idKey(id), id]));
  const objects: Record<string, Record<string, string>> = Object.create(null);
  for (const key of [...byKey.keys()].sort()) {
    const id = byKey.get(key) as ObjectId;
    const names = (objects[groupKindOf(id)] ??= Object.create(null) as Record<string, string>);
    const before = names[id.namespace];
    names[id.namespace] = before === undefined ? escapeName(id.name) : `${before} ${escapeName(id.name)}`;
  }
  const json = JSON.stringify(objects);
  if (Buffer.byteLength(json) <= MAX_PLAIN_INVENTORY_BYTES) return { objects };
  return { gzip: gzipSync(json).toString('base64') };
}

/** Never throws. Absent (undefined) is an Application that has applied nothing yet: no ids. */
export function decodeInventory(value: Value | undefined): DecodedInventory {
  if (value === undefined) return { ok: true, ids: [] };
  if (!isMap(value)) return malformed('it is no map');
  const objects = own(value, 'objects');
  const gzip = own(value, 'gzip');
  if ((objects === undefined) === (gzip === undefined)) return malformed('it must have either objects or gzip');
  if (objects !== undefined) return decodeObjects(objects);
  if (typeof gzip !== 'string') return malformed('gzip is no text');
  try {
    const json = gunzipSync(Buffer.from(gzip, 'base64'), { maxOutputLength: MAX_INVENTORY_BYTES }).toString('utf8');
    return decodeObjects(JSON.parse(json) as Value);
  } catch {
    return malformed('gzip holds no gzipped JSON, or too much of it');
  }
}

/** Every id of either list, once. */
export function unionIds(a: readonly ObjectId[], b: readonly ObjectId[]): ObjectId[] {
  return [...new Map([...a, ...b].map((id) => [idKey(id), id])).values()];
}

/** The ids of `a` that are not in `b`. */
export function minusIds(a: readonly ObjectId[], b: readonly ObjectId[]): ObjectId[] {
  const keys = new Set(b.map(idKey));
  return a.filter((id) => !keys.has(idKey(id)));
}

function decodeObjects(objects: Value): DecodedInventory {
  if (!isMap(objects)) return malformed('objects is no map');
  const ids: ObjectId[] = [];
  for (const [groupKind, namespaces] of Object.entries(objects)) {
    const [kind, group] = splitGroupKind(groupKind);
    if (!kind || group === undefined || !isMap(namespaces)) return malformed(`no kind and namespaces: '${groupKind}'`);
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

// Names of RBAC objects may hold a blank, but no object's name may hold a percent sign (path segment names).
const escapeName = (name: string): string => name.replaceAll(' ', '%20');
const unescapeName = (text: string): string => text.replaceAll('%20', ' ');

function malformed(why: string): DecodedInventory {
  return { ok: false, problem: `status.inventory cannot be read (${why}), so nothing is pruned` };
}
