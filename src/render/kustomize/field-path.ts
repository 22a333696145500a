/**
 * Paths of replacements and vars: members separated by dots, `[name=value]` for an element of a list, numbers for
 * indices, `*` for every element.
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

/** Splits a path at dots outside brackets; `[a.b]` without `=` is the member `a.b`. */
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

/** The node at a path that names one node; undefined if it is missing. */
export function lookup(root: YamlNode, path: readonly string[]): YamlNode | undefined {
  let node: YamlNode | undefined = root;
  for (const part of path.map((one) => one.trim()).filter((one) => one !== '')) {
    if (node === undefined || isNothing(node)) return undefined;
    if (part === '*') fail('KustomizationInvalid', 'the path of a source must not contain *');
    if (/^[+-]?\d+$/.test(part) || part === '-') {
      if (!isYamlList(node)) return failShape(part, 'list');
      node = part === '-' ? node.at(-1) : node[Number(part)];
    } else if (isBracket(part)) node = elementOf(node, part);
    else if (isYamlMap(node)) node = node.get(part);
    else return failShape(part, 'map');
  }
  return node;
}

function failShape(part: string, wanted: 'map' | 'list'): never {
  return fail('KustomizationInvalid', `"${part}" in a path needs a ${wanted}, but the field is not a ${wanted}`);
}

function isBracket(part: string): boolean {
  return part.startsWith('[') && part.endsWith(']');
}

function elementOf(node: YamlNode, part: string): YamlNode | undefined {
  if (!isYamlList(node)) return failShape(part, 'list');
  const { field, value } = splitBracket(part);
  if (field === '') return node.find((item) => textOf(item) === value);
  return node.find((item) => isYamlMap(item) && item.has(field) && textOf(item.get(field)) === value);
}

function splitBracket(part: string): { field: string; value: string } {
  const inner = part.slice(1, -1);
  const equals = inner.indexOf('=');
  if (equals < 0) return fail('KustomizationInvalid', `"${part}" in a path must have the form [field=value]`);
  return { field: inner.slice(0, equals), value: inner.slice(equals + 1) };
}

/** The node that is created if the end of a path is missing; undefined creates nothing. */
export type CreatedNode = 'scalar' | 'map' | 'list' | undefined;

/** A scalar that was created for a path. A text that is written there later takes the type that it looks like. */
export const CREATED_SCALAR: YamlNode = Object.freeze({ text: '', value: null });

/** A reference to one node in a tree, to read or replace it. */
export interface NodeRef {
  readonly get: () => YamlNode;
  readonly put: (node: YamlNode) => void;
}

/** The nodes at a path, created if `creates` is given and they are missing. Fails if an index is out of range. */
export function nodeRefsAt(root: NodeRef, path: readonly string[], creates: CreatedNode): NodeRef[] {
  const [part, ...rest] = path;
  if (part === undefined) return [root];
  const node = root.get();
  if (/^\+?\d+$/.test(part)) return refsAtIndex(node, Number(part), rest, creates);
  if (isBracket(part)) return refsOfElements(node, part, rest, creates);
  if (part === '*') {
    if (isNothing(node)) return [];
    if (!isYamlList(node)) return failShape(part, 'list');
    return node.flatMap((_, index) => nodeRefsAt(elementRef(node, index), rest, creates));
  }
  return refsOfField(node, part, rest, creates);
}

function elementRef(list: YamlNode[], index: number): NodeRef {
  return { get: () => list[index] as YamlNode, put: (node) => (list[index] = node) };
}

function refsOfField(node: YamlNode, name: string, rest: readonly string[], creates: CreatedNode): NodeRef[] {
  if (isNothing(node)) return [];
  if (!isYamlMap(node)) return failShape(name, 'map');
  const map: YamlMap = node;
  if (!map.has(name)) {
    if (creates === undefined) return [];
    map.set(name, createNode(rest[0], creates));
  }
  return nodeRefsAt({ get: () => map.get(name) as YamlNode, put: (value) => assign(map, name, value) }, rest, creates);
}

function refsAtIndex(node: YamlNode, index: number, rest: readonly string[], creates: CreatedNode): NodeRef[] {
  if (isNothing(node)) return [];
  if (!isYamlList(node)) return failShape(String(index), 'list');
  if (node.length === index && creates !== undefined) node.push(createNode(rest[0], creates));
  if (index >= node.length) {
    return fail('KustomizationInvalid', `a path names element ${index} of a list of ${node.length}`);
  }
  return nodeRefsAt(elementRef(node, index), rest, creates);
}

function refsOfElements(node: YamlNode, part: string, rest: readonly string[], creates: CreatedNode): NodeRef[] {
  if (isNothing(node)) return [];
  if (!isYamlList(node)) return failShape(part, 'list');
  const { field, value } = splitBracket(part);
  const matches =
    compilePattern(value) ?? fail('KustomizationInvalid', `"${value}" in a path is not a regular expression`);
  const find = (): NodeRef[] =>
    node.flatMap((item, index) => {
      if (field === '') return matches(textOf(item).trim()) ? [elementRef(node, index)] : [];
      const own = isYamlMap(item) ? item.get(field) : undefined;
      if (own === undefined || !matches(textOf(own).trim())) return [];
      return nodeRefsAt(elementRef(node, index), rest, creates);
    });
  const found = find();
  if (found.length > 0 || creates === undefined) return found;
  node.push(field === '' ? resolvePlain(value) : new Map([[field, resolvePlain(value)]]));
  return find();
}

/** A new node on a path: a list or a map for the next part, or the kind of node that is to be written at the end. */
function createNode(next: string | undefined, creates: Exclude<CreatedNode, undefined>): YamlNode {
  if (next !== undefined) return isBracket(next) || /^\+?\d+$/.test(next) ? [] : new Map();
  return creates === 'map' ? new Map() : creates === 'list' ? [] : CREATED_SCALAR;
}
