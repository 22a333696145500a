/**
 * Makes a JSON patch (RFC 6902) from the live object to the desired one. It has three parts: tests of the list items
 * that are meant, changes of fields, and changes of the items of merged lists.
 *
 * Invariant: a patch changes the places that the comparison found and no other, its indexes are those of the live
 * object, and no value of a Secret or of a sealed file is in it.
 */
import jsonPatch from 'fast-json-patch';
import { fieldNodeAt, isLeaf, ItemIndex, keyedMembers, type FieldSet } from '../object/field-set.ts';
import { formatPointer, parsePointer } from '../object/pointer.ts';
import { isSensitivePath, maskValue } from '../object/redact.ts';
import { isMap, newMap, own, type KubeObject, type Value, type ValueMap } from '../object/value.ts';
import type { ObjectPatch, PatchOperation } from './changes.ts';
import { keyNamesOf, signatureOf } from './compare-list.ts';
import { patchList, type Address, type ListChange } from './list-patch.ts';
import type { Finding, ListMatch } from './walk.ts';

/** An object with this many findings gets no patch. The API server takes at most 10,000 operations in one patch. */
export const MAX_FINDINGS = 1000;
/** An object gets no patch if items of a longer list are to be added, removed or moved. */
const MAX_ITEMS = 1000;

/** A masked patch tests for this name first. No object can have it, so every server refuses the patch. */
const MASKED = 'values of Secrets are masked: this patch cannot be applied';

interface Sides {
  /** As it is sent, or as a dry run returned it. */
  readonly desired: KubeObject;
  readonly live: KubeObject;
  /** No value of the object is shown. */
  readonly isSealed?: boolean | undefined;
}

/** `findings` come from a comparison of the two whole objects. Undefined: nothing to change, or too much. */
export function patchOf(
  findings: readonly Finding[],
  { desired, live, isSealed = false }: Sides,
): ObjectPatch | undefined {
  if (findings.length >= MAX_FINDINGS) return undefined;
  const parts = { guards: new Map(), before: newMap(), after: newMap(), values: [], lists: new Map() };
  const draft: Draft = { desired, live, items: new ItemIndex(), ...parts };
  for (const finding of findings) record(draft, finding);
  // Lists inside items come first, while the items are where they are in the live object.
  const lists = [...draft.lists.values()].sort((a, b) => b.address.length - a.address.length);
  if (lists.some((list) => (list.live ?? []).length > MAX_ITEMS)) return undefined;
  const listOperations = lists.flatMap((list) => changeList(draft, list));
  const changes = [...fieldOperations(draft), ...listOperations];
  return changes.length === 0 ? undefined : masked([...draft.guards.values(), ...changes], live, isSealed);
}

/** Keeps the findings of the whole objects whose places also differ without the ignored fields (`compared`). */
export function findingsAmong(whole: readonly Finding[], compared: readonly Finding[]): readonly Finding[] {
  if (whole === compared) return whole;
  const known = compared.map((finding) => ({ place: placeOf(finding), isOrder: finding.reordered !== undefined }));
  return whole.filter((finding) => {
    const place = placeOf(finding);
    if (finding.reordered) return known.some((other) => other.isOrder && other.place === place);
    return known.some((other) => other.place.startsWith(place) || place.startsWith(other.place));
  });
}

/** Names a place by fields and keys. Ends at the first list without keys, since ignored items shift its indexes. */
function placeOf({ steps }: Finding): string {
  let place = '';
  for (const step of steps) {
    if (typeof step !== 'string' && !step.match) break;
    place += `${JSON.stringify(typeof step === 'string' ? step : signatureOf(step.item, step.match?.keys ?? []))}/`;
  }
  return place;
}

interface Draft extends Sides {
  readonly items: ItemIndex;
  /** Tests of list items, by pointer. */
  readonly guards: Map<string, PatchOperation>;
  /**
   * The parts of both objects that lead to changed fields, for the library to compare. The library clones values as
   * JSON, which has no integers beyond 2^53, and compares lists by index. So lists are maps by index here, and each
   * value is a text: an index into `values`, or empty for a live value.
   */
  readonly before: ValueMap;
  readonly after: ValueMap;
  readonly values: Value[];
  /** By pointer. */
  readonly lists: Map<string, ListChange>;
}

