/**
 * Heals with the applied manifest: while the newer manifest of an object waits for a wave, a dependency or room in the
 * status, an object that is no longer as it was applied gets the manifest of the applied revision again.
 *
 * Invariants: only a manifest that the API server has accepted last for an object of the inventory is sent; a Job and a
 * hook are never sent again. The applied revision is rendered only if such an object was written since.
 */
import { isRunToCompletion } from '../../application/ended-jobs.ts';
import type { Applied, ChangeResult } from '../../apply/applied.ts';
import type { DesiredObject } from '../../bind/desired.ts';
import { inTurns } from '../../cluster/concurrency.ts';
import type { Live, LiveEntry } from '../../cluster/live.ts';
import type { Change } from '../../diff/changes.ts';
import { diffSteps, REASONS } from '../../diff/diff.ts';
import { idKey } from '../../object/identity.ts';
import { planSteps, type Wave } from '../../plan/plan.ts';
import type { BoundSet } from '../desired/bind-desired.ts';
import type { Pass } from '../pass.ts';
import { brakeHeals, joinBraked } from './brake-heals.ts';
import { isGivenUp } from './compare-live.ts';
import { createForgeryJudge, hasProof } from './forged-marks.ts';
import type { EvidenceMemory } from './memory.ts';
import { isUnsent, type Planned } from './plan-pass.ts';
import { readApplied } from './recall-accepted.ts';

export interface AppliedHeals {
  readonly waves: readonly Wave[];
  readonly braked: Planned['braked'];
}

/** The heals beside a plan, and the brake on all heals of the pass. */
export async function healApplied(
  pass: Pass,
  { kinds }: Pick<BoundSet, 'kinds'>,
  planned: Pick<Planned, 'changes' | 'plan' | 'braked'>,
): Promise<AppliedHeals> {
  const { context, goal, memory, owner } = pass;
  const none: AppliedHeals = { waves: [], braked: planned.braked };
  if (goal.intent.mode !== 'auto' || goal.isDryRun) return none;
  const isWaiting = isUnsent(planned);
  const newer = planned.changes.filter((change) => isWaiting(change) && isNewer(pass, change));
  if (newer.length === 0) memory.evidence.applied = undefined;
  const suspects = newer.filter((change) => !isAsApplied(memory.evidence, change));
  const objects = await appliedObjects(pass, suspects);
  if (objects.length === 0) return none;
  const { evidence, heals, inventory } = memory;
  const changes = await inTurns(
    diffSteps({
      desired: { objects, problems: [], digest: '' },
      live: liveOf(suspects),
      inventory: new Map(objects.map(({ id }) => [idKey(id), id])),
      owner,
      kinds,
      isGivenUp: (id, annotation) => isGivenUp(pass, id, annotation),
      hasWritten: (id) => hasProof(inventory, id),
      isForged: createForgeryJudge(pass),
      memory: {
        baselines: evidence.baselines,
        isAccepted: (id, digest) => evidence.accepted.get(idKey(id)) === digest,
      },
    }),
  );
  const own = changes.filter(({ takenFrom }) => takenFrom === undefined);
  const braked = brakeHeals(heals, own, context.clock.monotonicMs());
  const { waves } = await inTurns(
    planSteps({
      ...{ changes: own, mode: 'auto', mayPrune: false, isComplete: false, isConfirmed: false },
      ...{ objectsBefore: own.length, guard: context.settings.pruneGuard, postponed: braked.held },
    }),
  );
  return { waves, braked: joinBraked(planned.braked, braked) };
}

const HEALED: ReadonlySet<Change['type']> = new Set(['create', 'update', 'adopt', 'unsure']);

/** Whether the manifest of an object is newer than the one that the API server has accepted last for it. */
function isNewer({ goal, memory }: Pass, { id, type, desired, takenFrom }: Change): boolean {
  const key = idKey(id);
  const applied = memory.evidence.accepted.get(key);
  if (!desired || !HEALED.has(type) || takenFrom !== undefined || isRunToCompletion(id)) return false;
  if (applied === undefined || applied === desired.digest || memory.inventory.ids?.has(key) !== true) return false;
  return goal.intent.objects?.has(key) !== false;
}

/** Whether the object was compared with its applied manifest, found equal to it, and not written since. */
function isAsApplied({ accepted, settled }: EvidenceMemory, { id, live }: Change): boolean {
  const known = settled.get(idKey(id));
  if (known?.change.type !== 'none' || known.change.desired?.digest !== accepted.get(idKey(id))) return false;
  return known.resourceVersion === live?.resourceVersion && known.change.live?.uid === live.uid;
}

/** The applied manifests of the given objects, as far as the applied revision still has them. */
async function appliedObjects(pass: Pass, suspects: readonly Change[]): Promise<DesiredObject[]> {
  const { evidence } = pass.memory;
  const digest = pass.application.status.sync?.digest;
  if (digest === undefined) return [];
  const keys = suspects.map(({ id }) => idKey(id));
  const known = evidence.applied?.digest === digest ? evidence.applied.objects : undefined;
  if (keys.some((key) => known?.has(key) !== true)) await readObjects(pass, { digest, keys, known });
  const { objects } = evidence.applied ?? {};
  return keys.flatMap((key) => {
    const object = objects?.get(key);
    const isSent = object && object.policy?.isHook !== true && evidence.accepted.get(key) === object.digest;
    return isSent ? [object] : [];
  });
}

interface Asked {
  readonly digest: string;
  readonly keys: readonly string[];
  readonly known: ReadonlyMap<string, DesiredObject | undefined> | undefined;
}

/** Keeps only the objects that were asked for: the whole set would double the memory of the Application. */
async function readObjects(pass: Pass, { digest, keys, known }: Asked): Promise<void> {
  const applied = await readApplied(pass);
  if (applied === undefined) return;
  const byKey = new Map((applied === 'other' ? [] : applied.objects).map((object) => [idKey(object.id), object]));
  const asked = new Map(keys.map((key) => [key, byKey.get(key)]));
  pass.memory.evidence.applied = { digest, objects: new Map([...(known ?? []), ...asked]) };
}

/** The objects as the comparison with the newer manifests has seen them. */
function liveOf(changes: readonly Change[]): Live {
  return new Map(changes.map((change): [string, LiveEntry] => [idKey(change.id), entryOf(change)]));
}

function entryOf({ live, reason }: Change): LiveEntry {
  if (live) return { state: 'present', object: live };
  return { state: reason === REASONS.missing ? 'absent' : 'unseen' };
}

/** The results of a plan without the heals that succeeded: the newer manifests of their objects still wait. */
export function withoutHeals(applied: Applied, waves: readonly Wave[]): Applied {
  const heals = new Set(waves.flatMap(({ changes }) => changes.map(({ change }) => change)));
  const isKept = ({ change, refusal }: ChangeResult): boolean => !heals.has(change) || refusal !== undefined;
  return heals.size === 0 ? applied : new Map([...applied].filter(([, result]) => isKept(result)));
}
