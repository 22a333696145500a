/**
 * The objects of one accumulation, in order, with indexes by the ids and names that they have or had.
 *
 * Invariant: ids of an object change only inside `change` and `changeAll`, so an index is right or not there, and no
 * look-up scans the set more than once.
 */
import { fail } from '../fail.ts';
import { currentId, formatResourceId, keyOf, type ResourceId } from './resource-id.ts';
import { anyKeys, anyNames, isGone, type Resource } from './resource.ts';

type Index = Map<string, Set<Resource>>;

export interface ResourceSet {
  /** In the order in which they were added. */
  readonly all: Set<Resource>;
  /** Each is made when it is first asked for: most layers of most kustomizations need none of them. */
  readonly indexes: { [name in IndexName]?: Index };
}

type IndexName = keyof typeof KEYS;

/** The keys under which an object stands in each index. */
const KEYS = {
  anyId: anyKeys,
  currentId: (resource: Resource) => [keyOf(currentId(resource.node))],
  /** Every name that it has and had. */
  name: anyNames,
} as const satisfies Record<string, (resource: Resource) => Iterable<string>>;

const INDEX_NAMES = Object.keys(KEYS) as IndexName[];

export function newResourceSet(): ResourceSet {
  return { all: new Set(), indexes: {} };
}

/** Adds an object. Fails with DuplicateObject where its id is taken. */
export function append(set: ResourceSet, resource: Resource): void {
  const id = currentId(resource.node);
  const taken = indexBy(set, 'currentId').get(keyOf(id));
  if (taken !== undefined) {
    const [other] = taken;
    failTwice(resource, other);
  }
  set.all.add(resource);
  index(set, resource);
}

function failTwice(resource: Resource, other?: Resource): never {
  const { group, kind, namespace, name } = currentId(resource.node);
  const place = other && other.file !== resource.file ? `, first in ${other.file}` : '';
  return fail('DuplicateObject', `${formatResourceId(currentId(resource.node))} is there twice${place}`, {
    file: resource.file,
    line: resource.line,
    object: { group, kind, namespace, name },
  });
}

export function appendAll(set: ResourceSet, resources: Iterable<Resource>): void {
  for (const resource of resources) append(set, resource);
}

/** Runs what may change the ids of an object, and keeps the indexes right; an object left empty is removed. */
export function change(set: ResourceSet, resource: Resource, run: () => void): void {
  unindex(set, resource);
  run();
  if (isGone(resource)) set.all.delete(resource);
  else index(set, resource);
}

/** The same for all objects at once: indexes are made anew when they are asked for again. */
export function changeAll(set: ResourceSet, run: (resource: Resource) => void): void {
  for (const name of INDEX_NAMES) delete set.indexes[name];
  for (const resource of set.all) {
    run(resource);
    if (isGone(resource)) set.all.delete(resource);
  }
}

/** Objects that have or had the id, in no order. */
export function findByAnyId(set: ResourceSet, id: ResourceId): readonly Resource[] {
  return [...(indexBy(set, 'anyId').get(keyOf(id)) ?? [])];
}

/** Objects that have or had the name, in no order. */
export function findByName(set: ResourceSet, name: string): readonly Resource[] {
  return [...(indexBy(set, 'name').get(name) ?? [])];
}

/** Fails with DuplicateObject where two objects have the same id by now. */
export function checkUnique(set: ResourceSet): void {
  const byId = indexBy(set, 'currentId');
  if (byId.size === set.all.size) return;
  for (const [first, second] of byId.values()) if (second !== undefined) failTwice(second, first);
}

function indexBy(set: ResourceSet, name: IndexName): Index {
  const known = set.indexes[name];
  if (known !== undefined) return known;
  const made: Index = new Map();
  for (const resource of set.all) for (const key of KEYS[name](resource)) addTo(made, key, resource);
  set.indexes[name] = made;
  return made;
}

function index(set: ResourceSet, resource: Resource): void {
  for (const name of INDEX_NAMES) {
    const known = set.indexes[name];
    if (known !== undefined) for (const key of KEYS[name](resource)) addTo(known, key, resource);
  }
}

function unindex(set: ResourceSet, resource: Resource): void {
  for (const name of INDEX_NAMES) {
    const known = set.indexes[name];
    if (known !== undefined) for (const key of KEYS[name](resource)) removeFrom(known, key, resource);
  }
}

function addTo(map: Index, key: string, resource: Resource): void {
  const found = map.get(key);
  if (found) found.add(resource);
  else map.set(key, new Set([resource]));
}

function removeFrom(map: Index, key: string, resource: Resource): void {
  const found = map.get(key);
  if (found?.delete(resource) && found.size === 0) map.delete(key);
}