function record(draft: Draft, finding: Finding): void {
  const { steps, desired, live, reordered, held } = finding;
  // We own the field, but neither side has it: there is nothing to remove.
  if (desired === undefined && live === undefined) return;
  const address = addressOf(finding);
  guardItems(draft, finding);
  // In a list without keys an item is replaced whole. Its fields may depend on each other, and a default of the old
  // item may be invalid in the new one.
  const depth = steps.findIndex((step) => typeof step !== 'string' && !step.match) + 1;
  if (depth > 0) {
    const place = steps.slice(0, depth).map((step) => (typeof step === 'string' ? step : (step.index ?? -1)));
    return changeField(draft, address.slice(0, depth), valueAtAddress(draft.desired, place));
  }
  if (reordered) return void listAt(draft, address, reordered);
  const last = steps[steps.length - 1];
  if (held && live !== undefined) {
    const keys = typeof last === 'object' ? last.match?.keys : undefined;
    return removeUnheld(draft, { address, value: live, held, ...(keys ? { keys } : {}) });
  }
  if (typeof last !== 'object' || !last.match) return changeField(draft, address, desired);
  const { index, position, match } = last;
  if (position === undefined && index !== undefined && desired !== undefined) {
    listAt(draft, address.slice(0, -1), match).added.set(index, desired);
  } else if (position !== undefined && desired === undefined) {
    listAt(draft, address.slice(0, -1), match).removed.add(position);
  } else changeField(draft, address, desired);
}

interface Removal {
  readonly address: Address;
  readonly value: Value;
  readonly held: readonly FieldSet[];
  /** Names of the fields that make the key of the item that the value is. */
  readonly keys?: readonly string[];
}

/** Removes the parts of a live value that no other manager holds, as the server does when Git drops a field. */
function removeUnheld(draft: Draft, { address, value, held, keys = [] }: Removal): void {
  if (held.some(isLeaf)) return;
  if (Array.isArray(value)) return removeUnheldItems(draft, { address, value, held });
  if (!isMap(value)) return;
  for (const key of Object.keys(value)) {
    if (keys.includes(key)) continue;
    const nodes = held.map((node) => fieldNodeAt(node, [key], draft.items)).filter((node) => node !== undefined);
    if (nodes.length === 0) changeField(draft, [...address, key], undefined);
    else removeUnheld(draft, { address: [...address, key], value: value[key] ?? null, held: nodes });
  }
}

function removeUnheldItems(draft: Draft, { address, value, held }: Removal & { readonly value: Value[] }): void {
  const keys = keyNamesOf(held.flatMap(keyedMembers).map(({ key }) => key));
  const match = { keys, positions: [] };
  for (const [position, item] of value.entries()) {
    const nodes = held.map((node) => fieldNodeAt(node, [{ item }], draft.items)).filter((node) => node !== undefined);
    if (nodes.some(isLeaf)) continue;
    const at = [...address, position];
    guardItem(draft, at, match);
    if (nodes.length === 0) listAt(draft, address, match).removed.add(position);
    else removeUnheld(draft, { address: at, value: item, held: nodes, keys });
  }
}

/** The address in the live object. An item that is not live gets the index -1, which leads nowhere. */
function addressOf({ tokens, steps }: Finding): Address {
  return steps.map((step, index) => (typeof step === 'string' ? (tokens[index] ?? step) : (step.position ?? -1)));
}

function listAt(draft: Draft, address: Address, match: ListMatch): ListChange {
  const pointer = formatPointer(address);
  const known = draft.lists.get(pointer);
  if (known) return known;
  const live = valueAtAddress(draft.live, address);
  const list: ListChange = {
    address,
    live: Array.isArray(live) ? live : undefined,
    match,
    added: new Map(),
    removed: new Set(),
  };
  draft.lists.set(pointer, list);
  return list;
}

function changeList(draft: Draft, list: ListChange): readonly PatchOperation[] {
  const { address, live, match, added } = list;
  if (!live) {
    const items = [...added].sort(([a], [b]) => a - b).map(([, item]) => item);
    changeField(draft, address, items);
    return [];
  }
  const { moved, operations } = patchList(list);
  for (const position of moved) guardItem(draft, [...address, position], match);
  return operations;
}

