/**
 * The effects of a pass, in the one order that survives a kill at any moment: the destination namespace (it belongs to
 * no Application), finalizer and ApplySet marks on the Application, the inventory as the union of old and new, then the
 * plan.
 *
 * Where the API server refuses to store them (an admission webhook, a size), only those effects are carried out of
 * which a kill would lose nothing: the commit that removes such a webhook must not wait for it.
 */
import type { Applied, Outcome } from '../../apply/applied.ts';
import { applyPlan } from '../../apply/apply.ts';
import type { RefusalCode } from '../../cluster/answers.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { valueAt } from '../../object/value.ts';
import { plannedIds, withoutAdditions, type Plan } from '../../plan/plan.ts';
import type { Metrics } from '../../telemetry/ports.ts';
import { remainingMs } from '../attempt.ts';
import { claimantOf, keepClaims } from '../decide/claim-objects.ts';
import {
  addToInventory,
  encodeAhead,
  encodeFor,
  keysOfStored,
  writtenOf,
  measureInventory,
  removeFromInventory,
} from '../decide/inventory.ts';
import { endSending, noteSending, type Sending } from '../decide/sent-jobs.ts';
import { StatusConflict, toFailure, type Pass } from '../pass.ts';
import { reportOf, type Findings } from '../report/report-of.ts';
import {
  adoptAnswer,
  isSameButMetadata,
  isWriteRefused,
  writeStatus,
  writeStatusValue,
} from '../report/status-writer.ts';
import { createDestination, markParent } from './prepare-place.ts';
import { recordResult } from './record-result.ts';
import { untilNewer } from './until-newer.ts';

/** A sync past its deadline still gets this long a pass, so that it can succeed once the cause is gone. */
const LEAST_APPLY_MS = 30_000;

export async function carryOut(pass: Pass, plan: Plan, findings: Findings): Promise<Applied> {
  const inventory = pass.memory.inventory.ids;
  if (!inventory) throw new RangeError('effects need an inventory');
  await createPlace(pass, findings, inventory);
  const added = plannedIds(plan).filter((id) => !inventory.has(idKey(id)));
  addToInventory(inventory, added);
  const { endedJobs } = pass.memory;
  const sending = noteSending(endedJobs, plan, pass.context.clock.now());
  const isRecorded = await unlessRefused(pass, () => storeIntent(pass, findings, { inventory, sending }));
  if (!isRecorded) removeFromInventory(inventory, added.map(idKey));
  const possible = isRecorded ? plan : withoutAdditions(plan, storedIn(pass));
  const applied = await applyUntilNewer(pass, possible, findings);
  endSending(endedJobs, sending, applied);
  if (findings.bound) measureInventory(pass.memory.inventory, findings.bound.desired.objects);
  await letGo(pass, findings, { applied, inventory });
  return applied;
}

type Inventory = Map<string, ObjectId>;

/** Runs a write of the Application. Returns false if the API server refuses it, which the pass then reports. */
async function unlessRefused(pass: Pass, write: () => Promise<void>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (!isWriteRefused(error)) throw error;
    const failure = toFailure('status', error);
    if (!pass.failures.some(({ stage }) => stage === 'status')) pass.failures.push(failure);
    return false;
  }
}

/** Whether the stored inventory names an object. */
function storedIn({ base, memory }: Pass): (id: ObjectId) => boolean {
  const keys = keysOfStored(memory.inventory, valueAt(base, 'status', 'inventory'));
  return (id) => keys.has(idKey(id));
}

/**
 * Creates the destination namespace. If that fails, this Application gives up its claims on objects that it does not
 * hold yet.
 */
async function createPlace(pass: Pass, { bound }: Findings, inventory: Inventory): Promise<void> {
  try {
    if (bound) await createDestination(pass, bound.desired);
  } catch (error) {
    keepClaims(claimantOf(pass), [], inventory);
    throw error;
  }
}

interface Intent {
  readonly inventory: Inventory;
  readonly sending: Sending;
}

/** Marks and stores everything that is about to be written, so that a kill leaves no doubt about what may exist. */
async function storeIntent(pass: Pass, findings: Findings, { inventory, sending }: Intent): Promise<void> {
  const { context, memory } = pass;
  const { status, metadata } = pass.application;
  const isWider = isWiderThanStored(pass, inventory);
  await markParent(pass, inventory.values());
  await context.onFaultPoint('marks-written');
  if (isWider) await encodeAhead(memory.inventory);
  const revision = findings.snapshot?.revision;
  const isNew = status.sync?.lastAttemptedRevision !== revision || status.observedGeneration !== metadata.generation;
  const { confirmedBy } = findings.guard ?? {};
  // After a kill the rest of a confirmed prune is still known as confirmed.
  const isNewlyConfirmed = confirmedBy !== undefined && status.pruneGuard?.held?.confirmedBy !== confirmedBy;
  if (isNew || isNewlyConfirmed) await writeStatus(pass, reportOf(pass, findings, 'begun'));
  // A retry changes no condition: only the inventory is stored, the size that it had before, and the Jobs to be sent.
  else if (isWider || sending.size > 0) {
    const objectsBefore = memory.inventory.sizeBefore;
    const ids = [...inventory.values()];
    const pruneGuard = { ...status.pruneGuard, ...(objectsBefore === undefined ? {} : { objectsBefore }) };
    const stored = Object.keys(pruneGuard).length > 0 ? { pruneGuard } : {};
    const started = Object.fromEntries(memory.endedJobs.started ?? []);
    const jobs = sending.size > 0 ? { started } : {};
    const written = writtenOf(memory.inventory, metadata.uid);
    const held = { ...encodeFor(memory.inventory, ids), ...(written ? { written } : {}) };
    await writeStatusValue(pass, { ...status, ...stored, ...jobs, inventory: held });
  } else await expectUnwritten(pass);
  await context.onFaultPoint('inventory-written');
}

