/**
 * Health of every object of a pass. Pods are listed by their workload's selector, and only while that workload is not
 * Healthy: in a pass over healthy objects no request is sent.
 */
import type { Desired, DesiredObject } from '../bind/desired.ts';
import type { Kinds } from '../cluster/kinds.ts';
import type { LiveObject } from '../cluster/live.ts';
import type { Change } from '../diff/changes.ts';
import { assessHealth, needsPods, podSelectorOf, type Health } from '../health/health.ts';
import { idKey } from '../object/identity.ts';
import { acceptanceOf } from './acceptance.ts';
import { keepFinished, noteFinished } from './finished.ts';
import { forEachOf } from './lanes.ts';
import type { Pass } from './pass.ts';
import { kindKey } from '../cluster/kinds.ts';

/** Pods listed for one workload: enough to tell why it does not come up. */
const MAX_PODS = 20;

export async function assessObjects(
  pass: Pass,
  { desired, kinds }: { readonly desired: Desired; readonly kinds: Kinds },
  changes: readonly Change[],
): Promise<Map<string, Health>> {
  const { cluster, settings } = pass.context;
  const self = pass.application.metadata;
  const health = new Map<string, Health>();
  // What could not be read by name either is not missing.
  const unread = new Map(changes.flatMap(({ type, id, reason }) => (type === 'unknown' ? [[idKey(id), reason]] : [])));
  const isAccepted = acceptanceOf(pass, desired);
  const unwell: { object: DesiredObject; live: LiveObject }[] = [];
  for (const object of desired.objects) {
    const key = idKey(object.id);
    if (object.policy?.ssa === 'Ignore') continue;
    const entry = object.awaitsCrd ? undefined : cluster.live.look(pass.identity, object.kind, object.id);
    if (entry?.state === 'unknown' || unread.has(key)) {
      const reason = entry?.state === 'unknown' ? entry.reason : unread.get(key);
      health.set(key, { status: 'Unknown', message: reason ?? '' });
      continue;
    }
    const live = entry?.state === 'present' ? entry.object : undefined;
    // Nobody makes it: its absence is no lack.
    if (!live && object.policy?.reconcile === false) continue;
    const verdict = noteFinished(pass, object, { live, isAccepted }) ?? assessHealth(live, { self });
    health.set(key, verdict);
    if (live && needsPods(live, verdict)) unwell.push({ object, live });
  }
  keepFinished(pass, desired.objects);
  const podKind = kinds.served.get(kindKey('v1', 'Pod'));
  if (!podKind || unwell.length === 0) return health;
  const client = cluster.as(pass.identity);
  await forEachOf(unwell, settings.applyConcurrency, async ({ object, live }) => {
    const labelSelector = podSelectorOf(live);
    if (!labelSelector) return;
    const { namespace } = object.id;
    const answer = await client.listBySelector(podKind, { namespace, labelSelector, limit: MAX_PODS });
    const verdict = assessHealth(live, answer.ok ? { self, pods: answer.objects } : { self });
    // An outage passes, and is told elsewhere.
    const isForbidden = !answer.ok && answer.refusal.code === 'Forbidden';
    const note = isForbidden ? `; its Pods cannot be read: ${answer.refusal.message}` : '';
    health.set(idKey(object.id), { ...verdict, message: verdict.message + note });
  });
  return health;
}
