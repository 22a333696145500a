/**
 * Foretells the object that a server-side apply makes of the desired and the live object, and the values in it that the
 * apply keeps although Git does not have them: those of other managers, and defaults of the server.
 * Specification: sigs.k8s.io/structured-merge-diff, typed/merge.go and merge/update.go.
 *
 * Invariants: metadata and status are never left over. Inputs are not modified; unchanged parts are shared.
 */
import { BUILT_IN_GROUPS } from '../object/built-in-groups.ts';
import type { DesiredObject } from '../bind/desired.ts';
import type { LiveObject } from '../cluster/live.ts';
import { FIELD_MANAGER } from '../object/applyset.ts';
import { isLeaf, keyedMembers, listTypeOf, managedFieldsOf, type FieldSet } from '../object/field-set.ts';
import { isKubeObject, isMap, newMap, own, type KubeObject, type Value, type ValueMap } from '../object/value.ts';
import { keyNamesOf, signatureOf } from './compare-list.ts';
import { withKey } from './cut-place.ts';
import { EMPTY_STRUCTS, KEY_DEFAULTS, keysOfList } from './known-values.ts';

/** Keys of maps and indexes of lists that lead to a value of the merged object. */
export type MergedPath = readonly (string | number)[];

export interface Leftover {
  readonly path: MergedPath;
  /** The same path in field sets, such as `f:spec`, `f:ports`, `k:{"port":80,"protocol":"TCP"}`. */
  readonly members: readonly string[];
  readonly value: Value;
  /** Whether another manager has applied it or a part of it, so that it is only removed if it contradicts Git. */
  readonly isApplied: boolean;
  /** Whether managedFields name a manager of it or of a part of it. */
  readonly isOwned: boolean;
  /** The parts of a value that has managers, which may be removed one by one. */
  readonly parts: readonly Leftover[];
}

export interface Merged {
  readonly body: KubeObject;
  /** None holds another one. */
  readonly leftovers: readonly Leftover[];
}

/** `sent`: the body of the apply. */
export function mergeApplied(sent: KubeObject, live: LiveObject, { kind }: Pick<DesiredObject, 'kind'>): Merged {
  const entries = managedFieldsOf(live.body);
  const ours = entries.find((entry) => entry.manager === FIELD_MANAGER && isApply(entry));
  const context: Context = { kind: kind.kind, isBuiltIn: BUILT_IN_GROUPS.has(kind.group), leftovers: [] };
  const body = merge(context, {
    desired: sent,
    live: live.body,
    ours: ours?.fields,
    others: entries
      .filter((entry) => entry !== ours)
      .map((entry) => ({ node: entry.fields, isApplied: entry.operation === 'Apply' })),
    path: [],
    members: [],
  });
  return { body: isKubeObject(body) ? body : sent, leftovers: context.leftovers };
}

function isApply({ operation, subresource }: { readonly operation: string; readonly subresource?: string }): boolean {
  return operation === 'Apply' && subresource === undefined;
}

interface Context {
  readonly kind: string;
  readonly isBuiltIn: boolean;
  readonly leftovers: Leftover[];
}

/** The part of a field set in which another manager owns a value or parts of it. */
interface Holder {
  readonly node: FieldSet;
  readonly isApplied: boolean;
}

interface Place {
  readonly desired: Value | undefined;
  readonly live: Value | undefined;
  readonly ours: FieldSet | undefined;
  readonly others: readonly Holder[];
  readonly path: MergedPath;
  readonly members: readonly string[];
}

function merge(context: Context, place: Place): Value | undefined {
  const { desired, live, ours, others, path } = place;
  if (live === undefined) return desired;
  if (desired === undefined) {
    // A value that we own leaves with Git, but for the parts that others own. Any other value stays.
    const kept = ours ? heldPart(live, others) : live;
    if (kept !== undefined && isBelowTop(path) && !isKeyOfItem(place))
      context.leftovers.push(leftoverOf(context, { ...place, live: kept }));
    return kept;
  }
  if (isMap(desired) && isMap(live) && !isAtomicMap(context, place))
    return mergeMap(context, { ...place, desired, live });
  if (Array.isArray(desired) && Array.isArray(live)) {
    const keys = keysHere(context, place);
    if (keys) return mergeList(context, { ...place, desired, live }, keys);
  }
  return desired;
}

