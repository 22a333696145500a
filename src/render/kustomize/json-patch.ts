/**
 * Applies JSON patches as kustomize does. The library kustomize uses (evanphx/json-patch 4) takes more than RFC 6902
 * allows. Such operations are translated first: a negative index becomes the index that it stands for, `replace` of a
 * missing member becomes `add`, a missing value becomes null. Then fast-json-patch changes the object.
 *
 * Three operations need code of our own. `test` passes on a missing member if it expects null. `move` and `copy` are
 * done in two steps, since fast-json-patch does not check their target. Nothing is lost by plain values: kustomize
 * passes the object through JSON, which drops comments, quotes and the order of keys.
 *
 * Invariant: a patch that fails leaves the object half changed; callers give up the render then. Maps have no
 * prototype, so that no key is special to the library.
 */
import jsonPatch from 'fast-json-patch';
import { isNothing, isYamlList, isYamlMap, nodeToValue, type YamlNode } from '../../object/yaml/node.ts';
import { cloneValue, isEqualValue, isMap, newMap, own, type Value, type ValueMap } from '../../object/value.ts';
import { fail } from '../fail.ts';

export interface JsonOperation {
  readonly op: string;
  readonly path: string | undefined;
  readonly from: string | undefined;
  /** Null also where the member is missing. */
  readonly value: Value;
}

/** The operations that a tree holds; undefined if it is not a list of maps. */
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
      value: value === undefined || isNothing(value) ? null : jsonValueOf(value),
    };
  });
}

/** A tree as Go reads it out of JSON: every number is a double. */
export function jsonValueOf(node: YamlNode): Value {
  const withDoubles = (value: Value): Value => {
    if (typeof value === 'bigint') return Number(value);
    if (Array.isArray(value)) return value.map(withDoubles);
    if (!isMap(value)) return value;
    return newMap(Object.keys(value).map((key) => [key, withDoubles(value[key] ?? null)] as const));
  };
  return withDoubles(nodeToValue(node));
}

/** Writes to the object. Returns it, or the one that the patch put in its place. */
export function applyJsonPatch(object: ValueMap, operations: readonly JsonOperation[]): ValueMap {
  const document: Document = { root: object };
  for (const operation of operations) {
    const run = Object.hasOwn(OPERATIONS, operation.op) ? OPERATIONS[operation.op] : undefined;
    if (run === undefined) fail('KustomizationInvalid', `a JSON patch has the unknown operation "${operation.op}"`);
    run(document, operation);
  }
  if (!isMap(document.root)) fail('KustomizationInvalid', 'a JSON patch makes a list of an object');
  return document.root;
}

interface Document {
  root: ValueMap | Value[];
}

const OPERATIONS: Readonly<Record<string, (document: Document, operation: JsonOperation) => void>> = {
  add: (document, operation) => add(document, operation, operation.value),
  remove: (document, operation) => {
    const { path } = locate(document, operation, { pointer: operation.path });
    change(document, operation, { op: 'remove', path });
  },
  replace: (document, operation) => {
    const value = cloneValue(operation.value);
    if (operation.path === '') {
      if (!isMap(value) && !Array.isArray(value)) refuse(operation, 'the whole object cannot be replaced by a scalar');
      document.root = value;
      return;
    }
    const { path, found } = locate(document, operation, { pointer: operation.path });
    change(document, operation, { op: found === undefined ? 'add' : 'replace', path, value });
  },
  move: (document, operation) => {
    const { path, found = null } = locate(document, operation, { pointer: operation.from });
    change(document, operation, { op: 'remove', path });
    add(document, operation, found);
  },
  copy: (document, operation) => {
    const { found = null } = locate(document, operation, { pointer: operation.from });
    add(document, operation, found);
  },
  test: (document, operation) => {
    const { path } = operation;
    const found = path === '' ? document.root : locate(document, operation, { pointer: path }).found;
    if (!isEqualValue(found ?? null, operation.value)) refuse(operation, 'the value is another one');
  },
};

function add(document: Document, operation: JsonOperation, value: Value): void {
  const { path } = locate(document, operation, { pointer: operation.path, isTarget: true });
  change(document, operation, { op: 'add', path, value: cloneValue(value) });
}

type Rfc6902Operation = Parameters<typeof jsonPatch.applyOperation>[1];

/** Messages of the library are not passed on: they hold the whole object, which may be a Secret. */
function change(document: Document, operation: JsonOperation, rfc6902: Rfc6902Operation): void {
  try {
    jsonPatch.applyOperation(document.root, rfc6902, true, true, false);
  } catch (error) {
    if (!(error instanceof jsonPatch.JsonPatchError)) throw error;
    refuse(operation, 'there is nothing at that path');
  }
}

interface Place {
  readonly pointer: string | undefined;
  /** Whether something is added there: behind the last item of a list as well, and with `-`. */
  readonly isTarget?: boolean;
}

interface Location {
  /** The pointer as the RFC writes it. */
  readonly path: string;
  /** Undefined: the member is missing. */
  readonly found: Value | undefined;
}

function locate({ root }: Document, operation: JsonOperation, { pointer, isTarget = false }: Place): Location {
  if (pointer === undefined) fail('KustomizationInvalid', `a JSON patch operation "${operation.op}" lacks its path`);
  // Text before the first slash is ignored, as kustomize does.
  const [, ...parts] = pointer.split('/');
  if (parts.length === 0) refuse(operation, 'the path does not begin with /');
  let path = '';
  let found: Value | undefined = root;
  for (const [depth, part] of parts.entries()) {
    if (Array.isArray(found)) {
      const index = indexIn(found, part, isTarget && depth === parts.length - 1);
      if (index === undefined) return refuse(operation, `the list of ${found.length} has no element "${part}"`);
      path += `/${index}`;
      found = found[index];
    } else if (isMap(found)) {
      path += `/${part}`;
      found = own(found, part.replaceAll('~1', '/').replaceAll('~0', '~'));
    } else return refuse(operation, `there is nothing at "${parts[depth - 1] ?? ''}"`);
  }
  return { path, found };
}

/** The index that a part of a pointer names; negative numbers count from the end. Undefined if it is out of range. */
function indexIn(list: readonly Value[], part: string, isTarget: boolean): number | undefined {
  const length = isTarget ? list.length + 1 : list.length;
  if (isTarget && part === '-') return list.length;
  if (!/^[+-]?\d+$/.test(part)) return undefined;
  const index = Number(part) < 0 ? Number(part) + length : Number(part);
  return index >= 0 && index < length ? index : undefined;
}

function refuse(operation: JsonOperation, why: string): never {
  return fail('KustomizationInvalid', `JSON patch: ${operation.op} ${operation.path ?? ''} does not apply: ${why}`);
}
