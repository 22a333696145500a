/**
 * Health of every object of a pass. Pods are listed by their workload's selector, and only while that workload is not
 * Healthy: in a pass over healthy objects no request is sent.
 */
import type { Desired, DesiredObject } from '../../bind/desired.ts';
import { kindKey, type KindInfo, type Kinds } from '../../cluster/kinds.ts';
import { forEachConcurrently } from '../../cluster/concurrency.ts';
import type { LiveEntry, LiveObject } from '../../cluster/live.ts';
import type { Change } from '../../diff/changes.ts';
import { assessHealth, needsPods, podSelectorOf, type Health } from '../../health/health.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { acceptanceOf } from '../accepted.ts';
import { keepFinished, noteFinished } from '../decide/ended-jobs.ts';
import type { Pass } from '../pass.ts';

/** Pods listed for one workload: enough to tell why it does not come up. */
const MAX_PODS = 20;

interface Unwell {
  readonly id: ObjectId;
  readonly live: LiveObject;
}

/** By `idKey`; what is left alone, and nobody misses, is not among them. */
export async function assessObjects(
  pass: Pass,
  { desired, kinds }: { readonly desired: Desired; readonly kinds: Kinds },
  changes: readonly Change[],
): Promise<Map<string, Health>> {
  // What could not be read by name either is not missing.
  const unread = new Map(changes.flatMap(({ type, id, reason }) => (type === 'unknown' ? [[idKey(id), reason]] : [])));
  const isAccepted = acceptanceOf(pass, desired);
  const self = pass.application.metadata;
  const health = new Map<string, Health>();
  const unwell: Unwell[] = [];
  for (const object of desired.objects) {
    if (object.policy?.ssa === 'Ignore') continue;
    const entry = lookAt(pass, object, unread);
    const live = entry?.state === 'present' ? entry.object : undefined;
    // Nobody makes it: its absence is no lack.
    if (entry?.state !== 'unknown' && !live && object.policy?.reconcile === false) continue;
    const verdict: Health =
      entry?.state === 'unknown'
        ? { status: 'Unknown', message: entry.reason }
        : (noteFinished(pass, object, { live, isAccepted }) ?? assessHealth(live, { self }));
    health.set(idKey(object.id), verdict);
    if (live && needsPods(live, verdict)) unwell.push({ id: object.id, live });
  }
  keepFinished(pass, desired.objects);
  const podKind = kinds.served.get(kindKey('v1', 'Pod'));
  if (podKind && unwell.length > 0) await explainByPods(pass, { podKind, unwell, health });
  return health;
}

function lookAt(
  { context, identity }: Pass,
  { id, kind, awaitsCrd }: DesiredObject,
  unread: ReadonlyMap<string, string | undefined>,
): LiveEntry | undefined {
  const entry = awaitsCrd ? undefined : context.cluster.live.look(identity, kind, id);
  if (entry?.state === 'unknown' || !unread.has(idKey(id))) return entry;
  return { state: 'unknown', reason: unread.get(idKey(id)) ?? '' };
}

interface Explaining {
  readonly podKind: KindInfo;
  readonly unwell: readonly Unwell[];
  readonly health: Map<string, Health>;
}

async function explainByPods(pass: Pass, { podKind, unwell, health }: Explaining): Promise<void> {
  const { cluster, settings } = pass.context;
  const self = pass.application.metadata;
  const client = cluster.as(pass.identity);
  await forEachConcurrently(unwell, { concurrency: settings.applyConcurrency }, async ({ id, live }) => {
    const labelSelector = podSelectorOf(live);
    if (!labelSelector) return;
    const answer = await client.listBySelector(podKind, { namespace: id.namespace, labelSelector, limit: MAX_PODS });
    const verdict = assessHealth(live, answer.ok ? { self, pods: answer.objects } : { self });
    // An outage passes, and is told elsewhere.
    const isForbidden = !answer.ok && answer.refusal.code === 'Forbidden';
    const note = isForbidden ? `; its Pods cannot be read: ${answer.refusal.message}` : '';
    health.set(idKey(id), { ...verdict, message: verdict.message + note });
  });
}