/** Whether the path leads into a field such as `spec`. Bookkeeping of the server is neither sent nor left over. */
function isBelowTop([top]: MergedPath): boolean {
  return top !== undefined && top !== 'metadata' && top !== 'status' && top !== 'apiVersion' && top !== 'kind';
}

/** Whether the value is a part of the key of the list item that holds it. */
function isKeyOfItem({ path, members }: Pick<Place, 'path' | 'members'>): boolean {
  return keysOfItem(members[members.length - 2] ?? '').includes(String(path[path.length - 1]));
}

type Sides<T> = Place & { readonly desired: T; readonly live: T };

function mergeMap(context: Context, place: Sides<ValueMap>): ValueMap {
  const { desired, live } = place;
  const merged = newMap();
  for (const key of new Set([...Object.keys(live), ...Object.keys(desired)])) {
    const value = merge(context, {
      desired: own(desired, key),
      live: own(live, key),
      ...below(place, `f:${key}`),
      path: [...place.path, key],
    });
    if (value !== undefined) merged[key] = value;
  }
  return merged;
}

function mergeList(context: Context, place: Sides<Value[]>, keys: readonly string[]): Value[] {
  const sign = (item: Value): string => signatureOf(item, keys, context.isBuiltIn ? KEY_DEFAULTS : undefined);
  const desired = new Map(place.desired.map((item) => [sign(item), item] as const).reverse());
  const live = new Map(place.live.map((item) => [sign(item), item] as const).reverse());
  const merged: Value[] = [];
  for (const signature of mergedOrder(place.live.map(sign), place.desired.map(sign))) {
    const wanted = desired.get(signature);
    const found = live.get(signature);
    const value = merge(context, {
      desired: wanted,
      live: found,
      ...below(place, memberOf(found ?? wanted ?? null, keys)),
      path: [...place.path, merged.length],
    });
    if (value !== undefined) merged.push(isMap(value) ? withKey(value, found, keys) : value);
  }
  return merged;
}

/** Our items in our order, with the others between them as they are. */
function mergedOrder(live: readonly string[], desired: readonly string[]): string[] {
  const [isDesired, isLive] = [new Set(desired), new Set(live)];
  const shared = desired.filter((item) => isLive.has(item));
  const order = new Set<string>();
  let [next, left, right] = [0, 0, 0];
  while (left < live.length || right < desired.length) {
    const [ofLive, ofDesired] = [live[left], desired[right]];
    if (ofLive !== undefined && ofDesired !== undefined && ofLive !== ofDesired) {
      // A shared item whose turn comes later is taken in our order.
      const isLater = isDesired.has(ofLive) && shared[next] !== undefined && shared[next] !== ofLive;
      if (isLater) {
        left++;
        continue;
      }
    }
    if (ofLive !== undefined && !isDesired.has(ofLive)) {
      order.add(ofLive);
      left++;
      continue;
    }
    if (ofLive !== undefined && (ofLive === ofDesired || order.has(ofLive))) left++;
    if (ofDesired === undefined) continue;
    order.add(ofDesired);
    right++;
    if (shared[next] === ofDesired) next++;
  }
  return [...order];
}

function below({ ours, others, members }: Place, member: string): Pick<Place, 'ours' | 'others' | 'members'> {
  const node = ours && own(ours, member);
  return {
    ours: isMap(node) ? node : undefined,
    others: holdersAt(others, member),
    members: [...members, member],
  };
}

function holdersAt(holders: readonly Holder[], member: string): Holder[] {
  return holders.flatMap(({ node, isApplied }) => {
    const found = own(node, member);
    return isMap(found) ? [{ node: found, isApplied }] : [];
  });
}

/** The member of a list item in field sets: the server writes the keys in order, with their defaults. */
function memberOf(item: Value, keys: readonly string[]): string {
  if (!isMap(item)) return `v:${textOf(item)}`;
  const fields = [...keys].sort().flatMap((key) => {
    const value = own(item, key) ?? KEY_DEFAULTS.get(key);
    return value === undefined ? [] : [`${JSON.stringify(key)}:${textOf(value)}`];
  });
  return `k:{${fields.join(',')}}`;
}

