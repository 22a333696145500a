/**
 * Paths of replacements and vars: members parted by dots, `[name=value]` for an element of a list, numbers for indices,
 * `*` for every element.
 */
import {
  assign,
  isNothing,
  isYamlList,
  isYamlMap,
  textOf,
  type YamlMap,
  type YamlNode,
} from '../../object/yaml/node.ts';
import { resolvePlain } from '../../object/yaml/scalar.ts';
import { fail } from '../fail.ts';
import { splitPath } from './field-spec.ts';
import { compilePattern } from './pattern.ts';

/** Splits at dots, but not inside brackets; `[a.b]` without `=` is the member `a.b`. */
export function smartPath(path: string): string[] {
  const parts = splitPath(path, '.');
  const result: string[] = [];
  for (let at = 0; at < parts.length; at += 1) {
    let part = parts[at] as string;
    if (part.startsWith('[') && !part.endsWith(']')) {
      while (at < parts.length - 1) {
        at += 1;
        part += `.${parts[at]}`;
        if ((parts[at] as string).endsWith(']')) break;
      }
      if (!part.includes('=')) part = part.replace(/^[[\]]+|[[\]]+$/g, '');
    }
    result.push(part);
  }
  return result;
}

/** What stands at a path that names one node; undefined if there is nothing. */
export function lookup(root: YamlNode, path: readonly string[]): YamlNode | undefined {
  let node: YamlNode | undefined = root;
  for (const part of path.map((one) => one.trim()).filter((one) => one !== '')) {
    if (node === undefined || isNothing(node)) return undefined;
    if (part === '*') fail('KustomizationInvalid', 'a source cannot have * in its path');
    if (/^[+-]?\d+$/.test(part) || part === '-') {
      if (!isYamlList(node)) return fail('KustomizationInvalid', `"${part}" of a path needs a list`);
      node = part === '-' ? node.at(-1) : node[Number(part)];
    } else if (isBracket(part)) node = elementOf(node, part);
    else if (isYamlMap(node)) node = node.get(part);
    else return fail('KustomizationInvalid', `"${part}" of a path needs a map`);
  }
  return node;
}

function isBracket(part: string): boolean {
  return part.startsWith('[') && part.endsWith(']');
}

function elementOf(node: YamlNode, part: string): YamlNode | undefined {
  if (!isYamlList(node)) return fail('KustomizationInvalid', `"${part}" of a path needs a list`);
  const { field, value } = splitBracket(part);
  if (field === '') return node.find((item) => textOf(item) === value);
  return node.find((item) => isYamlMap(item) && item.has(field) && textOf(item.get(field)) === value);
}

function splitBracket(part: string): { field: string; value: string } {
  const inner = part.slice(1, -1);
  const equals = inner.indexOf('=');
  if (equals < 0) return fail('KustomizationInvalid', `"${part}" of a path must be of the form [field=value]`);
  return { field: inner.slice(0, equals), value: inner.slice(equals + 1) };
}

/** What a path makes where it leads nowhere; undefined makes nothing. */
export type Creates = 'scalar' | 'map' | 'list' | undefined;

/** A scalar that a path made: what is written there later takes its type from its text. */
export const MADE: YamlNode = Object.freeze({ text: '', value: null });

/** One place that a path leads to. */
export interface Slot {
  readonly get: () => YamlNode;
  readonly put: (node: YamlNode) => void;
}

/** All places that a path leads to, made where asked. Fails where an index is out of range. */
export function slotsAt(root: Slot, path: readonly string[], creates: Creates): Slot[] {
  const [part, ...rest] = path;
  if (part === undefined) return [root];
  const node = root.get();
  if (/^\+?\d+$/.test(part)) return slotsAtIndex(node, Number(part), rest, creates);
  if (isBracket(part)) return slotsOfElements(node, part, rest, creates);
  if (part === '*') {
    if (isNothing(node)) return [];
    if (!isYamlList(node)) return fail('KustomizationInvalid', '"*" of a path needs a list');
    return node.flatMap((_, index) => slotsAt(elementSlot(node, index), rest, creates));
  }
  return slotsOfField(node, part, rest, creates);
}

function elementSlot(list: YamlNode[], index: number): Slot {
  return { get: () => list[index] as YamlNode, put: (node) => (list[index] = node) };
}

function slotsOfField(node: YamlNode, name: string, rest: readonly string[], creates: Creates): Slot[] {
  if (isNothing(node)) return [];
  if (!isYamlMap(node)) return fail('KustomizationInvalid', `"${name}" of a path needs a map`);
  const map: YamlMap = node;
  if (!map.has(name)) {
    if (creates === undefined) return [];
    map.set(name, made(rest[0], creates));
  }
  return slotsAt({ get: () => map.get(name) as YamlNode, put: (value) => assign(map, name, value) }, rest, creates);
}

function slotsAtIndex(node: YamlNode, index: number, rest: readonly string[], creates: Creates): Slot[] {
  if (isNothing(node)) return [];
  if (!isYamlList(node)) return fail('KustomizationInvalid', `"${index}" of a path needs a list`);
  if (node.length === index && creates !== undefined) node.push(made(rest[0], creates));
  if (index >= node.length) {
    return fail('KustomizationInvalid', `a path names the element ${index}, and there are only ${node.length}`);
  }
  return slotsAt(elementSlot(node, index), rest, creates);
}

function slotsOfElements(node: YamlNode, part: string, rest: readonly string[], creates: Creates): Slot[] {
  if (isNothing(node)) return [];
  if (!isYamlList(node)) return fail('KustomizationInvalid', `"${part}" of a path needs a list`);
  const { field, value } = splitBracket(part);
  const matches =
    compilePattern(value) ?? fail('KustomizationInvalid', `"${value}" of a path is no regular expression`);
  const find = (): Slot[] =>
    node.flatMap((item, index) => {
      if (field === '') return matches(textOf(item).trim()) ? [elementSlot(node, index)] : [];
      const own = isYamlMap(item) ? item.get(field) : undefined;
      if (own === undefined || !matches(textOf(own).trim())) return [];
      return slotsAt(elementSlot(node, index), rest, creates);
    });
  const found = find();
  if (found.length > 0 || creates === undefined) return found;
  node.push(field === '' ? resolvePlain(value) : new Map([[field, resolvePlain(value)]]));
  return find();
}

/** What stands where nothing was: a list or a map if the path goes on, else what is written there. */
function made(next: string | undefined, creates: Exclude<Creates, undefined>): YamlNode {
  if (next !== undefined) return isBracket(next) || /^\+?\d+$/.test(next) ? [] : new Map();
  return creates === 'map' ? new Map() : creates === 'list' ? [] : MADE;
}
