/**
 * Order between single objects, read from annotations of other tools: `config.kubernetes.io/depends-on` (cli-utils,
 * Config Sync), and the change groups and rules of kapp. Edges say which objects have to be applied and well before
 * another one; they hold beside waves.
 *
 * Invariants: an edge leads to another object of the same set; without these annotations nothing is computed.
 */
import { annotationsOf, formatId, idKey, type ObjectId } from './identity.ts';
import type { KubeObject } from './value.ts';

export interface ObjectOrder {
  /** Objects that come first. */
  readonly dependsOn: readonly ObjectId[];
  /** Groups of kapp that the object belongs to. */
  readonly groups: readonly string[];
  readonly rules: readonly OrderRule[];
  /** Values that are not understood, for people. */
  readonly mistakes: readonly string[];
}

/** `upsert after upserting databases`: of an apply, or of a deletion. Rules that mix both have no effect. */
export interface OrderRule {
  readonly action: 'upsert' | 'delete';
  readonly order: 'after' | 'before';
  readonly group: string;
}

const DEPENDS_ON = 'config.kubernetes.io/depends-on';
const CHANGE_GROUP = 'kapp.k14s.io/change-group';
const CHANGE_RULE = 'kapp.k14s.io/change-rule';
const RULE = /^(upsert|delete) (after|before) (upserting|deleting) (\S+)$/;

/** undefined: the object has none of the annotations. */
export function orderOf(object: KubeObject): ObjectOrder | undefined {
  const entries = Object.entries(annotationsOf(object));
  const dependsOn: ObjectId[] = [];
  const groups: string[] = [];
  const rules: OrderRule[] = [];
  const mistakes: string[] = [];
  for (const [name, value] of entries) {
    if (name === DEPENDS_ON) readDependsOn(value, { dependsOn, mistakes });
    // Several are told apart by a suffix: kapp.k14s.io/change-group.first.
    else if (isNamed(name, CHANGE_GROUP)) groups.push(value.trim());
    else if (isNamed(name, CHANGE_RULE)) readRule(name, value, { rules, mistakes });
  }
  if (dependsOn.length + groups.length + rules.length + mistakes.length === 0) return undefined;
  return { dependsOn, groups, rules, mistakes };
}

function isNamed(name: string, annotation: string): boolean {
  return name === annotation || name.startsWith(`${annotation}.`);
}

/** `group/namespaces/namespace/Kind/name` or `group/Kind/name`, separated by commas; the core group is empty. */
function readDependsOn(text: string, { dependsOn, mistakes }: { dependsOn: ObjectId[]; mistakes: string[] }): void {
  for (const part of text.split(',').map((word) => word.trim())) {
    if (part === '') continue;
    const words = part.split('/');
    const [group = '', first = '', second = '', third = '', fourth = ''] = words;
    if (words.length === 3 && first && second) dependsOn.push({ group, kind: first, namespace: '', name: second });
    else if (words.length === 5 && first === 'namespaces' && second && third && fourth) {
      dependsOn.push({ group, kind: third, namespace: second, name: fourth });
    } else {
      mistakes.push(`${DEPENDS_ON}: ${part} is not group/Kind/name or group/namespaces/namespace/Kind/name`);
    }
  }
}

function readRule(name: string, text: string, { rules, mistakes }: { rules: OrderRule[]; mistakes: string[] }): void {
  const [, action, order, other, group] = RULE.exec(text.trim().replaceAll(/\s+/g, ' ')) ?? [];
  if (group === undefined) {
    mistakes.push(`${name}: "${text}" is not a rule such as: upsert after upserting databases`);
    return;
  }
  const isMixed = (action === 'upsert') !== (other === 'upserting');
  if (!isMixed) rules.push({ action, order, group } as OrderRule);
}

/** An object with its order. */
export interface Ordered {
  readonly id: ObjectId;
  readonly order: ObjectOrder | undefined;
}

