/**
 * The order that annotations declare between single objects, in a plan. A new manifest waits until the objects before
 * it are applied and well; deletions are sent in the reverse order.
 *
 * Invariants: an object that was applied before is healed whatever it waits for; without an edge a plan is unchanged.
 */
import type { Change } from '../diff/changes.ts';
import { formatId, idKey } from '../object/identity.ts';
import { deletionEdgesOf, edgesOf, orderOf, type Edges } from '../object/order.ts';
import { mapSteps, visitSteps, type Steps } from '../object/steps.ts';
import { reasonUnsettled, type Gate } from './sync-waves.ts';

/** Whether some object declares an order. */
export function hasOrder(changes: readonly Change[]): boolean {
  return changes.some(({ desired }) => desired?.order !== undefined);
}

/** By `idKey`: changes that wait for an object before them, with the reason, which names it. */
export function* gateOrder(changes: readonly Change[], gate: Gate): Steps<Map<string, string>> {
  const held = new Map<string, string>();
  const desired = changes.filter((change) => change.desired !== undefined);
  const edges = hasOrder(desired)
    ? edgesOf(desired.map(({ id, desired: it }) => ({ id, order: it?.order })))
    : undefined;
  if (!edges) return held;
  const byKey = new Map(desired.map((change) => [idKey(change.id), change] as const));
  yield* visitSteps(desired, (change) => {
    const reason = gate.isAccepted(change) ? undefined : reasonToWait(change, { edges, byKey, gate });
    if (reason !== undefined) held.set(idKey(change.id), reason);
  });
  return held;
}

interface Ordering {
  readonly edges: Edges;
  readonly byKey: ReadonlyMap<string, Change>;
  readonly gate: Gate;
}

function reasonToWait({ id }: Change, { edges, byKey, gate }: Ordering): string | undefined {
  for (const [key, earlier] of edges.get(idKey(id)) ?? []) {
    const change = byKey.get(key);
    const why = change && reasonUnsettled(change, gate);
    if (why !== undefined) return `it waits for ${formatId(earlier)}: ${why}`;
  }
  return undefined;
}

/** Deletions that are sent together. */
interface DeletionWave<Planned> {
  readonly name: string;
  readonly changes: readonly Planned[];
}

/** Moves deletions behind those that have to come first, by the annotations of the live objects. */
export function* orderDeletions<Planned extends { readonly change: Change }>(
  waves: readonly DeletionWave<Planned>[],
): Steps<readonly DeletionWave<Planned>[]> {
  const items = waves.flatMap((wave, at) => wave.changes.map((planned) => ({ planned, at, name: wave.name })));
  const ordered = yield* mapSteps(items, ({ planned: { change } }) => ({
    id: change.id,
    order: change.live && orderOf(change.live.body),
  }));
  const edges = deletionEdgesOf(ordered);
  if (!edges) return waves;
  const base = new Map(items.map(({ planned, at }) => [idKey(planned.change.id), at * (items.length + 1)] as const));
  const places = placesBehind(base, edges);
  const groups = new Map<string, { readonly place: number; readonly name: string; readonly changes: Planned[] }>();
  for (const { planned, name } of items) {
    const place = places.get(idKey(planned.change.id)) ?? 0;
    const group = groups.get(`${place} ${name}`) ?? { place, name, changes: [] };
    group.changes.push(planned);
    groups.set(`${place} ${name}`, group);
  }
  return [...groups.values()].sort((a, b) => a.place - b.place).map(({ name, changes }) => ({ name, changes }));
}

/** Each place is greater than those of the objects before it; objects of a cycle stay at theirs. Linear in edges. */
function placesBehind(base: ReadonlyMap<string, number>, edges: Edges): ReadonlyMap<string, number> {
  const places = new Map(base);
  const open = new Map<string, number>();
  const later = new Map<string, string[]>();
  for (const [key, earlier] of edges) {
    open.set(key, earlier.size);
    for (const other of earlier.keys()) {
      const known = later.get(other);
      if (known) known.push(key);
      else later.set(other, [key]);
    }
  }
  const ready = [...base.keys()].filter((key) => !open.has(key));
  for (const key of ready) {
    for (const next of later.get(key) ?? []) {
      places.set(next, Math.max(places.get(next) ?? 0, (places.get(key) ?? 0) + 1));
      const left = (open.get(next) ?? 0) - 1;
      open.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  return places;
}