function changeField({ live, before, after, values }: Draft, address: Address, desired: Value | undefined): void {
  let from: ValueMap | undefined = before;
  let to = after;
  let at: Value | undefined = live;
  for (const [index, token] of address.entries()) {
    const key = String(token);
    at = childOf(at, token);
    const next = address[index + 1];
    if (next === undefined) {
      if (at !== undefined && from) from[key] = '';
      if (desired !== undefined) to[key] = String(values.push(desired) - 1);
      return;
    }
    const isThere: boolean = typeof next === 'number' ? Array.isArray(at) : isMap(at);
    if (from && at !== undefined && !isThere) from[key] = '';
    from = from && isThere ? enter(from, key) : undefined;
    to = enter(to, key);
  }
}

function enter(map: ValueMap, key: string): ValueMap {
  const known = own(map, key);
  if (isMap(known)) return known;
  const made = newMap();
  map[key] = made;
  return made;
}

function fieldOperations({ before, after, values }: Draft): PatchOperation[] {
  const valueOf = (part: Value): Value => {
    if (typeof part === 'string') return values[Number(part)] ?? null;
    return isMap(part) ? newMap(Object.keys(part).map((key) => [key, valueOf(part[key] ?? null)] as const)) : part;
  };
  return jsonPatch
    .compare(before, after)
    .flatMap((operation): PatchOperation[] => {
      const { op, path } = operation;
      if (op === 'remove') return [{ op, path }];
      return op === 'add' || op === 'replace' ? [{ op, path, value: valueOf(operation.value as Value) }] : [];
    })
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** Tests every list item on the way to a finding, so that the patch fails if the list has changed meanwhile. */
function guardItems(draft: Draft, finding: Finding): void {
  const address = addressOf(finding);
  for (const [index, step] of finding.steps.entries()) {
    if (typeof step === 'string') continue;
    guardItem(draft, address.slice(0, index + 1), step.match);
    if (!step.match) return;
  }
}

/** Tests the key of an item; in a list without keys, the scalars in the item. */
function guardItem({ live, guards }: Draft, address: Address, match: ListMatch | undefined): void {
  const item = valueAtAddress(live, address);
  const expect = (at: Address, value: Value | undefined): void => {
    const path = formatPointer(at);
    if (value !== undefined && !isCollection(value)) guards.set(path, { op: 'test', path, value });
  };
  if (!isMap(item)) return expect(address, item);
  for (const key of match?.keys ?? Object.keys(item)) expect([...address, key], own(item, key));
}

function masked(operations: readonly PatchOperation[], live: KubeObject, isSealed: boolean): ObjectPatch {
  let isMasked = false;
  const shown = operations.map((operation): PatchOperation => {
    if (!('value' in operation)) return operation;
    const tokens = parsePointer(operation.path);
    const value = isSealed ? maskValue(operation.value) : maskBelow(live, tokens, operation.value);
    isMasked ||= value !== operation.value;
    return { ...operation, value };
  });
  const refusal: PatchOperation = { op: 'test', path: '/metadata/name', value: MASKED };
  return { operations: isMasked ? [refusal, ...shown] : shown, isMasked };
}

/** Returns the same value if nothing in it is sensitive. */
function maskBelow(live: KubeObject, tokens: readonly string[], value: Value): Value {
  if (isSensitivePath(live, tokens)) return maskValue(value);
  // A sensitive place is at most three steps below the root.
  if (!isMap(value) || tokens.length > 2) return value;
  const shown = newMap(
    Object.keys(value).map((key) => [key, maskBelow(live, [...tokens, key], value[key] ?? null)] as const),
  );
  return Object.keys(value).every((key) => shown[key] === value[key]) ? value : shown;
}

function valueAtAddress(root: Value, address: Address): Value | undefined {
  let at: Value | undefined = root;
  for (const token of address) at = childOf(at, token);
  return at;
}

function childOf(value: Value | undefined, token: string | number): Value | undefined {
  if (typeof token === 'number') return Array.isArray(value) ? value[token] : undefined;
  return isMap(value) ? own(value, token) : undefined;
}

function isCollection(value: Value): boolean {
  return Array.isArray(value) || isMap(value);
}
