/**
 * The identity of an object within one cluster: group, kind, namespace, name. The version is no part of it, since one
 * object can be read in several.
 */
import { isMap, own, stringAt, type KubeObject, type Value } from './value.ts';

export interface ObjectId {
  /** API group; the empty string is the core group. */
  readonly group: string;
  readonly kind: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
}

/** A string that is equal exactly for equal ids; for maps and sets, never for people. */
export function idKey(id: ObjectId): string {
  return `${id.group}/${id.kind}/${id.namespace}/${id.name}`;
}

/** How people read an id: `Deployment.apps shop/web`, `Namespace shop`. */
export function formatId(id: ObjectId): string {
  const kind = id.group ? `${id.kind}.${id.group}` : id.kind;
  return `${kind} ${id.namespace ? `${id.namespace}/` : ''}${id.name}`;
}

/** Orders ids by kind, group, namespace, name: the order of lists that people read. */
export function compareIds(a: ObjectId, b: ObjectId): number {
  return (
    compareText(a.kind, b.kind) ||
    compareText(a.group, b.group) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name)
  );
}

export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

export function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}

export function apiVersionOf(group: string, version: string): string {
  return group ? `${group}/${version}` : version;
}

/** The id that an object carries, its namespace as written: the empty string where none is. */
export function idOf(object: KubeObject): ObjectId {
  return {
    group: groupOf(object.apiVersion),
    kind: object.kind,
    namespace: stringAt(object.metadata, 'namespace') ?? '',
    name: stringAt(object.metadata, 'name') ?? '',
  };
}

/** The string members of a label or annotation map; anything else in it is left out. */
export function stringMap(value: Value | undefined): Record<string, string> {
  const result: Record<string, string> = Object.create(null);
  if (!isMap(value)) return result;
  for (const key of Object.keys(value)) {
    const item = own(value, key);
    if (typeof item === 'string') result[key] = item;
  }
  return result;
}

export function labelsOf(object: KubeObject): Record<string, string> {
  return stringMap(own(object.metadata, 'labels'));
}

export function annotationsOf(object: KubeObject): Record<string, string> {
  return stringMap(own(object.metadata, 'annotations'));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
