/**
 * Field specs: the fields of a kind to which a transformer writes. A path does not tell maps from lists: a list on the
 * path means each of its elements. `name[]` only says that the field `name` is a list.
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
import { fail } from '../fail.ts';
import { gvkOf, isSelected, type Gvk } from './resource-id.ts';

export interface FieldSpec extends Gvk {
  /** Members separated by `/`; `\/` is a slash inside a member. */
  readonly path: string;
  /** Whether missing members of the path are created. */
  readonly create: boolean;
}

/** The node that is created for a missing field; undefined creates nothing. */
export type CreateKind = 'scalar' | 'map' | undefined;

export interface FieldVisit {
  readonly create: CreateKind;
  /** Returns the new node for the node that was found at the path. */
  readonly set: (found: YamlNode) => YamlNode;
}

/** A field spec with its path split. */
export interface Field {
  readonly spec: FieldSpec;
  readonly parts: readonly string[];
}

export function fieldOfSpec(spec: FieldSpec): Field {
  return { spec, parts: splitPath(spec.path, '/') };
}

/** Returns a function that finds the specs for an object. The specs of a kind are selected once, for many objects. */
export function fieldsByKind(specs: readonly FieldSpec[]): (object: YamlMap) => readonly Field[] {
  const fields = specs.map(fieldOfSpec);
  const known = new Map<string, readonly Field[]>();
  return (object) => {
    const key = `${textOf(object.get('apiVersion'))} ${textOf(object.get('kind'))}`;
    let selected = known.get(key);
    if (selected === undefined) {
      const gvk = gvkOf(object);
      selected = fields.filter(({ spec }) => isSelected(gvk, spec));
      known.set(key, selected);
    }
    return selected;
  };
}

/** Visits the field in an object, which must be of the kind of the spec. */
export function visitField(object: YamlMap, { spec, parts }: Field, visit: FieldVisit): void {
  const mayCreate = visit.create !== undefined && spec.create;
  walkFrom(object, { path: spec.path, parts, visit: mayCreate ? visit : { ...visit, create: undefined } });
}

export function visitPath(object: YamlMap, path: string, visit: FieldVisit): void {
  walkFrom(object, { path, parts: splitPath(path, '/'), visit });
}

function walkFrom(object: YamlMap, walking: Walk): void {
  walk(walking, object, 0, () => {
    fail('KustomizationInvalid', `the field path "${walking.path}" is empty`);
  });
}

/** Splits a path at a delimiter; a delimiter after a backslash is part of the member. */
export function splitPath(path: string, delimiter: string): string[] {
  const parts = path.split(delimiter);
  if (parts.length > 1 && parts[0] === '') parts.shift();
  const result: string[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (last?.endsWith('\\')) result[result.length - 1] = `${last.slice(0, -1)}${delimiter}${part}`;
    else result.push(part);
  }
  return result;
}

interface Walk {
  readonly path: string;
  readonly parts: readonly string[];
  readonly visit: FieldVisit;
}

function walk(walking: Walk, node: YamlNode, at: number, put: (node: YamlNode) => void): void {
  if (at === walking.parts.length) return put(walking.visit.set(node));
  if (isNothing(node)) return;
  if (isYamlList(node)) {
    node.forEach((item, index) => walk(walking, item, at, (changed) => (node[index] = changed)));
    return;
  }
  if (!isYamlMap(node)) {
    fail('InvalidObject', `the field path "${walking.path}" needs a map or list, but the object has a scalar there`);
  }
  const part = walking.parts[at] ?? '';
  const isList = part.endsWith('[]');
  const name = isList ? part.slice(0, -2) : part;
  if (name === '') fail('KustomizationInvalid', `the field path "${walking.path}" has an empty member`);
  if (/^\d+$/.test(name) || name === '-' || name === '*' || /^\[.*\]$/.test(name)) {
    fail('KustomizationInvalid', `the field path "${walking.path}" has "${name}" where the object has a map`);
  }
  const next = memberOf(walking, node, at, { name, isList });
  if (next !== undefined) walk(walking, next, at + 1, (changed) => assign(node, name, changed));
}

/** The next member on the path. If it is missing or null, it is created as far as the visit allows. */
function memberOf(
  walking: Walk,
  map: YamlMap,
  at: number,
  part: { name: string; isList: boolean },
): YamlNode | undefined {
  const { create } = walking.visit;
  const found = map.get(part.name);
  if (part.isList || create === undefined) {
    if (found !== undefined && isNothing(found) && part.isList) return put(map, part.name, []);
    return found;
  }
  if (found !== undefined && !isNothing(found)) return found;
  const isLast = at === walking.parts.length - 1;
  return put(map, part.name, isLast && create === 'scalar' ? '' : new Map());
}

function put(map: YamlMap, name: string, node: YamlNode): YamlNode {
  map.set(name, node);
  return node;
}

/** Adds specs to a list; equal specs are kept once. Fails if two specs contradict each other. */
export function mergeSpecs(specs: readonly FieldSpec[], incoming: readonly FieldSpec[]): FieldSpec[] {
  const result = [...specs];
  for (const spec of incoming) {
    const same = result.find((other) => isSelected(other, spec) && other.path === spec.path);
    if (same === undefined) result.push(spec);
    else if (same.create !== spec.create) {
      fail('KustomizationInvalid', `two field specs for "${spec.path}" contradict each other about create`);
    }
  }
  return result;
}