/** By `idKey`: the objects that come before an object. */
export type Edges = ReadonlyMap<string, ReadonlyMap<string, ObjectId>>;

/** The edges of applies. A deletion goes the other way, see `deletionEdgesOf`. undefined: there are none. */
export function edgesOf(objects: readonly Ordered[]): Edges | undefined {
  return edgesWith(objects, 'upsert');
}

/** By `idKey`: the objects that are deleted before an object: those that depend on it, and those that rules name. */
export function deletionEdgesOf(objects: readonly Ordered[]): Edges | undefined {
  return edgesWith(objects, 'delete');
}

function edgesWith(objects: readonly Ordered[], action: OrderRule['action']): Edges | undefined {
  const ordered = objects.filter(({ order }) => order !== undefined);
  if (ordered.length === 0) return undefined;
  const byKey = new Map(objects.map(({ id }) => [idKey(id), id] as const));
  const groups = membersByGroup(ordered);
  const edges = new Map<string, Map<string, ObjectId>>();
  const add = (later: ObjectId, earlier: ObjectId): void => {
    const key = idKey(later);
    if (key === idKey(earlier)) return;
    const known = edges.get(key) ?? new Map<string, ObjectId>();
    known.set(idKey(earlier), earlier);
    edges.set(key, known);
  };
  for (const { id, order } of ordered) {
    for (const wanted of order?.dependsOn ?? []) {
      const other = byKey.get(idKey(wanted));
      if (!other) continue;
      if (action === 'upsert') add(id, other);
      else add(other, id);
    }
    for (const rule of order?.rules ?? []) {
      if (rule.action !== action) continue;
      for (const other of groups.get(rule.group) ?? []) {
        if (rule.order === 'after') add(id, other);
        else add(other, id);
      }
    }
  }
  return edges.size > 0 ? edges : undefined;
}

function membersByGroup(objects: readonly Ordered[]): Map<string, ObjectId[]> {
  const groups = new Map<string, ObjectId[]>();
  for (const { id, order } of objects) {
    for (const group of order?.groups ?? []) {
      const known = groups.get(group);
      if (known) known.push(id);
      else groups.set(group, [id]);
    }
  }
  return groups;
}

/**
 * One cycle among the edges, the first object again at its end. undefined: there is none. Each edge is walked once.
 */
export function cycleIn(edges: Edges): ObjectId[] | undefined {
  const done = new Set<string>();
  for (const start of edges.keys()) {
    const path: { readonly key: string; readonly id: ObjectId | undefined; readonly rest: Iterator<ObjectId> }[] = [];
    const onPath = new Set<string>();
    const enter = (key: string, id: ObjectId | undefined): void => {
      onPath.add(key);
      path.push({ key, id, rest: (edges.get(key) ?? new Map<string, ObjectId>()).values() });
    };
    if (!done.has(start)) enter(start, undefined);
    for (let last = path.at(-1); last; last = path.at(-1)) {
      const next = last.rest.next();
      if (next.done) {
        done.add(last.key);
        onPath.delete(last.key);
        path.pop();
        continue;
      }
      const key = idKey(next.value);
      if (onPath.has(key)) return cycleFrom(path, key, next.value);
      if (!done.has(key)) enter(key, next.value);
    }
  }
  return undefined;
}

function cycleFrom(
  path: readonly { readonly key: string; readonly id: ObjectId | undefined }[],
  key: string,
  closing: ObjectId,
): ObjectId[] {
  const from = path.findIndex((step) => step.key === key);
  return [closing, ...path.slice(from + 1).flatMap(({ id }) => id ?? []), closing];
}

/** `Job a → Deployment b → Job a`, for people; at most ten objects. */
export function describeCycle(cycle: readonly ObjectId[]): string {
  const names = cycle.map((id) => formatId(id));
  return (names.length > 10 ? [...names.slice(0, 9), '…', names.at(-1)] : names).join(' → ');
}
