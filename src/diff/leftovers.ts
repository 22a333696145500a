/**
 * Values that an apply keeps although Git does not have them, and that may contradict Git: which of them may be
 * removed, which are suspected first when the server refuses the apply, and the object and the field set without them.
 *
 * Invariant: an ignored field, metadata and status are never among them.
 */
import type { DesiredObject } from '../bind/desired.ts';
import type { LiveObject } from '../cluster/live.ts';
import { memberPath } from '../object/field-path.ts';
import type { FieldSet } from '../object/field-set.ts';
import { isEqualValue, isKubeObject, isMap, newMap, own, type KubeObject, type Value } from '../object/value.ts';
import { bodyToSend, withoutIgnored } from './ignored.ts';
import { mergeApplied, type Leftover, type Merged, type MergedPath } from './merge-applied.ts';

/** The object that an apply of `desired` makes of `live`, with the leftovers that may be removed. */
export function mergedWith(desired: DesiredObject, live: LiveObject): Merged {
  const merged = mergeApplied(bodyToSend(desired, live).body, live, desired);
  if (!desired.ignored) return merged;
  const sides = withoutIgnored(desired, live);
  const judged = mergeApplied(sides.desired.body, sides.live, desired).leftovers;
  const values = new Map(judged.map(({ members, value }) => [members.join('\n'), value] as const));
  const leftovers = merged.leftovers.filter(({ members, value }) =>
    isEqualValue(values.get(members.join('\n')), value),
  );
  return { ...merged, leftovers };
}

/**
 * The leftovers nearest to the fields that the server names, the first group first; each group holds the one before.
 * Some fields have the names of the server's internal version: of these the known beginning counts.
 * The last group holds all leftovers.
 */
export function suspectGroups({ body, leftovers }: Merged, fields: readonly string[]): (readonly Leftover[])[] {
  const paths = fields.map((field) => memberPath(body, field));
  const groups: (readonly Leftover[])[] = [];
  const depth = Math.max(0, ...paths.map((path) => path.length));
  for (let level = 0; level <= depth; level++) {
    const found = leftovers.filter(({ path }) =>
      paths.some((named) => isOneWithin(path, named.slice(0, Math.max(0, named.length - level)))),
    );
    if (found.length > (groups[groups.length - 1]?.length ?? 0)) groups.push(found);
  }
  if (leftovers.length > (groups[groups.length - 1]?.length ?? 0)) groups.push(leftovers);
  return groups;
}

/**
 * Leftovers in the order in which they are to be removed: values that no manager has applied come first, and among
 * those maps and lists, which the server's defaults seldom are.
 */
export function inOrderOfRemoval(leftovers: readonly Leftover[]): Leftover[] {
  const rank = ({ isApplied, isOwned, value }: Leftover): number => {
    if (isApplied) return 3;
    if (typeof value === 'object' && value !== null) return 0;
    return isOwned ? 1 : 2;
  };
  return [...leftovers].sort((a, b) => rank(a) - rank(b));
}

/** The merged object without these leftovers. */
export function withoutLeftovers(body: KubeObject, removed: readonly Leftover[]): KubeObject {
  const pruned = prune(
    body,
    removed.map(({ path }) => path),
  );
  return isKubeObject(pruned) ? pruned : body;
}

/** The field set of these leftovers. A member without members of its own stands for the whole value. */
export function fieldsOfLeftovers(removed: readonly Leftover[]): FieldSet {
  const fields = newMap();
  // Longer paths first, so that a whole value replaces its parts.
  for (const { members } of [...removed].sort((a, b) => b.members.length - a.members.length)) {
    let node = fields;
    for (const member of members.slice(0, -1)) {
      const next = own(node, member);
      const child = isMap(next) ? next : newMap();
      node[member] = child;
      node = child;
    }
    const last = members[members.length - 1] ?? '';
    node[last] = last.startsWith('k:') ? newMap([['.', newMap()]]) : newMap();
  }
  return fields;
}

function prune(value: Value, paths: readonly MergedPath[]): Value {
  if (paths.length === 0) return value;
  const isCutAt = new Set(paths.flatMap((path) => (path.length === 1 ? path : [])));
  const rests = Map.groupBy(
    paths.filter((path) => path.length > 1),
    ([step]) => step,
  );
  const isCut = (step: string | number): boolean => isCutAt.has(step);
  const restOf = (step: string | number): MergedPath[] => (rests.get(step) ?? []).map((path) => path.slice(1));
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => (isCut(index) ? [] : [prune(item, restOf(index))]));
  }
  if (!isMap(value)) return value;
  const kept = newMap();
  for (const key of Object.keys(value)) if (!isCut(key)) kept[key] = prune(value[key] ?? null, restOf(key));
  return kept;
}

/** Whether one of the paths leads to the other, or below it. */
function isOneWithin(a: MergedPath, b: MergedPath): boolean {
  const [shorter, longer] = a.length < b.length ? [a, b] : [b, a];
  return shorter.every((step, index) => step === longer[index]);
}
