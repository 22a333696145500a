/**
 * Field specs: where in an object of a kind a transformer writes. A path does not tell maps from lists: a list on the
 * way means each of its elements; `name[]` only says that the field is one.
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
  /** Make what is missing on the way. */
  readonly create: boolean;
}

/** What is made where the field is missing; undefined makes nothing. */
export type CreateKind = 'scalar' | 'map' | undefined;

export interface FieldVisit {
  readonly create: CreateKind;
  /** Gets what stands at the path and returns what shall stand there. */
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

/** Which of the specs are for the kind of an object: sorted out once a kind, since there are many objects of each. */
export function fieldsByKind(specs: readonly FieldSpec[]): (object: YamlMap) => readonly Field[] {
  const fields = specs.map(fieldOfSpec);
  const known = new Map<string, readonly Field[]>();
  return (object) => {
    const key = `${textOf(object.get('apiVersion'))} ${textOf(object.get('kind'))}`;
    let mine = known.get(key);
    if (mine === undefined) {
      const gvk = gvkOf(object);
      mine = fields.filter(({ spec }) => isSelected(gvk, spec));
      known.set(key, mine);
    }
    return mine;
  };
}

/** Visits the field in one object of the spec's kind. */
export function visitField(object: YamlMap, { spec, parts }: Field, visit: FieldVisit): void {
  const mayCreate = visit.create !== undefined && spec.create;
  walkFrom(object, { path: spec.path, parts, visit: mayCreate ? visit : { ...visit, create: undefined } });
}

export function visitPath(object: YamlMap, path: string, visit: FieldVisit): void {
  walkFrom(object, { path, parts: splitPath(path, '/'), visit });
}

function walkFrom(object: YamlMap, walking: Walk): void {
  walk(walking, object, 0, () => {
    fail('KustomizationInvalid', `the field path "${walking.path}" leads nowhere`);
  });
}

/** Splits at a delimiter; a backslash before it keeps it. */
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
    node.forEach((item, index) => walk(walking, item, at, (made) => (node[index] = made)));
    return;
  }
  if (!isYamlMap(node)) {
    fail('InvalidObject', `the field path "${walking.path}" meets a scalar where a map or list is expected`);
  }
  const part = walking.parts[at] ?? '';
  const isList = part.endsWith('[]');
  const name = isList ? part.slice(0, -2) : part;
  if (name === '') fail('KustomizationInvalid', `the field path "${walking.path}" has an empty member`);
  // Lists are entered by themselves; a number would be an index, and here is a map.
  if (/^\d+$/.test(name))
    fail('KustomizationInvalid', `the field path "${walking.path}" has an index, and meets a map`);
  const next = memberOf(walking, node, at, { name, isList });
  if (next !== undefined) walk(walking, next, at + 1, (made) => assign(node, name, made));
}

/** The member on the way, made or turned from null into what is wanted. */
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

/** Adds specs to a list: equal ones once, contradicting ones are a problem. */
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
