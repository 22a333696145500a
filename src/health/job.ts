/** Health of Jobs: Healthy once complete, Degraded once failed, with the exit of the Pod that failed. */
import type { LiveObject } from '../cluster/live.ts';
import { numberAt, valueAt } from '../object/value.ts';
import { conditionsOf, countAt, explain, HEALTHY, healthOf, type Health, type HealthContext } from './verdict.ts';
import { withPodTrouble } from './workload-pods.ts';

/** A Job that runs is Progressing until its end, as in Argo CD (for kstatus it is done once it has started). */
export function assessJob({ body }: LiveObject, context: HealthContext): Health {
  const conditions = conditionsOf(body);
  const failed = conditions.get('Failed');
  if (failed?.status === 'True') return withPodTrouble(healthOf('Degraded', explain(failed) || 'It failed.'), context);
  if (conditions.get('Complete')?.status === 'True') return HEALTHY;
  if (valueAt(body, 'spec', 'suspend') === true) return healthOf('Suspended', 'It is suspended (spec.suspend).');
  // Without completions any success of one of the parallel Pods ends it.
  const wanted = numberAt(body, 'spec', 'completions') ?? 1;
  const succeeded = countAt(body, 'status', 'succeeded');
  const failures = countAt(body, 'status', 'failed');
  const attempts = failures === 1 ? 'attempt' : 'attempts';
  const failureText = failures > 0 ? `, ${failures} failed ${attempts}` : '';
  return withPodTrouble(healthOf('Progressing', `${succeeded} of ${wanted} completions${failureText}`), context);
}

/** Whether a Job has come to its end, well or not: its removal by a TTL is then no drift. */
export function isFinishedJob({ body }: LiveObject): boolean {
  const conditions = conditionsOf(body);
  return conditions.get('Complete')?.status === 'True' || conditions.get('Failed')?.status === 'True';
}
