/**
 * Removes ignored fields from a desired object, its live object and our field set at once, and builds the body to send.
 *
 * Invariant: the body never removes or changes an ignored field of the live object. A field is left out only if we do
 * not own it, or another manager owns it too. Fields that only we own, fields without an owner, and parts of an atomic
 * value that we send go out with their live value. Inputs are not modified; unchanged parts are shared.
 */
import { OWNER_ANNOTATION, PART_OF_LABEL } from '../object/applyset.ts';
import { isLeaf, keyedMembers, listTypeOf, type FieldSet } from '../object/field-set.ts';
import { isMap, newMap, own, type Value, type ValueMap } from '../object/value.ts';
import { keyNamesOf } from './compare-list.ts';
import { cutItems, cutPositions } from './cut-lists.ts';
import { nodeOf, nodesOf, ownedWhole, type CutContext, type Parts, type Place } from './cut-place.ts';
import { keepLive } from './keep-live.ts';
import { isFreeMap, keysOfList } from './known-values.ts';

export function cutFields(context: CutContext, place: Place): Parts {
  const { desired, live, owned, paths, ignoredNodes, tokens } = place;
  if (paths.isEmpty && ignoredNodes.length === 0) return { desired, live, owned, sent: desired };
  if (isMarkHolder(tokens)) return cutMap(context, { ...place, paths: paths.withEveryKey() });
  if (paths.isEnd || ignoredNodes.some(isLeaf)) {
    return { desired: undefined, live: undefined, owned: undefined, sent: keepLive(context, place) };
  }
  if (Array.isArray(desired) || (desired === undefined && Array.isArray(live))) return cutList(context, place);
  if (isMap(desired) || (desired === undefined && isMap(live))) return cutMap(context, place);
  return { desired, live, owned, sent: desired };
}

/** Never ignored: the object's address, our owner marks, and fields that only the server writes. */
function isExempt(tokens: readonly string[]): boolean {
  const [first, second, third] = tokens;
  if (tokens.length === 1) return first === 'apiVersion' || first === 'kind';
  if (first !== 'metadata') return false;
  if (tokens.length === 2) return second !== 'labels' && second !== 'annotations' && second !== 'finalizers';
  return tokens.length === 3 && (third === PART_OF_LABEL || third === OWNER_ANNOTATION);
}

/** Maps that hold exempt fields are never ignored as a whole. */
function isMarkHolder(tokens: readonly string[]): boolean {
  if (tokens.length === 0) return true;
  if (tokens[0] !== 'metadata') return false;
  return tokens.length === 1 || (tokens.length === 2 && isFreeMap(tokens[1]));
}

function cutMap(context: CutContext, place: Place): Parts {
  const { desired, live, owned, others, ignoredNodes, tokens } = place;
  const isAtomic = place.isAtomic || isAtomicHere(place);
  const left = { desired: copyOf(desired), live: copyOf(live), owned: copyOf(owned), sent: copyOf(desired) };
  for (const key of keysToCut(place)) {
    const below = [...tokens, key];
    if (place.keyNames?.includes(key) || isExempt(below)) continue;
    const member = `f:${key}`;
    const parts = cutFields(context, {
      desired: memberOf(desired, key),
      live: memberOf(live, key),
      owned: isAtomic ? undefined : nodeOf(owned, member),
      others: isAtomic ? [] : nodesOf(others, member),
      paths: place.paths.below(key),
      ignoredNodes: nodesOf(ignoredNodes, member),
      tokens: below,
      isAtomic,
    });
    put(left.desired, key, parts.desired);
    put(left.live, key, parts.live);
    if (!isAtomic) put(left.owned, member, parts.owned);
    put(left.sent, key, parts.sent);
  }
  const sides = {
    desired: isMap(desired) ? unlessEmptied(left.desired, desired) : desired,
    live: isMap(live) ? unlessEmptied(left.live, live) : live,
  };
  return {
    ...sides,
    owned: isLeaf(left.owned) ? ownedWhole(place, sides) : left.owned,
    sent: unlessEmptied(left.sent, isMap(desired) ? desired : { left: null }),
  };
}

function cutList(context: CutContext, place: Place): Parts {
  const keys = place.isAtomic ? undefined : keysHere(context, place);
  return keys ? cutItems(context, { place, keys, cut: cutFields }) : cutPositions(context, { place, cut: cutFields });
}

/** Names of the fields by which items are merged; empty for a set; undefined if the list is atomic or unknown. */
function keysHere({ kind, isLenient }: CutContext, { owned, others, tokens }: Place): readonly string[] | undefined {
  for (const node of owned ? [owned, ...others] : others) {
    const type = listTypeOf(node);
    if (type === 'keyed') return keyNamesOf(keyedMembers(node).map(({ key }) => key));
    if (type === 'set') return [];
  }
  return isLenient ? keysOfList(kind, tokens) : undefined;
}

/** Whether the server treats the map as one value. An empty map has the same field set, but is merged. */
function isAtomicHere({ desired, owned, others, tokens }: Place): boolean {
  if (tokens.length === 0 || isMarkHolder(tokens) || !isMap(desired) || Object.keys(desired).length === 0) return false;
  return owned ? isLeaf(owned) : others.some(isLeaf);
}

function keysToCut({ desired, live, owned, paths, ignoredNodes }: Place): Set<string> {
  const keys = new Set<string>();
  for (const key of [...keysOf(desired), ...keysOf(live), ...fieldsOf(owned)]) if (paths.leadsTo(key)) keys.add(key);
  for (const node of ignoredNodes) for (const key of fieldsOf(node)) keys.add(key);
  return keys;
}

function keysOf(value: Value | undefined): string[] {
  return isMap(value) ? Object.keys(value) : [];
}

function fieldsOf(node: FieldSet | undefined): string[] {
  return keysOf(node).flatMap((member) => (member.startsWith('f:') ? [member.slice(2)] : []));
}

function memberOf(value: Value | undefined, key: string): Value | undefined {
  return isMap(value) ? own(value, key) : undefined;
}

function copyOf(value: Value | undefined): ValueMap {
  return newMap(isMap(value) ? Object.entries(value) : []);
}

function put(map: ValueMap, key: string, value: Value | undefined): void {
  if (value === undefined) delete map[key];
  else map[key] = value;
}

/** A map whose entries were all ignored is not a difference itself. */
function unlessEmptied(map: ValueMap, before: ValueMap): ValueMap | undefined {
  return Object.keys(map).length === 0 && Object.keys(before).length > 0 ? undefined : map;
}
