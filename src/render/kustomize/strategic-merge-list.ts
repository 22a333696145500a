/**
 * Merges two lists by the keys of their elements, as kustomize does, including its treatment of elements that lack some
 * of the keys. The elements of the patch come first, then the others of the target. Elements are the same if the texts
 * of their keys are equal.
 */
import { isNothing, isYamlMap, textOf, type YamlNode } from '../../object/yaml/node.ts';
import { resolvePlain } from '../../object/yaml/scalar.ts';
import { fail } from '../fail.ts';

export interface ListMerge {
  /** Merges two elements with the same key; either may be missing. */
  readonly mergeElements: (target: YamlNode | undefined, patch: YamlNode | undefined) => YamlNode | undefined;
  readonly target: YamlNode[];
  /** The target itself for a list that is only in the patch. */
  readonly patch: YamlNode[] | undefined;
  /** Empty for a list of scalars. */
  readonly keys: readonly string[];
}

export function mergeKeyedList(merge: ListMerge): YamlNode[] {
  const { target, patch } = merge;
  const sources = patch === undefined ? [target] : [patch, target];
  const isKeyed = merge.keys.length > 0;
  const keys = isKeyed ? merge.keys : [''];
  const wanted = isKeyed ? keyTexts(sources, keys) : scalarTexts(sources);
  if (wanted.length === 0) return target;
  const plain = isKeyed ? plainKeys(sources, wanted, keys) : undefined;
  if (plain) return mergePlainList(merge, { ...plain, wanted });
  if (keys.length > 1) completeFromEachOther(wanted);
  const merged: YamlNode[] = [];
  let usedKeys: readonly string[] = keys;
  for (const values of wanted) {
    const used = withoutUnusedKeys(wanted, values, keys);
    usedKeys = used.keys;
    const element = mergeElement(merge, used);
    if (isNothing(element) || (isYamlMap(element) && element.size === 0)) replaceElements(target, undefined, used);
    else replaceElements(merged, element, used);
  }
  appendRest(merged, target, usedKeys);
  return merged;
}

interface PlainKeys {
  /** The fields that every element sets. No element sets any of the others. */
  readonly keys: readonly string[];
  /** By source: the elements by their keys. */
  readonly elements: readonly ReadonlyMap<string, YamlNode>[];
}

/**
 * The keys of the usual list, in which all elements are maps that set the same fields of the key, each with other
 * texts. undefined: the list is another one, for which the rules of kustomize need a look at all other elements.
 */
function plainKeys(
  sources: readonly YamlNode[][],
  wanted: readonly (readonly string[])[],
  all: readonly string[],
): PlainKeys | undefined {
  const isSet = all.map((_, index) => wanted[0]?.[index] !== '');
  if (!isSet.includes(true)) return undefined;
  if (!wanted.every((values) => values.every((value, index) => (value !== '') === isSet[index]))) return undefined;
  const keys = all.filter((_, index) => isSet[index]);
  const elements: Map<string, YamlNode>[] = [];
  for (const source of sources) {
    const byKey = new Map<string, YamlNode>();
    for (const item of source) if (isYamlMap(item)) byKey.set(plainKeyOf(item, keys), item);
    if (byKey.size !== source.length) return undefined;
    elements.push(byKey);
  }
  return { keys, elements };
}

function plainKeyOf(item: YamlNode, keys: readonly string[]): string {
  return JSON.stringify(keys.map((key) => (isYamlMap(item) ? textOf(item.get(key)) : '')));
}

/** The result of the general way for a list with plain keys, in time proportional to its length. */
function mergePlainList(
  merge: ListMerge,
  { keys, elements, wanted }: PlainKeys & { readonly wanted: readonly (readonly string[])[] },
): YamlNode[] {
  const patched = merge.patch === undefined ? undefined : elements[0];
  const targets = elements[elements.length - 1] ?? new Map<string, YamlNode>();
  const merged = new Map<string, YamlNode>();
  const removed = new Set<YamlNode>();
  for (const texts of wanted) {
    const values = texts.filter((text) => text !== '');
    const key = JSON.stringify(values);
    const target = targets.get(key);
    const element = mergePair(merge, { keys, values }, { target, patch: patched?.get(key) });
    if (element === undefined || isNothing(element) || (isYamlMap(element) && element.size === 0)) {
      if (target !== undefined) removed.add(target);
    } else merged.set(key, element);
  }
  const kept = merge.target.filter((item) => !removed.has(item));
  if (removed.size > 0) {
    merge.target.length = 0;
    for (const item of kept) merge.target.push(item);
  }
  for (const item of kept) {
    const key = plainKeyOf(item, keys);
    // As in kustomize, elements with a key of several fields come after those that only the patch has.
    if (keys.length > 1) merged.delete(key);
    merged.set(key, item);
  }
  return [...merged.values()];
}

interface ElementKey {
  readonly keys: readonly string[];
  readonly values: readonly string[];
}

function mergeElement(merge: ListMerge, used: ElementKey): YamlNode | undefined {
  const own = withoutUnusedKeys([used.values], used.values, used.keys);
  const target = findElement(merge.target, own);
  const patch = merge.patch === undefined ? undefined : findElement(merge.patch, own);
  return mergePair(merge, used, { target, patch });
}

function mergePair(
  merge: ListMerge,
  used: ElementKey,
  { target, patch }: { readonly target: YamlNode | undefined; readonly patch: YamlNode | undefined },
): YamlNode | undefined {
  const element = merge.mergeElements(target, patch);
  if (isYamlMap(element) && element.size > 0) {
    used.keys.forEach((key, index) => {
      const text = used.values[index] ?? '';
      if (!element.has(key) && text !== '') element.set(key, resolvePlain(text));
    });
  }
  return element;
}

