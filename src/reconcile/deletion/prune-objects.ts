/**
 * Prunes the objects of a deleted Application, by the plan and the guards of every other prune: first everything that
 * its own end does not depend on, then its account and rights.
 *
 * Invariant: the last stages begin only when all other objects are confirmed gone and the stored inventory says so.
 * After a kill in between, rights that are gone already are then not missed for anything else.
 */
import { decodeInventory } from '../../application/inventory.ts';
import type { DesiredObject } from '../../bind/desired.ts';
import type { Applied, ChangeResult } from '../../apply/applied.ts';
import type { Live } from '../../cluster/live.ts';
import { ownerOf } from '../../object/applyset.ts';
import { formatId, idKey, type ObjectId } from '../../object/identity.ts';
import { mayDelete } from '../../object/may-delete.ts';
import { valueAt } from '../../object/value.ts';
import type { Observation } from '../../observe/observe.ts';
import type { Change } from '../../diff/changes.ts';
import type { ConfirmationStatus } from '../../status/compose-bare.ts';
import type { Neighbour } from '../neighbours/neighbours.ts';
import { replaceInventory } from '../decide/inventory.ts';
import type { Standing } from '../decide/standing.ts';
import { reasonToAwaitNeighbours, reviewWishes, wishElsewhere } from './await-neighbours.ts';
import { carryOut, isGone, isLackOfRights, observeIds, ownerOfDeleted, type Remainder } from './carry-out.ts';
import { heldEndOf, judgeEnd, type Answer } from './confirmation.ts';
import type { Deletion } from './deletion.ts';
import { hooksToRun } from './hooks-to-run.ts';
import { keysWaitingFor, stagesOf, type Holder } from './last-objects.ts';
import { runHooks, storeProgress } from './run-hooks.ts';
import { tellProgress, tellWait } from './tell-progress.ts';

/**
 * Returns the objects that are not gone yet and for which the Application has to wait. `waiting`: it waits for a hook.
 */
export async function pruneObjects(deletion: Deletion, remainder: Remainder): Promise<readonly ObjectId[] | 'waiting'> {
  const { ids } = remainder;
  const observation = await observeIds(deletion, remainder);
  const confirmed = await confirm(deletion, ids, observation.live);
  if (!confirmed) return ids;
  const { confirmationOf } = confirmed;
  const hooks = await hooksToRun(deletion, { left: ids, confirmation: confirmationOf(ids) });
  if (hooks === 'waiting') return 'waiting';
  if (hooks.preDelete.length > 0) {
    const stage = { phase: 'PreDelete', hooks: hooks.preDelete, left: ids, confirmationOf } as const;
    if ((await runHooks(deletion, stage)) === 'waiting') return 'waiting';
    const reason = 'the PreDelete hooks have succeeded';
    const confirmation = confirmationOf(ids);
    await storeProgress(deletion, { left: ids, progress: { phase: 'Objects' }, reason, confirmation });
  }
  return pruneSteps(deletion, { ids, observation, confirmed, postDelete: hooks.postDelete });
}

interface Pruning extends Leftovers {
  readonly confirmed: Confirmed;
  /** The hooks that run when all objects are gone that they do not need. */
  readonly postDelete: readonly DesiredObject[];
}

async function pruneSteps(
  deletion: Deletion,
  { ids, observation, confirmed, postDelete }: Pruning,
): Promise<readonly ObjectId[] | 'waiting'> {
  const { isConfirmed, confirmationOf } = confirmed;
  const steps = stepsOf(deletion, { ids, observation, confirmed, postDelete });
  let rest = ids;
  for (const [index, step] of steps.entries()) {
    if (step.isAfterHooks && postDelete.length > 0) {
      const stage = { phase: 'PostDelete', hooks: postDelete, left: rest, confirmationOf } as const;
      if ((await runHooks(deletion, stage)) === 'waiting') return 'waiting';
      const reason = 'the PostDelete hooks have succeeded';
      const confirmation = confirmationOf(rest);
      await storeProgress(deletion, { left: rest, progress: { phase: 'Cleanup' }, reason, confirmation });
    }
    if (step.ids.length === 0) continue;
    const part = { ids: step.ids, observation };
    if (index > 0) await storeRest(deletion, rest, confirmationOf(rest));
    const standing = await reviewWishes(deletion, step.ids);
    const changes = changesOf(deletion, part, standing);
    const applied = withKept(await carryOut(deletion, { changes, isConfirmed }), changes);
    const results = step.isDone === isGoneOrForbidden ? await withRefusals(deletion, part, applied) : applied;
    const left = step.ids.filter((id) => !isOwnObject(deletion, id) && !step.isDone(results.get(idKey(id))));
    const isLeft = new Set(left);
    const done = new Set(step.ids.filter((id) => !isLeft.has(id)).map(idKey));
    rest = rest.filter((id) => !done.has(idKey(id)));
    await deletion.context.onFaultPoint('objects-pruned');
    if (left.length === 0) continue;
    const { live } = observation;
    await tellProgress(deletion, {
      ...{ left: rest, named: left, applied: results, live, confirmation: confirmationOf(rest) },
    });
    return rest;
  }
  return [];
}

