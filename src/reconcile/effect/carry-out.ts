/**
 * The effects of a pass, in the one order that survives a kill at any moment: the destination namespace (no object of
 * anybody), finalizer and set on the Application, the inventory as the union of old and new, then what the plan says.
 */
import type { Applied, Outcome } from '../../apply/applied.ts';
import { applyPlan } from '../../apply/apply.ts';
import { decodeInventory, encodeInventory } from '../../application/inventory.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { valueAt } from '../../object/value.ts';
import { plannedIds, type Plan } from '../../plan/plan.ts';
import type { Metrics } from '../../telemetry/ports.ts';
import { keepClaims } from '../decide/claim-objects.ts';
import { ensureDestination, ensureParent } from './prepare-place.ts';
import type { Pass } from '../pass.ts';
import { rememberResult } from './remember-result.ts';
import { remainingMs, reportOf, type Findings } from '../report/report-of.ts';
import { writeStatus, writeStatusValue } from '../report/status-writer.ts';
import { untilNewer } from './until-newer.ts';

/** A sync past its deadline still gets this long a pass, so that it can succeed once the cause is gone. */
const LEAST_APPLY_MS = 30_000;

export async function carryOut(pass: Pass, plan: Plan, findings: Findings): Promise<Applied> {
  const { inventory } = pass.state.memory;
  if (!inventory) throw new RangeError('effects need an inventory');
  await ensurePlace(pass, findings, inventory);
  for (const id of plannedIds(plan)) inventory.set(idKey(id), id);
  await storeIntent(pass, findings, inventory);
  const applied = await applyUntilNewer(pass, plan, findings);
  await letGo(pass, findings, { applied, inventory });
  return applied;
}

type Inventory = Map<string, ObjectId>;

/** Nothing is noted or claimed where it fails: what has no place is nobody's. */
async function ensurePlace(pass: Pass, { bound }: Findings, inventory: Inventory): Promise<void> {
  try {
    if (bound) await ensureDestination(pass, bound.desired);
  } catch (error) {
    keepClaims(pass, [], inventory);
    throw error;
  }
}

/** What is about to be written is marked and stored first, so that a kill leaves no doubt about what may exist. */
async function storeIntent(pass: Pass, findings: Findings, inventory: Inventory): Promise<void> {
  const { context } = pass;
  const { status, metadata } = pass.application;
  const isWider = isWiderThanStored(pass, inventory);
  await ensureParent(pass, inventory.values());
  await context.reach('marks-written');
  const revision = findings.snapshot?.revision;
  const isNew = status.sync?.lastAttemptedRevision !== revision || status.observedGeneration !== metadata.generation;
  if (isNew) await writeStatus(pass, reportOf(pass, findings, 'begun'));
  // A retry is no news: what was said of the last attempt stays.
  else if (isWider) await writeStatusValue(pass, { ...status, inventory: encodeInventory([...inventory.values()]) });
  await context.reach('inventory-written');
}

function applyUntilNewer(pass: Pass, plan: Plan, { snapshot }: Findings): Promise<Applied> {
  const { context, identity, owner, signal } = pass;
  const deadline = AbortSignal.timeout(remainingMs(pass, snapshot?.revision, LEAST_APPLY_MS));
  return untilNewer(pass, snapshot, (newer) =>
    applyPlan(plan, {
      client: context.cluster.as(identity),
      owner,
      occasion: 'prune',
      concurrency: context.settings.applyConcurrency,
      signal: AbortSignal.any([signal, deadline, newer]),
      onResult: (result) => rememberResult(pass, identity, result),
    }),
  );
}

interface Ended {
  readonly applied: Applied;
  readonly inventory: Inventory;
}

/** What is gone, released or denied is no longer held, and others may have it. */
async function letGo(pass: Pass, { bound }: Findings, { applied, inventory }: Ended): Promise<void> {
  const { context } = pass;
  const outcomes = new Set([...applied.values()].map(({ outcome }) => outcome));
  if (outcomes.has('recreating')) await context.reach('object-recreating');
  await context.reach('wave-applied');
  const denied = deniedOf(applied);
  for (const key of denied) inventory.delete(key);
  const isLess = outcomes.has('pruned') || outcomes.has('released');
  if (isLess) await context.reach('objects-pruned');
  if (!isLess && denied.size === 0) return;
  const desired = (bound?.desired.objects ?? []).map(({ id }) => id).filter((id) => !denied.has(idKey(id)));
  keepClaims(pass, desired, inventory);
  await ensureParent(pass, inventory.values());
}

/**
 * By `idKey`: what could not be made or adopted for want of a right, and what waits for that. Nobody keeps another
 * Application from objects that it may not write itself.
 */
function deniedOf(applied: Applied): Set<string> {
  // What is there without our mark is as little ours as what is not there.
  const lacking = [...applied].filter(([, { change }]) => change.desired && (!change.live || change.type === 'adopt'));
  const denied = lacking.filter(([, { refusal }]) => refusal?.code === 'Forbidden');
  if (denied.length === 0) return new Set();
  const waiting = lacking.filter(([, { outcome }]) => outcome === 'waiting');
  return new Set([...denied, ...waiting].map(([key]) => key));
}

/** Evidence that changed nothing, and a wait, are no sync. `applied` is undefined if it was cut short. */
export function countSync(metrics: Metrics, applied: Applied | undefined): void {
  const outcomes = [...(applied?.values() ?? [])].map(({ outcome }) => outcome);
  if (!applied || outcomes.some((outcome) => FAILURES.has(outcome))) return metrics.onSync('failure');
  if (outcomes.some((outcome) => !NO_EFFECTS.has(outcome))) metrics.onSync('success');
}

const FAILURES: ReadonlySet<Outcome> = new Set(['failed', 'conflict']);
const NO_EFFECTS: ReadonlySet<Outcome> = new Set(['unchanged', 'waiting', 'pruning']);

/** Held against what is stored, not against memory: an earlier write of it may have failed. */
function isWiderThanStored({ base }: Pass, inventory: ReadonlyMap<string, ObjectId>): boolean {
  const stored = decodeInventory(valueAt(base, 'status', 'inventory'));
  const keys = new Set(stored.ok ? stored.ids.map(idKey) : []);
  return [...inventory.keys()].some((key) => !keys.has(key));
}