/** The distinct keys of all elements, those of the patch first; a missing key is the empty text. */
function keyTexts(sources: readonly YamlNode[][], keys: readonly string[]): string[][] {
  const found = new Map<string, string[]>();
  for (const source of sources) {
    for (const item of source) {
      const values = keys.map((key) => (isYamlMap(item) && !isEmptyField(item.get(key)) ? textOf(item.get(key)) : ''));
      const id = JSON.stringify(values);
      if (!found.has(id)) found.set(id, values);
    }
  }
  return [...found.values()];
}

function isEmptyField(node: YamlNode | undefined): boolean {
  return isNothing(node) || (isYamlMap(node) && node.size === 0) || (Array.isArray(node) && node.length === 0);
}

function scalarTexts(sources: readonly YamlNode[][]): string[][] {
  const texts = new Set<string>();
  for (const source of sources) for (const item of source) texts.add(textOf(item));
  return Array.from(texts, (text) => [text]);
}

/**
 * Unites two tuples if they are equal in at least one key and differ in none that both have: each gets the keys that it
 * lacks from the other.
 */
function completeFromEachOther(tuples: string[][]): void {
  tuples.forEach((first, i) => {
    // As in kustomize, `first` stays the original tuple, even after a union has replaced it in the list.
    tuples.forEach((_, j) => {
      const united = unite(first, tuples[j] as string[]);
      if (united === undefined) return;
      tuples[i] = united;
      tuples[j] = united;
    });
  });
}

function unite(a: readonly string[], b: readonly string[]): string[] | undefined {
  let isCommon = false;
  const united: string[] = [];
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? '';
    if (left === right) isCommon = true;
    else if (left !== '' && right !== '') return undefined;
    united.push(left === '' ? right : left);
  }
  return isCommon ? united : undefined;
}

/** Leaves out the keys that no tuple uses. If no key is used, all stay. */
function withoutUnusedKeys(
  tuples: readonly (readonly string[])[],
  values: readonly string[],
  keys: readonly string[],
): ElementKey {
  const used = new Set(keys.filter((_, index) => tuples.some((tuple) => (tuple[index] ?? '') !== '')));
  if (used.size === 0) return { keys, values };
  return {
    keys: keys.filter((key) => used.has(key)),
    values: values.filter((value, index) => value !== '' || used.has(keys[index] ?? '')),
  };
}

function findElement(list: readonly YamlNode[], { keys, values }: ElementKey): YamlNode | undefined {
  if ((keys[0] ?? '') === '') return list.find((item) => textOf(item) === (values[0] ?? ''));
  return list.find(
    (item) => isYamlMap(item) && keys.every((key, index) => item.has(key) && textOf(item.get(key)) === values[index]),
  );
}

/**
 * Replaces every element that has the key, or appends the element if there is none. Without an element, those with the
 * key are removed. Empty elements are always removed.
 */
function replaceElements(list: YamlNode[], element: YamlNode | undefined, key: ElementKey): void {
  const kept: YamlNode[] = [];
  let isFound = false;
  for (const item of list) {
    if (isNothing(item) || (isYamlMap(item) && item.size === 0)) continue;
    if (!isYamlMap(item) && (key.keys[0] ?? '') !== '' && (key.values[0] ?? '') !== '') kept.push(item);
    else if (!hasKey(item, key)) {
      if (key.values.length > 0) kept.push(item);
    } else {
      isFound = true;
      if (element !== undefined) kept.push(element);
    }
  }
  if (element !== undefined && !isFound) kept.push(element);
  list.splice(0, list.length, ...kept);
}

/**
 * Whether an element has the key. An empty text matches every value. If there are fewer texts than keys, the result of
 * the last text counts for the other keys.
 */
function hasKey(item: YamlNode, { keys, values }: ElementKey): boolean {
  let isMatch = false;
  for (const [index, key] of keys.entries()) {
    const value = values[index];
    if (value !== undefined) isMatch = matchesField(item, key, value);
    if (!isMatch) return false;
  }
  return true;
}

function matchesField(item: YamlNode, key: string, value: string): boolean {
  if (key === '') return !isYamlMap(item) && textOf(item) === value;
  if (!isYamlMap(item))
    return fail('KustomizationInvalid', `a list that is merged by ${key} has an element that is not a map`);
  return item.has(key) && (value === '' || textOf(item.get(key)) === value);
}

/** Appends the elements of the target that are not merged yet; an element that lacks a key is added unchanged. */
function appendRest(merged: YamlNode[], rest: readonly YamlNode[], keys: readonly string[]): void {
  for (const item of rest) {
    if ((keys[0] ?? '') === '') {
      replaceElementsWith(merged, item, { keys: [''], values: [textOf(item)] });
      continue;
    }
    const values: string[] = [];
    for (const key of keys) {
      const field = isYamlMap(item) ? item.get(key) : undefined;
      if (field === undefined) merged.push(item);
      else values.push(textOf(field));
    }
    if (keys.length > 1) replaceElements(merged, undefined, { keys, values });
    replaceElementsWith(merged, item, { keys, values });
  }
}

function replaceElementsWith(list: YamlNode[], element: YamlNode, key: ElementKey): void {
  if (isNothing(element)) return replaceElements(list, undefined, key);
  replaceElements(list, element, key);
}
