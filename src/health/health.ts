/**
 * How a live object does, in one word and one sentence. Invariant: only what the object itself (and the Pods handed in)
 * says is judged; what a kind does not say is Healthy, never guessed to be worse.
 */
import type { LiveObject } from '../cluster/live.ts';
import { APPLICATION_GROUP } from '../object/applyset.ts';
import { formatId, type ObjectId } from '../object/identity.ts';
import { assessApiService } from './api-service.ts';
import { assessApplication } from './application.ts';
import { assessCronJob } from './cron-job.ts';
import { assessCustomResourceDefinition } from './custom-resource-definition.ts';
import { assessDaemonSet } from './daemon-set.ts';
import { assessDeployment } from './deployment.ts';
import { assessGeneric, assessTermination } from './generic.ts';
import { assessHorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';
import { assessIngress } from './ingress.ts';
import { assessJob, isFinishedJob } from './job.ts';
import { assessNamespace } from './namespace.ts';
import { assessPersistentVolumeClaim } from './persistent-volume-claim.ts';
import { assessPodDisruptionBudget } from './pod-disruption-budget.ts';
import { assessPod, isFinishedPod } from './pod.ts';
import { assessReplicaSet } from './replica-set.ts';
import { assessService } from './service.ts';
import { assessStatefulSet } from './stateful-set.ts';
import { HEALTHY, healthOf, type Health, type HealthContext, type HealthStatus } from './verdict.ts';

export type { Health, HealthContext, HealthStatus } from './verdict.ts';
export { podSelectorOf } from './workload-pods.ts';

type Assess = (live: LiveObject, context: HealthContext) => Health;

/** By `<group>/<kind>`; every other kind is read by the generic rules. */
const ASSESSMENTS = new Map<string, Assess>([
  ['apps/Deployment', assessDeployment],
  ['apps/StatefulSet', assessStatefulSet],
  ['apps/DaemonSet', assessDaemonSet],
  ['apps/ReplicaSet', assessReplicaSet],
  ['batch/Job', assessJob],
  ['batch/CronJob', assessCronJob],
  ['/ReplicationController', assessReplicaSet],
  ['/Pod', assessPod],
  ['/Namespace', assessNamespace],
  ['/PersistentVolumeClaim', assessPersistentVolumeClaim],
  ['/Service', assessService],
  ['networking.k8s.io/Ingress', assessIngress],
  ['autoscaling/HorizontalPodAutoscaler', assessHorizontalPodAutoscaler],
  ['policy/PodDisruptionBudget', assessPodDisruptionBudget],
  ['apiregistration.k8s.io/APIService', assessApiService],
  [`${APPLICATION_GROUP}/Application`, assessApplication],
  ['apiextensions.k8s.io/CustomResourceDefinition', assessCustomResourceDefinition],
]);

/** undefined: the object is proven absent, or has not been created yet. */
export function assessHealth(live: LiveObject | undefined, context: HealthContext = {}): Health {
  if (!live) return { status: 'Missing', message: 'The object does not exist.' };
  const assess = ASSESSMENTS.get(`${live.id.group}/${live.id.kind}`) ?? assessGeneric;
  // A terminating Namespace says itself what it waits for.
  return (assess === assessNamespace ? undefined : assessTermination(live)) ?? assess(live, context);
}

/** From best to worst: what is known to be broken comes before what is not known. */
const ORDER: readonly HealthStatus[] = ['Healthy', 'Suspended', 'Unknown', 'Progressing', 'Missing', 'Degraded'];

/** The first of the worst, its message with the object's name before it; Healthy for none. */
export function worstHealth(list: Iterable<{ readonly id: ObjectId; readonly health: Health }>): Health {
  let worst: { readonly id: ObjectId; readonly health: Health } | undefined;
  for (const item of list) {
    if (!worst || ORDER.indexOf(item.health.status) > ORDER.indexOf(worst.health.status)) worst = item;
  }
  if (!worst || worst.health.status === 'Healthy') return HEALTHY;
  return healthOf(worst.health.status, `${formatId(worst.id)}: ${worst.health.message}`);
}

/** Whether Pods would tell more: only while a workload is not Healthy, so that nothing is asked for the others. */
export function needsPods(live: LiveObject, health: Health): boolean {
  if (health.status !== 'Progressing' && health.status !== 'Degraded') return false;
  return (
    (live.id.group === 'apps' && WORKLOADS.has(live.id.kind)) || (live.id.group === 'batch' && live.id.kind === 'Job')
  );
}

const WORKLOADS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet']);

/** Whether a Job or Pod has run to its end: removed after that, it is done and not missing. */
export function isFinished(live: LiveObject): boolean {
  if (live.id.group === 'batch' && live.id.kind === 'Job') return isFinishedJob(live);
  return live.id.group === '' && live.id.kind === 'Pod' && isFinishedPod(live);
}
