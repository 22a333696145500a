/**
 * Claims, observation and diff of a pass, and the evidence for what only the server can tell: an apply where we may
 * write (the plan sends `unsure` changes), one dry run where we may not.
 */
import type { DesiredObject } from '../bind/desired.ts';
import { baselineOf } from '../diff/baseline.ts';
import type { Change } from '../diff/changes.ts';
import { diffObjects } from '../diff/diff.ts';
import { judgeDryRun } from '../diff/evidence.ts';
import { judgedDigest } from '../diff/ignored.ts';
import { idKey, type ObjectId } from '../object/identity.ts';
import type { RivalClaim } from '../status/report.ts';
import { acceptanceOf } from './acceptance.ts';
import { reachOf } from './act-as.ts';
import { claimObjects, readClaims } from './claim-objects.ts';
import { readFinished } from './finished.ts';
import { observe } from './observe.ts';
import type { Pass } from './pass.ts';
import { settleKinds } from './settle-kinds.ts';
import { settleUnsure } from './settle-unsure.ts';
import type { BoundSet } from './stages.ts';

export interface Compared {
  readonly changes: readonly Change[];
  readonly contests: readonly RivalClaim[];
}

export async function compareLive(
  pass: Pass,
  { desired, ...bound }: BoundSet,
  inventory: ReadonlyMap<string, ObjectId>,
): Promise<Compared> {
  const { application, asked, context, owner, state } = pass;
  const { memory } = state;
  // Where no apply follows, nothing but a question brings evidence.
  const isReporting = asked.intent.mode !== 'auto';
  const claim = asked.isDryRun ? readClaims : claimObjects;
  const { claimants, contests } = claim(
    pass,
    desired.objects.filter(({ policy }) => policy?.ssa !== 'Ignore').map(({ id }) => id),
    inventory,
  );
  const leftover = leftoverOf(desired.objects, inventory);
  const { kinds, isUnservedGone } =
    leftover.length > 0 ? await settleKinds(state, context, leftover) : { kinds: bound.kinds, isUnservedGone: false };
  const { live } = await observe({
    cluster: context.cluster,
    identity: pass.identity,
    reach: reachOf(pass.identity, application.metadata, context.settings),
    kinds,
    isUnservedGone,
    holder: state.key,
    desired: desired.objects,
    inventory,
    proveAbsence: isReporting || asked.isDryRun,
    concurrency: context.settings.applyConcurrency,
  });
  const finished = readFinished(pass);
  const changes = diffObjects({
    desired,
    live,
    inventory,
    owner,
    kinds,
    settled: memory.verdicts,
    claims: (id) => claimants.get(idKey(id)),
    memory: {
      baselines: memory.baselines,
      isFinished: (id, digest) => finished.get(idKey(id)) === digest,
      isAccepted: acceptanceOf(pass, desired),
    },
  });
  return { changes: isReporting ? await gatherEvidence(pass, changes) : changes, contests };
}

/** In the inventory, and desired no more. */
function leftoverOf(desired: readonly DesiredObject[], inventory: ReadonlyMap<string, ObjectId>): ObjectId[] {
  const keys = new Set(desired.map(({ id }) => idKey(id)));
  return [...inventory].flatMap(([key, id]) => (keys.has(key) ? [] : [id]));
}

/** A mode which writes nothing reports nothing that it does not know; what a dry run proves is remembered. */
function gatherEvidence({ context, identity, state }: Pass, changes: readonly Change[]): Promise<readonly Change[]> {
  return settleUnsure(changes, {
    client: context.cluster.as(identity),
    concurrency: context.settings.applyConcurrency,
    judge: (change, answer) => {
      if (!answer.ok) return { ...change, reason: answer.refusal.message };
      const { accepted, baselines, verdicts } = state.memory;
      const { desired, id, live } = change;
      const key = idKey(id);
      const judged = { ...judgeDryRun(change, answer.object), warnings: answer.warnings };
      accepted.set(key, desired.digest);
      if (live) {
        const { resourceVersion } = live;
        verdicts.set(key, { manifestDigest: judgedDigest(desired), resourceVersion, change: judged });
      }
      if (judged.type === 'none') baselines.set(key, baselineOf(desired, answer.object));
      return judged;
    },
  });
}