/** The steps in their order. Hooks of the phase PostDelete, and what holds them, go after the hooks have run. */
function stepsOf(deletion: Deletion, { ids, observation: { live }, postDelete }: Pruning): readonly Step[] {
  const { identity, record } = deletion;
  const waiting = keysWaitingFor(record.key, holdersAmong(deletion, ids));
  const stages = stagesOf({ ids, live, identity, waiting });
  const hookIds = new Set(postDelete.map(({ id }) => idKey(id)));
  const isHook = (id: ObjectId): boolean => hookIds.has(idKey(id));
  const isLate = (id: ObjectId): boolean => isHook(id) || postDelete.some((hook) => isHomeOf(id, hook.id));
  return [
    { ids: stages.first.filter((id) => !isLate(id)), isDone: isGone },
    { ids: stages.first.filter(isHook), isDone: isGone, isAfterHooks: true },
    { ids: stages.first.filter((id) => isLate(id) && !isHook(id)), isDone: isGone },
    // Neither is waited for: the Application's own object is being deleted already.
    { ids: stages.waiting, isDone: (result) => isGone(result) || result?.outcome === 'pruning' },
    { ids: stages.account, isDone: isGoneOrForbidden },
    { ids: stages.rights, isDone: isGoneOrForbidden },
  ];
}

/** Whether an object is the Namespace of another one, or a definition of its API group. */
function isHomeOf({ group, kind, name }: ObjectId, of: ObjectId): boolean {
  if (group === '' && kind === 'Namespace') return name === of.namespace;
  const isDefinition = group === 'apiextensions.k8s.io' && kind === 'CustomResourceDefinition';
  return isDefinition && of.group !== '' && name.endsWith(`.${of.group}`);
}

interface Step {
  readonly ids: readonly ObjectId[];
  /** It begins when the hooks of the phase PostDelete have succeeded. */
  readonly isAfterHooks?: true;
  readonly isDone: (result: ChangeResult | undefined) => boolean;
}

async function storeRest(
  deletion: Deletion,
  rest: readonly ObjectId[],
  confirmation: ConfirmationStatus,
): Promise<void> {
  const { base, record } = deletion;
  replaceInventory(record.memory.inventory, rest);
  const stored = decodeInventory(valueAt(base, 'status', 'inventory'));
  if (!stored.ok || stored.ids.length === rest.length) return;
  const reason = `${rest.length} left, which the Application itself depends on`;
  await tellWait(deletion, { left: rest, reason, confirmation });
}

interface Confirmed {
  /** Whether objects that ask for a confirmation may be deleted. */
  readonly isConfirmed: boolean;
  /** The confirmation as status tells it while these objects are left. */
  readonly confirmationOf: (left: readonly ObjectId[]) => ConfirmationStatus;
}

/** undefined: the deletion waits for a person, and status says so. */
async function confirm(deletion: Deletion, ids: readonly ObjectId[], live: Live): Promise<Confirmed | undefined> {
  const { deleted } = deletion;
  const found = judgeEnd(deleted, { ids, asking: askingForConfirmation(deletion, ids, live) });
  if (found.type === 'unneeded') return { isConfirmed: false, confirmationOf: () => ({ held: undefined }) };
  if (found.type === 'missing') {
    const { reason, refused } = found;
    const confirmation = { held: heldEndOf(deleted, ids), answer: refused };
    await tellWait(deletion, { left: ids, reason, confirmation });
    return undefined;
  }
  const { id, action } = found.request;
  const answer: Answer = { id, action, outcome: 'InProgress' };
  const confirmationOf = (left: readonly ObjectId[]): ConfirmationStatus => ({
    held: heldEndOf(deleted, left, id),
    answer,
  });
  // After a kill the rest is still known as confirmed.
  if (!found.isRecorded) {
    await tellWait(deletion, { left: ids, reason: `${ids.length} left`, confirmation: confirmationOf(ids) });
  }
  return { isConfirmed: true, confirmationOf };
}

/** The account cannot delete the last of the objects that gave it the right to do so. */
function isGoneOrForbidden(result: ChangeResult | undefined): boolean {
  return isGone(result) || isLackOfRights(result?.refusal);
}

