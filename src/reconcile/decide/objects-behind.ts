/**
 * The objects behind an Application that left Git: they are deleted with it, so the prune guard counts them.
 *
 * Invariant: an Application is looked at once, so that Applications that hold each other end the search.
 */
import { declaredPolicy } from '../../application/deletion-policy.ts';
import { PRUNE_FINALIZER, applicationKey } from '../../application/keys.ts';
import type { Change } from '../../diff/changes.ts';
import { isAccessKind } from '../../object/access-kinds.ts';
import { stringAt } from '../../object/value.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { isApplication, type Behind } from '../../plan/prune-guard.ts';
import type { Neighbour, Neighbours } from '../neighbours/neighbours.ts';
import type { Standing, StandingPair } from './standing.ts';

/** Applications that are looked at; beyond them the number of objects is unknown, and the prune is held. */
const MAX_APPLICATIONS = 1_000;

export interface BehindQuestion {
  readonly changes: readonly Change[];
  readonly neighbours: Pick<Neighbours, 'get' | 'desiredBy'>;
  /** Keys of the Applications that wait for an object. */
  readonly wantedBy: (id: ObjectId) => readonly string[];
  /** Reviewed for `behindPairs`: an Application that may not write an object does not take it over. */
  readonly standing: Standing;
}

/** The pairs whose standing decides whether an object behind an Application counts as lost. */
export function behindPairs({ changes, ...question }: Omit<BehindQuestion, 'standing'>): StandingPair[] {
  return changes.filter(hasLeft).flatMap(({ id }) => {
    const { ids, doomed } = collect(id, question.neighbours);
    return ids.flatMap((each) => takersOf(each, { doomed, ...question }).map((key) => ({ key, id: each })));
  });
}

/** An Application that left Git, and whose deletion has not begun yet. */
function hasLeft({ id, type, desired, live }: Change): boolean {
  return type === 'prune' && !desired && isApplication(id) && live?.deletionTimestamp === undefined;
}

/** By `idKey`, for each Application that left Git and deletes objects when it is deleted. */
export function objectsBehind({ changes, neighbours, wantedBy, standing }: BehindQuestion): Map<string, Behind> {
  const found = new Map<string, Behind>();
  for (const { id } of changes.filter(hasLeft)) {
    const { ids, doomed, uncounted } = collect(id, neighbours);
    const kept = ids.filter((each) => {
      return !takersOf(each, { doomed, neighbours, wantedBy }).some((key) => standing(key, each) === true);
    });
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

/** The Applications that stay, and desire the object or wait for it: it goes over to one that may write it alive. */
function takersOf(
  id: ObjectId,
  { doomed, neighbours, wantedBy }: Pick<Collected, 'doomed'> & Pick<BehindQuestion, 'neighbours' | 'wantedBy'>,
): string[] {
  // Such objects do not go over to another namespace, so all of them count.
  if (isAccessKind(id)) return [];
  const takers = wantedBy(id).filter((key) => !doomed.has(key));
  for (const { key, isDeleted, stored } of neighbours.desiredBy(id)) {
    const isDetecting = stringAt(stored, 'spec', 'sync', 'mode') === 'detect';
    if (!doomed.has(key) && !isDeleted && !isDetecting) takers.push(key);
  }
  return takers;
}

function keyOf({ namespace, name }: ObjectId): string {
  return applicationKey(namespace, name);
}
