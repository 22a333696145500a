/**
 * JSON patches (RFC 6902) with the leniencies of the library that kustomize uses (evanphx/json-patch 4): `replace` of a
 * missing last member adds it, indices may be negative, `test` against null passes on a missing member.
 *
 * Invariant: a patch that fails leaves the object half changed; callers give up the render then.
 */
import {
  copyNode,
  isNothing,
  isYamlList,
  isYamlMap,
  NULL,
  textOf,
  type YamlMap,
  type YamlNode,
} from '../../object/yaml/node.ts';
import { nodeToValue } from '../../object/yaml/node.ts';
import { isEqualValue } from '../../object/value.ts';
import { fail } from '../fail.ts';

export interface JsonOperation {
  readonly op: string;
  readonly path: string | undefined;
  readonly from: string | undefined;
  /** Undefined where the member is missing or null. */
  readonly value: YamlNode | undefined;
}

/** The operations that a tree holds; undefined if it is no list of maps. */
export function readOperations(root: YamlNode | undefined): JsonOperation[] | undefined {
  if (isNothing(root)) return [];
  if (!isYamlList(root) || !root.every((item) => isYamlMap(item))) return undefined;
  return root.map((item) => {
    const text = (name: string): string | undefined => {
      const node = item.get(name);
      return typeof node === 'string' ? node : undefined;
    };
    const value = item.get('value');
    return {
      op: text('op') ?? 'unknown',
      path: text('path'),
      from: text('from'),
      value: isNothing(value) ? undefined : value,
    };
  });
}

/** Applies a patch; returns the object, which may be another one than before. */
export function applyJsonPatch(object: YamlMap, operations: readonly JsonOperation[]): YamlMap {
  const document: Document = { root: object };
  for (const operation of operations) {
    const run = Object.hasOwn(OPERATIONS, operation.op) ? OPERATIONS[operation.op] : undefined;
    if (run === undefined) fail('KustomizationInvalid', `a JSON patch has the unknown operation "${operation.op}"`);
    run(document, operation);
  }
  if (!isYamlMap(document.root)) fail('KustomizationInvalid', 'a JSON patch makes a list of an object');
  return document.root;
}

interface Document {
  root: YamlMap | YamlNode[];
}

const OPERATIONS: Readonly<Record<string, (document: Document, operation: JsonOperation) => void>> = {
  add: (document, operation) => {
    const { parent, key } = find(document, operation.path, operation.op);
    addTo(parent, key, fresh(operation.value), operation);
  },
  remove: (document, operation) => {
    const { parent, key } = find(document, operation.path, operation.op);
    removeFrom(parent, key, operation);
  },
  replace: (document, operation) => {
    if (operation.path === '') {
      const value = fresh(operation.value);
      if (!isYamlMap(value) && !isYamlList(value)) refuse(operation, 'the whole object cannot be replaced by a scalar');
      document.root = value;
      return;
    }
    const { parent, key } = find(document, operation.path, operation.op);
    if (isYamlMap(parent)) parent.set(key, fresh(operation.value));
    else parent[existingIndex(parent, key, operation)] = fresh(operation.value);
  },
  move: (document, operation) => {
    const { parent, key } = find(document, operation.from, operation.op);
    const value = memberOf(parent, key, operation);
    removeFrom(parent, key, operation);
    const target = find(document, operation.path, operation.op);
    addTo(target.parent, target.key, value ?? NULL, operation);
  },
  copy: (document, operation) => {
    const { parent, key } = find(document, operation.from, operation.op);
    const value = memberOf(parent, key, operation);
    const target = find(document, operation.path, operation.op);
    addTo(target.parent, target.key, fresh(value), operation);
  },
  test: (document, operation) => {
    const found = operation.path === '' ? document.root : testedMember(document, operation);
    const wanted = operation.value;
    const isSame =
      isNothing(found) || wanted === undefined
        ? isNothing(found) && wanted === undefined
        : isEqualValue(nodeToValue(found as YamlNode), nodeToValue(wanted));
    if (!isSame) refuse(operation, 'the value is another one');
  },
};

function testedMember(document: Document, operation: JsonOperation): YamlNode | undefined {
  const { parent, key } = find(document, operation.path, operation.op);
  return memberOf(parent, key, operation);
}

function fresh(value: YamlNode | undefined): YamlNode {
  return value === undefined ? NULL : copyNode(value);
}

interface Location {
  readonly parent: YamlMap | YamlNode[];
  readonly key: string;
}

function find(document: Document, path: string | undefined, op: string): Location {
  if (path === undefined) fail('KustomizationInvalid', `a JSON patch operation "${op}" lacks its path`);
  const parts = path.split('/');
  const last = parts.pop();
  if (last === undefined || parts.length === 0) return refuse({ op, path }, 'the path does not begin with /');
  let parent: YamlNode | undefined = document.root;
  for (const part of parts.slice(1)) {
    const key = unescapeKey(part);
    if (isYamlMap(parent)) parent = parent.get(key);
    else if (isYamlList(parent)) {
      const index = indexOf(parent, key, 0);
      parent = index === undefined ? undefined : parent[index];
    }
    if (!isYamlMap(parent) && !isYamlList(parent)) refuse({ op, path }, `there is nothing at "${key}"`);
  }
  return { parent, key: unescapeKey(last) };
}

function unescapeKey(part: string): string {
  return part.replace(/~[01]/g, (code) => (code === '~1' ? '/' : '~'));
}

/** The index that a key names; negative ones count from `length + extra`; undefined if it is none or out of range. */
function indexOf(list: readonly YamlNode[], key: string, extra: 0 | 1): number | undefined {
  if (!/^[+-]?\d+$/.test(key)) return undefined;
  const length = list.length + extra;
  const index = Number(key) < 0 ? Number(key) + length : Number(key);
  return index >= 0 && index < length ? index : undefined;
}

function existingIndex(list: readonly YamlNode[], key: string, operation: JsonOperation): number {
  return indexOf(list, key, 0) ?? refuse(operation, `the list of ${list.length} has no element "${key}"`);
}

function memberOf(parent: YamlMap | YamlNode[], key: string, operation: JsonOperation): YamlNode | undefined {
  return isYamlMap(parent) ? parent.get(key) : parent[existingIndex(parent, key, operation)];
}

function addTo(parent: YamlMap | YamlNode[], key: string, value: YamlNode, operation: JsonOperation): void {
  if (isYamlMap(parent)) parent.set(key, value);
  else if (key === '-') parent.push(value);
  else {
    const index = indexOf(parent, key, 1);
    if (index === undefined) refuse(operation, `the list of ${parent.length} has no place "${key}"`);
    parent.splice(index, 0, value);
  }
}

function removeFrom(parent: YamlMap | YamlNode[], key: string, operation: JsonOperation): void {
  if (isYamlList(parent)) parent.splice(existingIndex(parent, key, operation), 1);
  else if (!parent.delete(key)) refuse(operation, `there is no member "${textOf(key)}"`);
}

function refuse(operation: { readonly op: string; readonly path: string | undefined }, why: string): never {
  return fail('KustomizationInvalid', `JSON patch: ${operation.op} ${operation.path ?? ''} does not apply: ${why}`);
}
