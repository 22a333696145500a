/**
 * Health of every object of a pass. Pods are listed by the selector of their workload, and only while that workload is
 * not Healthy, as are Events: a pass over healthy objects sends no request.
 */
import type { Desired, DesiredObject } from '../../bind/desired.ts';
import { forEachConcurrently, inTurns } from '../../cluster/concurrency.ts';
import { kindKey, type KindInfo, type Kinds } from '../../cluster/kinds.ts';
import type { LiveEntry, LiveObject } from '../../cluster/live.ts';
import type { Change } from '../../diff/changes.ts';
import { assessHealth, needsPods, podSelectorOf, type Health } from '../../health/health.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { isLeftOut } from '../../object/policy.ts';
import { mapSteps, visitSteps } from '../../object/steps.ts';
import { acceptanceOf } from '../accepted.ts';
import { runHealthChecks } from '../decide/health-checks.ts';
import { dropUndesiredJobs, noteJob, readJobRecords } from '../decide/ended-jobs.ts';
import type { Pass } from '../pass.ts';
import { explainByEvents } from './explain-by-events.ts';

/** Pods listed for one workload. The API server gives them by name, so that one that is not well may be the last. */
const MAX_PODS = 500;

interface Unwell {
  readonly id: ObjectId;
  readonly object: DesiredObject;
  readonly live: LiveObject;
}

/** By `idKey`, of all objects but those that are left out (`isLeftOut`). */
export async function assessObjects(
  pass: Pass,
  { desired, isComplete, kinds }: { readonly desired: Desired; readonly isComplete: boolean; readonly kinds: Kinds },
  changes: readonly Change[],
): Promise<Map<string, Health>> {
  // An object that could not be read by name either is not missing.
  const unread = new Map(changes.flatMap(({ type, id, reason }) => (type === 'unknown' ? [[idKey(id), reason]] : [])));
  // A read of an object that no watch reports counts for a while only, and a pass may take longer than that.
  const unwatched = new Map(changes.flatMap(({ id, live, isUnwatched }) => (isUnwatched ? [[idKey(id), live]] : [])));
  const isAccepted = acceptanceOf(pass, desired);
  const jobs = readJobRecords(pass.memory.endedJobs, pass.application);
  const look = mapSteps(desired.objects, (object): Seen => {
    const entry = lookAt(pass, object, unread);
    return { object, entry, live: unwatched.get(idKey(object.id)) ?? presentIn(entry) };
  });
  const seen = await inTurns(look);
  const { checked } = await runHealthChecks(
    pass,
    seen.flatMap(({ live }) => live ?? []),
  );
  const context = { self: pass.application.metadata, checked };
  const health = new Map<string, Health>();
  const unwell: Unwell[] = [];
  const troubled: Unwell[] = [];
  const assess = visitSteps(seen, ({ object, entry, live }) => {
    if (isLeftOut(object.policy, live !== undefined || entry?.state === 'unknown')) return;
    const assessed: Health =
      entry?.state === 'unknown'
        ? { status: 'Unknown', message: entry.reason }
        : (noteJob(jobs, { desired: object, live, isAccepted }) ?? assessHealth(live, context));
    health.set(idKey(object.id), assessed);
    if (!live || checked(live)) return;
    const found = { id: object.id, object, live };
    if (needsPods(live, assessed)) unwell.push(found);
    if (assessed.status === 'Progressing' || assessed.status === 'Degraded') troubled.push(found);
  });
  await inTurns(assess);
  // A Job of a file that cannot be read at the moment is still desired.
  if (isComplete) dropUndesiredJobs(jobs, desired.objects);
  const podKind = kinds.served.get(kindKey('v1', 'Pod'));
  const pods =
    podKind && unwell.length > 0 ? await explainByPods(pass, { podKind, unwell, health }) : (new Map() as PodsByKey);
  const withPods = troubled.map((found) => ({ ...found, pods: pods.get(idKey(found.id)) ?? [] }));
  await explainByEvents(pass, { kinds, unwell: withPods, health });
  return health;
}

interface Seen {
  readonly object: DesiredObject;
  readonly entry: LiveEntry | undefined;
  readonly live: LiveObject | undefined;
}

function presentIn(entry: LiveEntry | undefined): LiveObject | undefined {
  return entry?.state === 'present' ? entry.object : undefined;
}

const NOT_KEPT = 'there is no memory left for its content (--max-namespace-live-mib)';

function lookAt(
  { identity, target }: Pass,
  { id, kind, awaitsCrd }: DesiredObject,
  unread: ReadonlyMap<string, string | undefined>,
): LiveEntry | undefined {
  const entry = awaitsCrd ? undefined : target.live.look(identity, kind, id);
  if (entry?.state === 'unseen' && entry.isUnread) return { state: 'unknown', reason: NOT_KEPT };
  if (entry?.state === 'unknown' || !unread.has(idKey(id))) return entry;
  return { state: 'unknown', reason: unread.get(idKey(id)) ?? '' };
}

interface Explaining {
  readonly podKind: KindInfo;
  readonly unwell: readonly Unwell[];
  readonly health: Map<string, Health>;
}

type PodsByKey = ReadonlyMap<string, readonly LiveObject[]>;

/** Returns the Pods by `idKey` of their workload. */
async function explainByPods(pass: Pass, { podKind, unwell, health }: Explaining): Promise<PodsByKey> {
  const pods = new Map<string, readonly LiveObject[]>();
  const { application, context, identity, target } = pass;
  const self = application.metadata;
  const client = target.as(identity);
  await forEachConcurrently(unwell, { concurrency: context.settings.applyConcurrency }, async ({ id, live }) => {
    const labelSelector = podSelectorOf(live);
    if (!labelSelector) return;
    const answer = await client.listBySelector(podKind, { namespace: id.namespace, labelSelector, limit: MAX_PODS });
    if (answer.ok) pods.set(idKey(id), answer.objects);
    const assessed = assessHealth(live, answer.ok ? { self, pods: answer.objects } : { self });
    // Only a missing right is told here: an outage passes, and the status tells it elsewhere.
    const isForbidden = !answer.ok && answer.refusal.code === 'Forbidden';
    const note = isForbidden ? `; its Pods cannot be read: ${answer.refusal.message}` : '';
    health.set(idKey(id), { ...assessed, message: assessed.message + note });
  });
  return pods;
}
