/** A place in an object, seen from all sides at once, and how to go down from it. Nothing given is written to. */
import { isLeaf, keyedMembers, setMembers, type FieldSet } from '../object/field-set.ts';
import type { PathSet } from '../object/path-set.ts';
import { isMap, newMap, own, type Value } from '../object/value.ts';

/** What is wanted of the whole object; the last two are found on the way. */
export interface CutContext {
  readonly kind: string;
  /** Built-in kind: what is known of its lists may be used. */
  readonly isLenient: boolean;
  readonly isSecret: boolean;
  /** Whether what is sent holds good for this very state of the live object alone. */
  isGuarded: boolean;
  /** Keys of a Secret's `data` whose live value is to be sent: it is known to the cluster's edge only. */
  readonly secretKeys: Set<string>;
}

/** One place in the object, from all sides. */
export interface Place {
  readonly desired: Value | undefined;
  readonly live: Value | undefined;
  readonly owned: FieldSet | undefined;
  /** Nodes of all other managers' field sets here. */
  readonly others: readonly FieldSet[];
  /** What is left of the pointers that lead here or below. */
  readonly paths: PathSet;
  /** Nodes of the field sets of the managers whose fields are ignored. */
  readonly theirs: readonly FieldSet[];
  readonly tokens: readonly string[];
  /** Inside a value that is sent as a whole or not at all. */
  readonly isAtomic: boolean;
  /** Fields that make the key of this item of a list: another key would be another item. */
  readonly keyNames?: readonly string[];
}

/** A place without what is ignored in it; undefined: nothing is left. */
export interface Parts {
  readonly desired: Value | undefined;
  readonly live: Value | undefined;
  readonly owned: FieldSet | undefined;
  readonly sent: Value | undefined;
}

export function nodesOf(nodes: readonly FieldSet[], member: string): FieldSet[] {
  return nodes.map((node) => nodeOf(node, member)).filter((node) => node !== undefined);
}

export function nodeOf(node: FieldSet | undefined, member: string): FieldSet | undefined {
  const found = node && own(node, member);
  return isMap(found) ? found : undefined;
}

export interface Member {
  /** Its name in the field set. */
  readonly name: string;
  readonly fields: FieldSet;
}

/** The members of a list's node by the signature of their items. */
export function membersOf(node: FieldSet | undefined, sign: (item: Value) => string): Map<string, Member> {
  const members = new Map<string, Member>();
  if (!node) return members;
  for (const { key, member, fields } of keyedMembers(node)) members.set(sign(key), { name: member, fields });
  for (const value of setMembers(node)) {
    members.set(sign(value), { name: `v:${JSON.stringify(value)}`, fields: newMap() });
  }
  return members;
}

/** An item without its key could not be merged. */
export function withKey(item: Value, live: Value | undefined, keys: readonly string[]): Value {
  if (!isMap(item) || !isMap(live) || keys.every((key) => Object.hasOwn(item, key))) return item;
  const whole = newMap();
  for (const key of keys) {
    const value = own(live, key);
    if (value !== undefined) whole[key] = value;
  }
  for (const key of Object.keys(item)) whole[key] = item[key] ?? null;
  return whole;
}

/** Our node of a value that we own as a whole, if that is more than what is ignored. */
export function ownedWhole({ owned }: Place, left: Pick<Parts, 'desired' | 'live'>): FieldSet | undefined {
  const isLeft = left.desired !== undefined || left.live !== undefined;
  return owned && isLeaf(owned) && isLeft ? owned : undefined;
}
