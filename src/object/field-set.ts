/**
 * Field sets in the `FieldsV1` form of `metadata.managedFields`: a tree whose members are `f:<field>`,
 * `k:<JSON object of the keys>` (item of a keyed list), `v:<JSON value>` (member of a set), `i:<index>` and `.` (the
 * node itself). A leaf is `{}`. Specification: sigs.k8s.io/structured-merge-diff, fieldpath/serialize.go.
 *
 * Invariant: the functions here never write to the trees, because these are part of the live object.
 */
import { isMap, listAt, own, stringAt, valueAt, type KubeObject, type Value, type ValueMap } from './value.ts';

export type FieldSet = ValueMap;

/** One entry of `managedFields`. */
export interface ManagedFields {
  readonly manager: string;
  readonly operation: string;
  readonly apiVersion: string;
  readonly time?: string;
  readonly subresource?: string;
  readonly fields: FieldSet;
}

/** One step down the tree: a field by its name, or a list item by its value. */
export type FieldStep = string | { readonly item: Value };

/** The entries in the order of the object; malformed ones are left out. */
export function managedFieldsOf(object: KubeObject): ManagedFields[] {
  const entries: ManagedFields[] = [];
  for (const entry of listAt(object.metadata, 'managedFields')) {
    const fields = valueAt(entry, 'fieldsV1');
    const apiVersion = stringAt(entry, 'apiVersion');
    if (!isMap(fields) || apiVersion === undefined) continue;
    const time = stringAt(entry, 'time');
    const subresource = stringAt(entry, 'subresource');
    entries.push({
      manager: stringAt(entry, 'manager') ?? '',
      operation: stringAt(entry, 'operation') ?? '',
      apiVersion,
      fields,
      ...(time === undefined ? {} : { time }),
      ...(subresource ? { subresource } : {}),
    });
  }
  return entries;
}

/** The entry for the server-side applies of `manager` to the object itself, not to a subresource. */
export function appliedFieldsOf(object: KubeObject, manager: string): ManagedFields | undefined {
  return managedFieldsOf(object).find(
    (entry) => entry.manager === manager && entry.operation === 'Apply' && entry.subresource === undefined,
  );
}

/** Whether a node stands for its whole value: a scalar, an empty collection or an atomic collection. */
export function isLeaf(node: FieldSet): boolean {
  for (const member in node) if (member !== '.') return false;
  return true;
}

/** The node at a path; undefined if it is not in the set. A leaf on the way covers everything below it. */
export function fieldNodeAt(
  set: FieldSet,
  steps: readonly FieldStep[],
  items: ItemIndex = new ItemIndex(),
): FieldSet | undefined {
  let node = set;
  for (const step of steps) {
    if (node !== set && items.isLeaf(node)) return node;
    const next = typeof step === 'string' ? own(node, `f:${step}`) : items.nodeOf(node, step.item);
    if (!isMap(next)) return undefined;
    node = next;
  }
  return node;
}

/** The items of a keyed list: the parsed keys, the name of the member and its node. */
export function keyedMembers(node: FieldSet): { key: ValueMap; member: string; fields: FieldSet }[] {
  const members: { key: ValueMap; member: string; fields: FieldSet }[] = [];
  for (const member of Object.keys(node)) {
    const fields = node[member];
    const key = member.startsWith('k:') ? parseMember(member) : undefined;
    if (isMap(key) && isMap(fields)) members.push({ key, member, fields });
  }
  return members;
}

/** The values of a set. */
export function setMembers(node: FieldSet): Value[] {
  const values: Value[] = [];
  for (const member of Object.keys(node)) {
    const value = member.startsWith('v:') ? parseMember(member) : undefined;
    if (value !== undefined) values.push(value);
  }
  return values;
}

/** The type of list that the members of a node show; undefined for any other value. */
export function listTypeOf(node: FieldSet): 'keyed' | 'set' | undefined {
  for (const member in node) {
    if (member.startsWith('k:')) return 'keyed';
    if (member.startsWith('v:')) return 'set';
  }
  return undefined;
}

interface IndexedItem {
  readonly position: number;
  readonly fields: FieldSet;
}

/** The items of a list whose keys have the same names, by the values of their keys. */
interface ItemGroup {
  readonly names: readonly string[];
  readonly byValues: Map<string, IndexedItem>;
}

/**
 * The nodes of list items by the items themselves. One index serves many look-ups in the same sets, which are then
 * parsed once and not for each item.
 */
export class ItemIndex {
  readonly #groups = new WeakMap<FieldSet, readonly ItemGroup[]>();
  readonly #leaves = new WeakMap<FieldSet, boolean>();

  /** To begin to list the members of a large node takes as long as to list them all. */
  isLeaf(node: FieldSet): boolean {
    const known = this.#leaves.get(node);
    if (known !== undefined) return known;
    const found = isLeaf(node);
    this.#leaves.set(node, found);
    return found;
  }

  nodeOf(node: FieldSet, item: Value): FieldSet | undefined {
    if (isMap(item)) {
      let first: IndexedItem | undefined;
      for (const { names, byValues } of this.#groupsOf(node)) {
        const found = byValues.get(keyTextOf(item, names));
        if (found && (!first || found.position < first.position)) first = found;
      }
      if (first) return first.fields;
    }
    const member = own(node, `v:${typeof item === 'bigint' ? item : JSON.stringify(item)}`);
    return isMap(member) ? member : undefined;
  }

  #groupsOf(node: FieldSet): readonly ItemGroup[] {
    const known = this.#groups.get(node);
    if (known) return known;
    const groups = new Map<string, ItemGroup>();
    for (const [position, { key, fields }] of keyedMembers(node).entries()) {
      const names = Object.keys(key);
      const form = JSON.stringify(names);
      const group: ItemGroup = groups.get(form) ?? { names, byValues: new Map() };
      groups.set(form, group);
      const values = keyTextOf(key, names);
      if (!group.byValues.has(values)) group.byValues.set(values, { position, fields });
    }
    const found = [...groups.values()];
    this.#groups.set(node, found);
    return found;
  }
}

/** Equal texts for equal scalars alone: a key has no other values. */
function keyTextOf(item: ValueMap, names: readonly string[]): string {
  return JSON.stringify(
    names.map((name) => {
      const value = own(item, name);
      return `${typeof value} ${String(value)}`;
    }),
  );
}

function parseMember(member: string): Value | undefined {
  try {
    return JSON.parse(member.slice(2)) as Value;
  } catch {
    return undefined;
  }
}
