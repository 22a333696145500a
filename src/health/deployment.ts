/** Health of Deployments: as `kubectl rollout status` reads them, with the reason why Pods do not start. */
import type { LiveObject } from '../cluster/live.ts';
import { numberAt, valueAt, type KubeObject } from '../object/value.ts';
import { withPodTrouble } from './pod.ts';
import {
  conditionsOf,
  countAt,
  explain,
  HEALTHY,
  healthOf,
  isObserved,
  NOT_OBSERVED,
  type Health,
  type HealthContext,
} from './verdict.ts';

export function assessDeployment({ body }: LiveObject, context: HealthContext): Health {
  if (valueAt(body, 'spec', 'paused') === true) return healthOf('Suspended', 'Its rollout is paused (spec.paused).');
  if (!isObserved(body)) return NOT_OBSERVED;
  const conditions = conditionsOf(body);
  const progressing = conditions.get('Progressing');
  if (progressing?.status === 'False' && progressing.reason === 'ProgressDeadlineExceeded') {
    return withPodTrouble(
      healthOf('Degraded', `Progress deadline exceeded; ${rolloutOf(body) ?? 'not available'}`),
      context,
    );
  }
  const failure = conditions.get('ReplicaFailure');
  if (failure?.status === 'True') return healthOf('Degraded', explain(failure));
  const rollout = rolloutOf(body);
  return rollout === undefined ? HEALTHY : withPodTrouble(healthOf('Progressing', rollout), context);
}

/** How far the rollout is; undefined once it is done. */
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
