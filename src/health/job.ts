/** Health of Jobs: Healthy once complete, Degraded once failed. The message names the exit code of the failed Pod. */
import type { LiveObject } from '../cluster/live.ts';
import { numberAt, valueAt } from '../object/value.ts';
import { conditionsOf, countAt, explain, HEALTHY, healthOf, type Health, type HealthContext } from './assessment.ts';
import { withPodTrouble } from './workload-pods.ts';

/** A running Job is Progressing, as in Argo CD. (For kstatus it is Current once it has started.) */
export function assessJob({ body }: LiveObject, context: HealthContext): Health {
  const conditions = conditionsOf(body);
  const failed = conditions.get('Failed');
  if (failed?.status === 'True') return withPodTrouble(healthOf('Degraded', explain(failed) || 'It failed.'), context);
  if (conditions.get('Complete')?.status === 'True') return HEALTHY;
  if (valueAt(body, 'spec', 'suspend') === true) return healthOf('Suspended', 'It is suspended (spec.suspend).');
  // Without spec.completions the first success of a Pod completes the Job.
  const wanted = numberAt(body, 'spec', 'completions') ?? 1;
  const succeeded = countAt(body, 'status', 'succeeded');
  const failures = countAt(body, 'status', 'failed');
  const attempts = failures === 1 ? 'attempt' : 'attempts';
  const failureText = failures > 0 ? `, ${failures} failed ${attempts}` : '';
  return withPodTrouble(healthOf('Progressing', `${succeeded} of ${wanted} completions${failureText}`), context);
}

/** Whether a Job has completed or failed. Its removal by a TTL is then not drift. */
export function isFinishedJob({ body }: LiveObject): boolean {
  const conditions = conditionsOf(body);
  return conditions.get('Complete')?.status === 'True' || conditions.get('Failed')?.status === 'True';
}
