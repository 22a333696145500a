/** Health of Deployments, by the rules of `kubectl rollout status`. The message says why Pods do not start. */
import type { LiveObject } from '../cluster/live.ts';
import { numberAt, valueAt, type KubeObject } from '../object/value.ts';
import {
  conditionsOf,
  countAt,
  HEALTHY,
  healthOf,
  isObserved,
  NOT_OBSERVED,
  type Health,
  type HealthContext,
} from './assessment.ts';
import { comingUp, withPodTrouble } from './workload-pods.ts';

/** Until its progress deadline a Deployment is Progressing, even if Pods are stuck: the message names the trouble. */
export function assessDeployment({ body }: LiveObject, context: HealthContext): Health {
  if (valueAt(body, 'spec', 'paused') === true) return healthOf('Suspended', 'Its rollout is paused (spec.paused).');
  if (!isObserved(body)) return NOT_OBSERVED;
  const rollout = rolloutOf(body);
  const progressing = conditionsOf(body).get('Progressing');
  if (progressing?.status === 'False' && progressing.reason === 'ProgressDeadlineExceeded') {
    const text = `Progress deadline exceeded; ${rollout ?? 'not available'}`;
    return withPodTrouble(healthOf('Degraded', text), context);
  }
  if (rollout === undefined) return HEALTHY;
  return comingUp(body, rollout, context);
}

/** The progress of the rollout; undefined once it is complete. */
function rolloutOf(body: KubeObject): string | undefined {
  const wanted = numberAt(body, 'spec', 'replicas') ?? 1;
  const updated = countAt(body, 'status', 'updatedReplicas');
  const total = countAt(body, 'status', 'replicas');
  const available = countAt(body, 'status', 'availableReplicas');
  if (updated < wanted) return `${updated} of ${wanted} replicas updated`;
  if (total > updated) return `${total - updated} old replicas to be stopped`;
  if (available < wanted) return `${available} of ${wanted} replicas available`;
  return undefined;
}
