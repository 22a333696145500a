/**
 * The objects of one accumulation in order, with indexes by their current and previous ids and names.
 *
 * Invariant: ids of objects change only inside `change` and `changeAll`. So an index that exists is correct, and
 * look-ups scan the set only to build an index.
 */
import { addMember, removeMember } from '../../object/set-map.ts';
import { fail } from '../fail.ts';
import { currentId, formatResourceId, keyOf, type ResourceId } from './resource-id.ts';
import { anyKeys, anyNames, isDeleted, type Resource } from './resource.ts';

type Index = Map<string, Set<Resource>>;

export interface ResourceSet {
  /** In the order in which they were added. */
  readonly all: Set<Resource>;
  /** Each index is built when it is first used; most kustomizations need none. */
  readonly indexes: { [name in IndexName]?: Index };
}

type IndexName = keyof typeof KEYS;

/** The keys of an object in each index. */
const KEYS = {
  anyId: anyKeys,
  currentId: (resource: Resource) => [keyOf(currentId(resource.node))],
  name: anyNames,
} as const satisfies Record<string, (resource: Resource) => Iterable<string>>;

const INDEX_NAMES = Object.keys(KEYS) as IndexName[];

export function newResourceSet(): ResourceSet {
  return { all: new Set(), indexes: {} };
}

/** Adds an object. Fails with DuplicateObject if another object has its id. */
export function append(set: ResourceSet, resource: Resource): void {
  const id = currentId(resource.node);
  const taken = indexBy(set, 'currentId').get(keyOf(id));
  if (taken !== undefined) {
    const [other] = taken;
    failDuplicate(resource, other);
  }
  set.all.add(resource);
  index(set, resource);
}

function failDuplicate(resource: Resource, other?: Resource): never {
  const { group, kind, namespace, name } = currentId(resource.node);
  const place = other && other.file !== resource.file ? `, first in ${other.file}` : '';
  return fail('DuplicateObject', `${formatResourceId(currentId(resource.node))} occurs twice${place}`, {
    file: resource.file,
    line: resource.line,
    object: { group, kind, namespace, name },
  });
}

export function appendAll(set: ResourceSet, resources: Iterable<Resource>): void {
  for (const resource of resources) append(set, resource);
}

/** Runs a step that may change the ids of an object, and updates the indexes. An object left empty is removed. */
export function change(set: ResourceSet, resource: Resource, run: () => void): void {
  unindex(set, resource);
  run();
  if (isDeleted(resource)) set.all.delete(resource);
  else index(set, resource);
}

/** Runs a step for all objects. The indexes are dropped, and built again when they are used. */
export function changeAll(set: ResourceSet, run: (resource: Resource) => void): void {
  for (const name of INDEX_NAMES) delete set.indexes[name];
  for (const resource of set.all) {
    run(resource);
    if (isDeleted(resource)) set.all.delete(resource);
  }
}

/** The objects that have or had the id, in any order. */
export function findByAnyId(set: ResourceSet, id: ResourceId): readonly Resource[] {
  return [...(indexBy(set, 'anyId').get(keyOf(id)) ?? [])];
}

/** The objects that have or had the name, in any order. */
export function findByName(set: ResourceSet, name: string): readonly Resource[] {
  return [...(indexBy(set, 'name').get(name) ?? [])];
}

/** The objects that have or had the name, in the order of the set. */
export function findByNameInOrder(set: ResourceSet, name: string): readonly Resource[] {
  const found = indexBy(set, 'name').get(name) ?? new Set<Resource>();
  return found.size <= 1 ? [...found] : [...set.all].filter((resource) => found.has(resource));
}

/** Fails with DuplicateObject if two objects have the same id. */
export function checkUnique(set: ResourceSet): void {
  const byId = indexBy(set, 'currentId');
  if (byId.size === set.all.size) return;
  for (const [first, second] of byId.values()) if (second !== undefined) failDuplicate(second, first);
}

function indexBy(set: ResourceSet, name: IndexName): Index {
  const known = set.indexes[name];
  if (known !== undefined) return known;
  const built: Index = new Map();
  for (const resource of set.all) for (const key of KEYS[name](resource)) addMember(built, key, resource);
  set.indexes[name] = built;
  return built;
}

function index(set: ResourceSet, resource: Resource): void {
  for (const name of INDEX_NAMES) {
    const known = set.indexes[name];
    if (known !== undefined) for (const key of KEYS[name](resource)) addMember(known, key, resource);
  }
}

function unindex(set: ResourceSet, resource: Resource): void {
  for (const name of INDEX_NAMES) {
    const known = set.indexes[name];
    if (known !== undefined) for (const key of KEYS[name](resource)) removeMember(known, key, resource);
  }
}