/**
 * Where nothing is to be stored, no write shows that another process (an agent that is being replaced) has written the
 * Application meanwhile: its revision may be newer than the one of this pass. Throws StatusConflict. Where the
 * Application cannot be read, drift is healed nevertheless.
 */
async function expectUnwritten(pass: Pass): Promise<void> {
  const read = await pass.context.hub.applications.read(pass.base);
  if (!read.ok && read.refusal.code !== 'NotFound') return;
  if (!read.ok || !isSameButMetadata(pass.base, read.object)) {
    throw new StatusConflict('the Application was written since the pass began');
  }
  adoptAnswer(pass, read);
}

function applyUntilNewer(pass: Pass, plan: Plan, { attempt, guard, snapshot }: Findings): Promise<Applied> {
  const { application, context, identity, owner, signal, target } = pass;
  const { clock, settings } = context;
  const timeoutMs = remainingMs({
    attempt,
    spec: application.spec,
    nowMs: clock.monotonicMs(),
    leastMs: LEAST_APPLY_MS,
  });
  const deadline = AbortSignal.timeout(timeoutMs);
  return untilNewer(pass, snapshot, (newer) =>
    applyPlan(plan, {
      client: target.as(identity),
      owner,
      conflicts: application.spec.sync.ssaConflicts,
      occasion: 'prune',
      isConfirmed: guard?.confirmedBy !== undefined,
      concurrency: settings.applyConcurrency,
      signal: AbortSignal.any([signal, deadline, newer]),
      onResult: (result) => recordResult(pass, result),
    }),
  );
}

interface Effects {
  readonly applied: Applied;
  readonly inventory: Inventory;
}

/** Gives up the claims on pruned, released and forbidden objects, so that other Applications may have them. */
async function letGo(pass: Pass, { bound }: Findings, { applied, inventory }: Effects): Promise<void> {
  const { context } = pass;
  const outcomes = new Set([...applied.values()].map(({ outcome }) => outcome));
  if (outcomes.has('recreating')) await context.onFaultPoint('object-recreating');
  await context.onFaultPoint('wave-applied');
  const forbidden = forbiddenOf(applied);
  removeFromInventory(inventory, forbidden);
  const isLess = outcomes.has('pruned') || outcomes.has('released');
  if (isLess) await context.onFaultPoint('objects-pruned');
  if (!isLess && forbidden.size === 0) return;
  const desired = (bound?.desired.objects ?? []).map(({ id }) => id).filter((id) => !forbidden.has(idKey(id)));
  keepClaims(claimantOf(pass), desired, inventory);
  await unlessRefused(pass, () => markParent(pass, inventory.values()));
}

/**
 * By `idKey`: objects that could not be created or adopted because a right or room is missing, and objects that wait
 * for them.
 * An Application must not keep others from objects that it may not write itself.
 */
function forbiddenOf(applied: Applied): Set<string> {
  // An existing object without our marks is not ours, just like a missing one.
  const notOurs = [...applied].filter(([, { change }]) => change.desired && (!change.live || change.type === 'adopt'));
  const forbidden = notOurs.filter(([, { refusal }]) => refusal && GIVES_UP_CLAIM.has(refusal.code));
  if (forbidden.length === 0) return new Set();
  const waiting = notOurs.filter(([, { outcome }]) => outcome === 'waiting');
  return new Set([...forbidden, ...waiting].map(([key]) => key));
}

/** A pass without a change, and a wait, are not a sync. `applied` is undefined if the effects failed as a whole. */
export function countSync(metrics: Metrics, applied: Applied | undefined): void {
  const outcomes = [...(applied?.values() ?? [])].map(({ outcome }) => outcome);
  if (!applied || outcomes.some((outcome) => FAILURES.has(outcome))) return metrics.onSync('failure');
  if (outcomes.some((outcome) => !NO_EFFECTS.has(outcome))) metrics.onSync('success');
}

const GIVES_UP_CLAIM: ReadonlySet<RefusalCode> = new Set(['Forbidden', 'QuotaExceeded', 'Taken']);
const FAILURES: ReadonlySet<Outcome> = new Set(['failed', 'conflict']);
const NO_EFFECTS: ReadonlySet<Outcome> = new Set(['unchanged', 'waiting', 'pruning']);

/** Compared with what is stored, not with memory: an earlier write of it may have failed. */
function isWiderThanStored(pass: Pass, inventory: ReadonlyMap<string, ObjectId>): boolean {
  const isStored = storedIn(pass);
  return [...inventory.values()].some((id) => !isStored(id));
}
