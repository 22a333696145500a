/**
 * The objects behind an Application that left Git: they are deleted with it, so the prune guard counts them.
 *
 * Invariant: an Application is looked at once, so that Applications that hold each other end the search.
 */
import { declaredPolicy } from '../../application/deletion-policy.ts';
import { PRUNE_FINALIZER, applicationKey } from '../../application/keys.ts';
import type { Change } from '../../diff/changes.ts';
import { stringAt } from '../../object/value.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { isApplication, type Behind } from '../../plan/prune-guard.ts';
import type { Neighbour, Neighbours } from '../neighbours/neighbours.ts';

/** Applications that are looked at; beyond them the number of objects is unknown, and the prune is held. */
const MAX_APPLICATIONS = 1_000;

export interface BehindQuestion {
  readonly changes: readonly Change[];
  readonly neighbours: Pick<Neighbours, 'get' | 'desiredBy'>;
  /** Keys of the Applications that wait for an object. */
  readonly wantedBy: (id: ObjectId) => readonly string[];
}

/** By `idKey`, for each Application that left Git and deletes objects when it is deleted. */
export function objectsBehind({ changes, neighbours, wantedBy }: BehindQuestion): Map<string, Behind> {
  const found = new Map<string, Behind>();
  for (const { id, type, desired, live } of changes) {
    const hasLeft = type === 'prune' && !desired && isApplication(id) && live?.deletionTimestamp === undefined;
    if (!hasLeft) continue;
    const { ids, doomed, uncounted } = collect(id, neighbours);
    const kept = ids.filter((each) => !isTakenOver(each, { doomed, neighbours, wantedBy }));
    if (kept.length > 0 || uncounted !== undefined) {
      found.set(idKey(id), { ids: kept, ...(uncounted === undefined ? {} : { uncounted }) });
    }
  }
  return found;
}

interface Collected {
  readonly ids: readonly ObjectId[];
  /** Keys of the Applications that would be deleted. */
  readonly doomed: ReadonlySet<string>;
  readonly uncounted: string | undefined;
}

function collect(root: ObjectId, neighbours: Pick<Neighbours, 'get'>): Collected {
  const ids = new Map<string, ObjectId>();
  const doomed = new Set([keyOf(root)]);
  let uncounted: string | undefined;
  // The loop reaches the keys that are added while it runs.
  for (const key of doomed) {
    const neighbour = neighbours.get(key);
    if (!neighbour || !isPruning(neighbour)) continue;
    const inventory = neighbour.inventory();
    if (!inventory.ok) uncounted ??= `the inventory of Application ${key} cannot be read`;
    for (const id of inventory.ok ? inventory.ids : []) {
      ids.set(idKey(id), id);
      if (!isApplication(id)) continue;
      if (doomed.size < MAX_APPLICATIONS) doomed.add(keyOf(id));
      else uncounted ??= `more than ${MAX_APPLICATIONS} Applications would be deleted with it`;
    }
  }
  ids.delete(idKey(root));
  return { ids: [...ids.values()], doomed, uncounted };
}

/** Whether the deletion of the Application deletes its objects. If it has begun, it was decided elsewhere. */
function isPruning({ application, isDeleted }: Neighbour): boolean {
  if (isDeleted || !application || !application.metadata.finalizers.includes(PRUNE_FINALIZER)) return false;
  return declaredPolicy(application.spec) === 'Prune';
}

/** Whether an Application that stays desires the object or waits for it: then it goes over to that one alive. */
function isTakenOver(
  id: ObjectId,
  { doomed, neighbours, wantedBy }: Pick<Collected, 'doomed'> & Pick<BehindQuestion, 'neighbours' | 'wantedBy'>,
): boolean {
  if (wantedBy(id).some((key) => !doomed.has(key))) return true;
  for (const { key, isDeleted, stored } of neighbours.desiredBy(id)) {
    if (!doomed.has(key) && !isDeleted && stringAt(stored, 'spec', 'sync', 'mode') !== 'detect') return true;
  }
  return false;
}

function keyOf({ namespace, name }: ObjectId): string {
  return applicationKey(namespace, name);
}
