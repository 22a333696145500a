/**
 * Compares lists that the server merges by item: keyed lists (`k:` in field sets) and sets (`v:`).
 *
 * Invariant: items that others added are not a difference. Ours must be present exactly once and in our order. A
 * reorder leaves no trace in managedFields, but a new apply restores our order.
 */
import { keyedMembers, setMembers, type FieldSet } from '../object/field-set.ts';
import { addMember, removeMember } from '../object/set-map.ts';
import { isMap, own, type Value, type ValueMap } from '../object/value.ts';
import { KEY_DEFAULTS } from './known-values.ts';
import { enter, leave, note, noteRemoval, type ListMatch, type Walk } from './walk.ts';

/** Compares one item with its live counterpart. `owned` is undefined if we own nothing of the item. */
type CompareItem = (walk: Walk, desired: Value, live: Value | undefined, owned: FieldSet | undefined) => void;

export interface ListSides {
  readonly desired: readonly Value[];
  readonly live: Value | undefined;
}

interface Member {
  readonly signature: string;
  readonly key: Value;
  readonly fields: FieldSet;
  isDesired: boolean;
}

/** Compares a list of which we own items. */
export function compareKeyedList(walk: Walk, sides: ListSides, owned: FieldSet, compareItem: CompareItem): void {
  const parsed = keyedMembers(owned);
  const keys = keyNamesOf(parsed.map(({ key }) => key));
  const members = new Map<string, Member>();
  for (const { key, fields } of parsed) {
    const signature = signatureOf(key, keys);
    members.set(signature, { signature, key, fields, isDesired: false });
  }
  const match = compareItems(walk, sides, { members, keys }, compareItem);
  const live = indexLive(sides.live, { keys, defaults: defaultsOf(walk) });
  for (const { signature, key, isDesired } of members.values()) {
    if (isDesired) continue;
    for (const position of live.get(signature) ?? [undefined]) {
      const item = position === undefined || !Array.isArray(sides.live) ? undefined : sides.live[position];
      enter(walk, String(position ?? '-'), { item: item ?? key, index: undefined, position, match });
      noteRemoval(walk, item);
      leave(walk);
    }
  }
}

/** Compares a list of which we own nothing and others own items by these keys. */
export function compareUnownedKeyedList(
  walk: Walk,
  sides: ListSides,
  keys: readonly string[],
  compareItem: CompareItem,
): void {
  compareItems(walk, sides, { members: new Map(), keys }, compareItem);
}

interface KeyForm {
  readonly keys: readonly string[];
  /** By key field: the value that counts where an item leaves the field out. */
  readonly defaults: ReadonlyMap<string, Value>;
}

const NO_DEFAULTS: ReadonlyMap<string, Value> = new Map();

function defaultsOf(walk: Walk): ReadonlyMap<string, Value> {
  return walk.isLenient ? KEY_DEFAULTS : NO_DEFAULTS;
}

interface Keyed {
  readonly members: ReadonlyMap<string, Member>;
  readonly keys: readonly string[];
}

function compareItems(walk: Walk, { desired, live }: ListSides, keyed: Keyed, compareItem: CompareItem): ListMatch {
  const form = { keys: keyed.keys, defaults: defaultsOf(walk) };
  const liveIndex = indexLive(live, form);
  const liveList = Array.isArray(live) ? live : [];
  const matched = matchMembers(desired, keyed.members, form);
  const match: ListMatch = { keys: form.keys, positions: [] };
  for (let index = 0; index < desired.length; index++) {
    const item = desired[index] ?? null;
    const member = matched[index];
    const found = liveIndex.get(member?.signature ?? signatureOf(item, form.keys, form.defaults)) ?? [];
    const position = found[0];
    const liveItem = position === undefined ? undefined : liveList[position];
    match.positions.push(position);
    enter(walk, String(index), { item: liveItem ?? item, index, position, match });
    // An item without its whole key may exist under a default of the key that is not known here.
    const isCertain = member !== undefined || (walk.hasEntry && hasWholeKey(item, form));
    if (liveItem === undefined) note(walk, { desired: item }, isCertain);
    else compareItem(walk, item, liveItem, member?.fields);
    leave(walk);
    // Further live items have the same key as ours. A new apply removes the duplicates.
    for (const further of found.slice(1)) {
      enter(walk, String(index), { item: liveItem ?? item, index, position: further, match });
      note(walk, { live: liveList[further] }, false);
      leave(walk);
    }
  }
  compareOrder(walk, match, { desired, live: liveList });
  return match;
}

/**
 * Finds our owned member for each desired item: by the whole key, else the only remaining member that agrees with the
 * key fields that the item sets.
 */
function matchMembers(
  desired: readonly Value[],
  members: ReadonlyMap<string, Member>,
  form: KeyForm,
): (Member | undefined)[] {
  const matched = desired.map((item) => {
    const member = members.get(signatureOf(item, form.keys, form.defaults));
    if (member) member.isDesired = true;
    return member;
  });
  const undesired = new UndesiredMembers(members, form.keys);
  for (let index = 0; index < desired.length; index++) {
    const item = desired[index] ?? null;
    if (matched[index] || !isMap(item) || hasWholeKey(item, form)) continue;
    matched[index] = undesired.takeOnlyFitting(item);
  }
  return matched;
}