function textOf(value: Value): string {
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value);
}

/** Whether the server replaces a map as a whole. A map that was applied empty has the same field set, but is merged. */
function isAtomicMap({ isBuiltIn }: Context, { ours, others, path }: Place): boolean {
  if (path.length === 0 || path[0] === 'metadata') return false;
  if (isBuiltIn && EMPTY_STRUCTS.has(String(path[path.length - 1]))) return false;
  const nodes = [...(ours ? [ours] : []), ...others.map(({ node }) => node)];
  return nodes.length > 0 && nodes.every((node) => !hasFields(node));
}

function hasFields(node: FieldSet): boolean {
  for (const member in node) if (member.startsWith('f:')) return true;
  return false;
}

/** Names of the fields by which items are merged; empty for a set; undefined if the list is replaced as a whole. */
function keysHere({ kind, isBuiltIn }: Context, { ours, others, path }: Place): readonly string[] | undefined {
  for (const node of [...(ours ? [ours] : []), ...others.map((holder) => holder.node)]) {
    const type = listTypeOf(node);
    if (type === 'keyed') return keyNamesOf(keyedMembers(node).map(({ key }) => key));
    if (type === 'set') return [];
  }
  return isBuiltIn ? keysOfList(kind, path.map(String)) : undefined;
}

/** The part of a value that other managers own; undefined if there is none. */
function heldPart(live: Value, others: readonly Holder[]): Value | undefined {
  if (others.length === 0) return undefined;
  if (others.some(({ node }) => isLeaf(node))) return live;
  if (isMap(live)) {
    const part = newMap();
    for (const key of Object.keys(live)) {
      const value = heldPart(live[key] ?? null, holdersAt(others, `f:${key}`));
      if (value !== undefined) part[key] = value;
    }
    return part;
  }
  if (!Array.isArray(live)) return live;
  const keys = keyNamesOf(others.flatMap(({ node }) => keyedMembers(node).map(({ key }) => key)));
  return live.flatMap((item) => {
    const part = heldPart(item, holdersAt(others, memberOf(item, keys)));
    return part === undefined ? [] : [withKey(part, item, keys)];
  });
}

function leftoverOf(context: Context, { live, others, path, members }: Place): Leftover {
  const value = live ?? null;
  const isApplied = others.some((holder) => holder.isApplied);
  const isOwned = others.length > 0;
  // An item that a person has added is removed as a whole: without one of its fields it would mean something else.
  const hasParts = isApplied || (isOwned && !isItem(members));
  const parts = hasParts ? partsOf(context, { live: value, others, path, members }) : [];
  return { path, members, value, isApplied, isOwned, parts };
}

function isItem(members: readonly string[]): boolean {
  return members[members.length - 1]?.startsWith('k:') === true;
}

type Held = Pick<Place, 'others' | 'path' | 'members'> & { readonly live: Value };

/** The fields of a map and the items of a keyed list, without the keys of an item. */
function partsOf(context: Context, { live, others, path, members }: Held): Leftover[] {
  const nodes = others.map(({ node }) => node);
  const part = (child: Value, member: string, step: string | number): Leftover =>
    leftoverOf(context, {
      desired: undefined,
      live: child,
      ours: undefined,
      others: holdersAt(others, member),
      path: [...path, step],
      members: [...members, member],
    });
  if (isMap(live) && nodes.some(hasFields)) {
    const keys = keysOfItem(members[members.length - 1] ?? '');
    return Object.keys(live)
      .filter((key) => !keys.includes(key))
      .map((key) => part(live[key] ?? null, `f:${key}`, key));
  }
  if (!Array.isArray(live)) return [];
  const keyed = nodes.find((node) => listTypeOf(node) === 'keyed');
  if (!keyed) return [];
  const keys = keyNamesOf(keyedMembers(keyed).map(({ key }) => key));
  return live.map((item, index) => part(item, memberOf(item, keys), index));
}

function keysOfItem(member: string): string[] {
  const [first] = keyedMembers({ [member]: {} });
  return first ? Object.keys(first.key) : [];
}
