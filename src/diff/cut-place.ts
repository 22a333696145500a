/** One path in an object with its desired value, live value and field sets, and the steps below it. */
import { isLeaf, keyedMembers, setMembers, type FieldSet } from '../object/field-set.ts';
import type { PathSet } from '../object/path-set.ts';
import { isMap, newMap, own, type Value } from '../object/value.ts';

/** Facts about the whole object. The cut itself sets `isGuarded` and adds to `secretKeys`. */
export interface CutContext {
  readonly kind: string;
  /** Built-in kind: the known merge keys of its lists apply. */
  readonly isLenient: boolean;
  readonly isSecret: boolean;
  /** Whether the body holds live values, so that it is valid only for the resourceVersion that they were read at. */
  isGuarded: boolean;
  /** Keys of a Secret's `data` to be sent with their live value, which only cluster/ knows. */
  readonly secretKeys: Set<string>;
}

export interface Place {
  readonly desired: Value | undefined;
  readonly live: Value | undefined;
  readonly owned: FieldSet | undefined;
  /** Nodes of all other managers' field sets at this path. */
  readonly others: readonly FieldSet[];
  /** The remaining steps of the ignored pointers that lead here or below. */
  readonly paths: PathSet;
  /** The part of `others` whose managers are ignored. */
  readonly ignoredNodes: readonly FieldSet[];
  readonly tokens: readonly string[];
  /** Inside a value that is sent as a whole or not at all. */
  readonly isAtomic: boolean;
  /** Fields that make up the key of this list item. They are never cut: another key would name another item. */
  readonly keyNames?: readonly string[];
}

/** A place without its ignored parts; undefined where nothing is left. */
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

/** Members of a list's field set node, by the signature of their items. */
export function membersOf(node: FieldSet | undefined, sign: (item: Value) => string): Map<string, Member> {
  const members = new Map<string, Member>();
  if (!node) return members;
  for (const { key, member, fields } of keyedMembers(node)) members.set(sign(key), { name: member, fields });
  for (const value of setMembers(node)) {
    members.set(sign(value), { name: `v:${JSON.stringify(value)}`, fields: newMap() });
  }
  return members;
}

/** Adds the key fields of the live item: the server cannot merge an item without its key. */
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

/** Our field set node of a value that we own as a whole, unless all of the value is ignored. */
export function ownedWhole({ owned }: Place, left: Pick<Parts, 'desired' | 'live'>): FieldSet | undefined {
  const isLeft = left.desired !== undefined || left.live !== undefined;
  return owned && isLeaf(owned) && isLeft ? owned : undefined;
}