/** Lists have four key fields at most in practice. With more ways to leave some of them out, items stay unmatched. */
const MAX_PARTIAL_KEYS = 32;

/** Finds the members that agree with a part of the key, without a look at each member for each item. */
class UndesiredMembers {
  readonly #members: ReadonlyMap<string, Member>;
  readonly #keys: readonly string[];
  /** By the names of the key fields that an item sets: the members by their values of these fields. */
  readonly #indexes = new Map<string, { names: readonly string[]; byValues: Map<string, Set<Member>> }>();

  constructor(members: ReadonlyMap<string, Member>, keys: readonly string[]) {
    this.#members = members;
    this.#keys = keys;
  }

  takeOnlyFitting(item: ValueMap): Member | undefined {
    const names = this.#keys.filter((key) => own(item, key) !== undefined);
    const fitting = this.#indexOf(names)?.get(valuesOf(item, names));
    const [only] = fitting ?? [];
    if (!only || fitting?.size !== 1) return undefined;
    only.isDesired = true;
    for (const { names: others, byValues } of this.#indexes.values()) {
      removeMember(byValues, valuesOf(only.key, others), only);
    }
    return only;
  }

  #indexOf(names: readonly string[]): ReadonlyMap<string, ReadonlySet<Member>> | undefined {
    const form = JSON.stringify(names);
    const known = this.#indexes.get(form);
    if (known) return known.byValues;
    if (this.#indexes.size === MAX_PARTIAL_KEYS) return undefined;
    const byValues = new Map<string, Set<Member>>();
    for (const member of this.#members.values()) {
      if (!member.isDesired) addMember(byValues, valuesOf(member.key, names), member);
    }
    this.#indexes.set(form, { names, byValues });
    return byValues;
  }
}

function valuesOf(key: Value, names: readonly string[]): string {
  return names.map((name) => scalarKey(isMap(key) ? own(key, name) : undefined)).join('\n');
}

function hasWholeKey(item: Value, { keys, defaults }: KeyForm): boolean {
  return isMap(item) && keys.every((key) => defaults.has(key) || own(item, key) !== undefined);
}

/** Compares sets of scalars, such as finalizers. */
export function compareSet(walk: Walk, { desired, live }: ListSides, owned: FieldSet | undefined): void {
  const ours = new Map((owned ? setMembers(owned) : []).map((value) => [scalarKey(value), value] as const));
  const liveList = Array.isArray(live) ? live : [];
  const liveIndex = new Map(liveList.map((value, index) => [scalarKey(value), index] as const));
  const match: ListMatch = { keys: [], positions: [] };
  for (let index = 0; index < desired.length; index++) {
    const value = desired[index] ?? null;
    const position = liveIndex.get(scalarKey(value));
    ours.delete(scalarKey(value));
    match.positions.push(position);
    if (position !== undefined) continue;
    enter(walk, String(index), { item: value, index, position, match });
    note(walk, { desired: value }, walk.hasEntry);
    leave(walk);
  }
  for (const [key, value] of ours) {
    const position = liveIndex.get(key);
    enter(walk, String(position ?? '-'), { item: value, index: undefined, position, match });
    noteRemoval(walk, position === undefined ? undefined : value);
    leave(walk);
  }
  compareOrder(walk, match, { desired, live: liveList });
}

function compareOrder(
  walk: Walk,
  match: ListMatch,
  { desired, live }: { desired: readonly Value[]; live: readonly Value[] },
): void {
  let last = -1;
  for (const position of match.positions) {
    if (position === undefined) continue;
    if (position <= last) return note(walk, { desired: [...desired], live: [...live], reordered: match }, false);
    last = position;
  }
}

/** Positions of live items by signature; several if an item is in the list more than once. */
function indexLive(live: Value | undefined, { keys, defaults }: KeyForm): Map<string, number[]> {
  const index = new Map<string, number[]>();
  if (!Array.isArray(live)) return index;
  for (let position = 0; position < live.length; position++) {
    const signature = signatureOf(live[position] ?? null, keys, defaults);
    const same = index.get(signature);
    if (same) same.push(position);
    else index.set(signature, [position]);
  }
  return index;
}

export function keyNamesOf(keys: readonly Value[]): string[] {
  const names = new Set<string>();
  for (const key of keys) if (isMap(key)) for (const name of Object.keys(key)) names.add(name);
  return [...names].sort();
}

/** Gives equal texts for list items with equal keys. */
export function signatureOf(item: Value, keys: readonly string[], defaults = NO_DEFAULTS): string {
  if (!isMap(item)) return scalarKey(item);
  let signature = '';
  for (const key of keys) {
    const said = own(item, key);
    const isLeftOut = said === undefined || said === null || (said === '' && defaults.has(key));
    signature += `${scalarKey(isLeftOut ? defaults.get(key) : said)}\n`;
  }
  return signature;
}

function scalarKey(value: Value | undefined): string {
  if (typeof value === 'string') return `"${value}`;
  if (typeof value === 'object' && value !== null)
    return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
  return String(value);
}
