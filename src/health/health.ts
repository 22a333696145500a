/**
 * Assesses the health of a live object: one word and one sentence. Invariant: the assessment only uses the object
 * itself and the given Pods. An object whose kind reports no health is Healthy.
 */
import type { LiveObject } from '../cluster/live.ts';
import { APPLICATION_GROUP } from '../object/applyset.ts';
import { formatId, type ObjectId } from '../object/identity.ts';
import { assessApiService } from './api-service.ts';
import { assessApplication } from './application.ts';
import { assessByRules } from './by-rules.ts';
import { assessCronJob } from './cron-job.ts';
import { assessCustomResourceDefinition } from './custom-resource-definition.ts';
import { assessDaemonSet } from './daemon-set.ts';
import { assessDeployment } from './deployment.ts';
import { assessGeneric, assessTermination } from './generic.ts';
import { assessHorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';
import { assessIngress } from './ingress.ts';
import { assessJob, isFinishedJob } from './job.ts';
import { rulesOf } from './kinds/catalog.ts';
import { assessNamespace } from './namespace.ts';
import { assessPersistentVolumeClaim } from './persistent-volume-claim.ts';
import { assessPodDisruptionBudget } from './pod-disruption-budget.ts';
import { assessPod, isFinishedPod } from './pod.ts';
import { assessReplicaSet } from './replica-set.ts';
import { assessRollout } from './rollout.ts';
import { assessService } from './service.ts';
import { assessStatefulSet } from './stateful-set.ts';
import { HEALTHY, healthOf, isObserved, NOT_OBSERVED, ORDER, type Health, type HealthContext } from './assessment.ts';

export type { Health, HealthContext, HealthStatus } from './assessment.ts';
export { podSelectorOf } from './workload-pods.ts';

type Assess = (live: LiveObject, context: HealthContext) => Health;

/** By `<group>/<kind>`. Other kinds have rules (`kinds/`), or are assessed by the generic ones. */
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
  ['argoproj.io/Rollout', assessRollout],
  ['apiextensions.k8s.io/CustomResourceDefinition', assessCustomResourceDefinition],
]);

/** `live` is undefined if the object is proven absent or has not been created yet. */
export function assessHealth(live: LiveObject | undefined, context: HealthContext = {}): Health {
  if (!live) return { status: 'Missing', message: 'The object does not exist.' };
  const assess = ASSESSMENTS.get(`${live.id.group}/${live.id.kind}`) ?? assessCustom;
  // The conditions of a terminating Namespace say what it waits for, and a finished Job stays finished while it goes.
  const isSelfExplaining = assess === assessNamespace || isFinished(live);
  const terminating = isSelfExplaining ? undefined : assessTermination(live);
  return terminating ?? assessByCheck(live, context) ?? assess(live, context);
}

/** The generation comes first, as in Flux: the status that a check reads may be about an earlier one. */
function assessByCheck(live: LiveObject, { checked }: HealthContext): Health | undefined {
  const health = checked?.(live);
  return health && !isObserved(live.body) ? NOT_OBSERVED : health;
}

/** Whether a check of people may decide. A Job or Pod that has ended stays so, whatever a check says. */
export function mayCheck(live: LiveObject): boolean {
  return live.deletionTimestamp === undefined && !isFinished(live);
}

function assessCustom(live: LiveObject): Health {
  const rules = rulesOf(live.id);
  return rules ? assessByRules(live, rules) : assessGeneric(live);
}

/** The first of the worst healths, with the object's name before its message; Healthy for an empty list. */
export function worstHealth(list: Iterable<{ readonly id: ObjectId; readonly health: Health }>): Health {
  let worst: { readonly id: ObjectId; readonly health: Health } | undefined;
  for (const item of list) {
    if (!worst || ORDER.indexOf(item.health.status) > ORDER.indexOf(worst.health.status)) worst = item;
  }
  if (!worst || worst.health.status === 'Healthy') return HEALTHY;
  return healthOf(worst.health.status, `${formatId(worst.id)}: ${worst.health.message}`);
}

/** Whether the Pods may explain the health. They are listed only for workloads that are Progressing or Degraded. */
export function needsPods(live: LiveObject, health: Health): boolean {
  if (health.status !== 'Progressing' && health.status !== 'Degraded') return false;
  return (
    (live.id.group === 'apps' && WORKLOADS.has(live.id.kind)) || (live.id.group === 'batch' && live.id.kind === 'Job')
  );
}

const WORKLOADS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet']);

/** Whether a Job or Pod has completed or failed. Its removal afterwards is not drift. */
export function isFinished(live: LiveObject): boolean {
  if (live.id.group === 'batch' && live.id.kind === 'Job') return isFinishedJob(live);
  return live.id.group === '' && live.id.kind === 'Pod' && isFinishedPod(live);
}
