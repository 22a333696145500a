/**
 * The identity of an object within one cluster: group, kind, namespace and name. The version is not part of it, because
 * the same object can be read in several versions.
 */
import { isMap, own, stringAt, type KubeObject, type Value } from './value.ts';

export interface ObjectId {
  /** API group; empty for the core group. */
  readonly group: string;
  readonly kind: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
}

/** A key for maps and sets: equal exactly for equal ids. For people use `formatId`. */
export function idKey(id: ObjectId): string {
  return `${id.group}/${id.kind}/${id.namespace}/${id.name}`;
}

/** An id for people: `Deployment.apps shop/web`, `Namespace shop`. */
export function formatId(id: ObjectId): string {
  const kind = id.group ? `${id.kind}.${id.group}` : id.kind;
  return `${kind} ${id.namespace ? `${id.namespace}/` : ''}${id.name}`;
}

/** Orders ids by kind, group, namespace and name, for lists that people read. */
export function compareIds(a: ObjectId, b: ObjectId): number {
  return (
    compareTexts(a.kind, b.kind) ||
    compareTexts(a.group, b.group) ||
    compareTexts(a.namespace, b.namespace) ||
    compareTexts(a.name, b.name)
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

/** The id of an object. Its namespace is taken as written; it is empty if the object has none. */
export function idOf(object: KubeObject): ObjectId {
  return {
    group: groupOf(object.apiVersion),
    kind: object.kind,
    namespace: stringAt(object.metadata, 'namespace') ?? '',
    name: stringAt(object.metadata, 'name') ?? '',
  };
}

/** The string members of a map of labels or annotations; members of other types are left out. */
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

/** For sorts by UTF-16 code units, which are independent of the locale. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
