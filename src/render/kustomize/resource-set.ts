/**
 * The objects of one accumulation, in order, with an index by every id that they have or had.
 *
 * Invariant: ids of an object change only inside `change`, so the index is always right and no look-up scans the set.
 */
import { fail } from '../fail.ts';
import { currentId, formatResourceId, keyOf, type ResourceId } from './resource-id.ts';
import { anyKeys, anyNames, isGone, type Resource } from './resource.ts';

export interface ResourceSet {
  /** In the order in which they were added. */
  readonly all: Set<Resource>;
  readonly byAnyId: Map<string, Set<Resource>>;
  readonly byCurrentId: Map<string, Set<Resource>>;
  /** By every name that they have or had. */
  readonly byName: Map<string, Set<Resource>>;
}

export function newResourceSet(): ResourceSet {
  return { all: new Set(), byAnyId: new Map(), byCurrentId: new Map(), byName: new Map() };
}

/** Adds an object. Fails with DuplicateObject where its id is taken. */
export function append(set: ResourceSet, resource: Resource): void {
  const id = currentId(resource.node);
  const taken = set.byCurrentId.get(keyOf(id));
  if (taken !== undefined && taken.size > 0) {
    const [other] = taken;
    const place = other && other.file !== resource.file ? `, first in ${other.file}` : '';
    fail('DuplicateObject', `${formatResourceId(id)} is there twice${place}`, {
      file: resource.file,
      line: resource.line,
      object: { group: id.group, kind: id.kind, namespace: id.namespace, name: id.name },
    });
  }
  set.all.add(resource);
  index(set, resource);
}

export function appendAll(set: ResourceSet, resources: Iterable<Resource>): void {
  for (const resource of resources) append(set, resource);
}

/** Runs what may change the ids of an object, and keeps the index right; an object left without content is removed. */
export function change(set: ResourceSet, resource: Resource, run: () => void): void {
  unindex(set, resource);
  run();
  if (isGone(resource)) set.all.delete(resource);
  else index(set, resource);
}

/** Objects that have or had the id, in no order. */
export function findByAnyId(set: ResourceSet, id: ResourceId): readonly Resource[] {
  return [...(set.byAnyId.get(keyOf(id)) ?? [])];
}

/** Objects that have or had the name, in no order. */
export function findByName(set: ResourceSet, name: string): readonly Resource[] {
  return [...(set.byName.get(name) ?? [])];
}

export function countByCurrentId(set: ResourceSet, id: ResourceId): number {
  return set.byCurrentId.get(keyOf(id))?.size ?? 0;
}

function index(set: ResourceSet, resource: Resource): void {
  for (const key of anyKeys(resource)) addTo(set.byAnyId, key, resource);
  for (const name of anyNames(resource)) addTo(set.byName, name, resource);
  addTo(set.byCurrentId, keyOf(currentId(resource.node)), resource);
}

function unindex(set: ResourceSet, resource: Resource): void {
  for (const key of anyKeys(resource)) removeFrom(set.byAnyId, key, resource);
  for (const name of anyNames(resource)) removeFrom(set.byName, name, resource);
  removeFrom(set.byCurrentId, keyOf(currentId(resource.node)), resource);
}

function addTo(map: Map<string, Set<Resource>>, key: string, resource: Resource): void {
  const found = map.get(key);
  if (found) found.add(resource);
  else map.set(key, new Set([resource]));
}

function removeFrom(map: Map<string, Set<Resource>>, key: string, resource: Resource): void {
  const found = map.get(key);
  if (found?.delete(resource) && found.size === 0) map.delete(key);
}