/** Adds why the objects of a last step that no change is about cannot be read. */
async function withRefusals(
  { context, identity, record, target }: Deletion,
  { ids, observation: { kindOf } }: Leftovers,
  applied: Applied,
): Promise<Applied> {
  const results = new Map(applied);
  for (const id of ids) {
    const kind = kindOf.get(idKey(id));
    if (!kind || results.has(idKey(id))) continue;
    const answer = await target.as(identity).get(kind, id);
    const change: Change = { type: 'unknown', id, kind, fields: [] };
    if (!answer.ok) results.set(idKey(id), { change, outcome: 'failed', refusal: answer.refusal });
  }
  for (const { change, refusal } of results.values()) {
    if (!isLackOfRights(refusal)) continue;
    const fields = { application: record.key, object: formatId(change.id), reason: refusal?.message };
    context.log.warn('an object is left alive: the account has no rights any more', fields);
  }
  return results;
}

/** An object that may be neither deleted nor released holds up the deletion, with the reason. */
function withKept(applied: Applied, changes: readonly Change[]): Applied {
  const results = new Map(applied);
  for (const change of changes) {
    if (change.keptFor === undefined) continue;
    results.set(idKey(change.id), { change, outcome: 'waiting', message: `it is not deleted: ${change.keptFor}` });
  }
  return results;
}

/** The finalizer of the Application keeps its own object alive, so nothing is asked about it. */
function isOwnObject({ record }: Deletion, { group, kind, namespace, name }: ObjectId): boolean {
  return group === 'tautline.dev' && kind === 'Application' && `${namespace}/${name}` === record.key;
}

/** Only an Application or a Namespace can be part of a circle; without one the others are not asked. */
function holdersAmong({ context }: Deletion, ids: readonly ObjectId[]): Holder[] {
  const mayCircle = ids.some(({ group, kind }) => `${group}/${kind}` === '/Namespace' || group === 'tautline.dev');
  return mayCircle ? [...context.neighbours.all()].map(holderOf) : [];
}

/** After a restart of the agent the stored inventory tells what an Application holds. */
function holderOf(neighbour: Neighbour): Holder {
  let stored: ReadonlySet<string> | undefined;
  const readStored = (): ReadonlySet<string> => {
    const decoded = decodeInventory(valueAt(neighbour.stored, 'status', 'inventory'));
    return new Set(decoded.ok ? decoded.ids.map(idKey) : []);
  };
  return {
    key: neighbour.key,
    holds: (id) => neighbour.holds(id) === true || (stored ??= readStored()).has(idKey(id)),
  };
}

interface Leftovers {
  readonly ids: readonly ObjectId[];
  readonly observation: Observation;
}

function changesOf(
  deletion: Deletion,
  { ids, observation: { kindOf, live } }: Leftovers,
  standing: Standing,
): Change[] {
  const owner = ownerOfDeleted(deletion);
  // Asked again, since other Applications may have read a newer commit while the objects were observed.
  const isAwaiting = reasonToAwaitNeighbours(deletion) !== undefined;
  return ids.flatMap((id): Change[] => {
    if (isOwnObject(deletion, id)) return [];
    const entry = live.get(idKey(id));
    const kind = kindOf.get(idKey(id));
    if (entry?.state === 'unknown') return [];
    const shown = entry?.state === 'present' ? { live: entry.object } : {};
    const decision =
      entry?.state === 'present' ? mayDelete({ live: entry.object, owner, occasion: 'deletion' }) : undefined;
    if (decision?.type === 'refuse')
      return [{ type: 'prune', id, kind, fields: [], ...shown, keptFor: decision.reason }];
    const isKept = decision !== undefined && !isDeletable(decision.type);
    const wish = isKept ? 'released' : wishElsewhere(deletion, id, standing);
    if (wish === 'taken' || (wish === 'none' && isAwaiting)) return [];
    if (typeof wish === 'object')
      return [{ type: 'release', id, kind, fields: [], ...shown, ...marksOf(deletion, wish.to) }];
    const type = wish === 'none' ? 'prune' : 'release';
    return [{ type, id, kind, fields: [], ...shown }];
  });
}

/** `key`: `namespace/name` of an Application of this hub. */
function marksOf({ context: { hub } }: Deletion, key: string): Pick<Change, 'releasedTo'> {
  const [namespace = '', name = ''] = key.split('/');
  return { releasedTo: ownerOf({ hubId: hub.hubId, namespace, name }) };
}

function isDeletable(decision: ReturnType<typeof mayDelete>['type']): boolean {
  return decision === 'delete' || decision === 'confirm';
}

function askingForConfirmation(deletion: Deletion, ids: readonly ObjectId[], live: Live): ObjectId[] {
  const owner = ownerOfDeleted(deletion);
  return ids.filter((id) => {
    const entry = live.get(idKey(id));
    if (entry?.state !== 'present' || entry.object.deletionTimestamp !== undefined) return false;
    return mayDelete({ live: entry.object, owner, occasion: 'deletion' }).type === 'confirm';
  });
}
