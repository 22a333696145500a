/**
 * Health of CronJobs: Degraded if the last run ended without success after an earlier success. A CronJob that never
 * succeeded is Healthy, as in Argo CD: its status does not tell a first run from a failed one.
 */
import type { LiveObject } from '../cluster/live.ts';
import { listAt, stringAt, valueAt } from '../object/value.ts';
import { HEALTHY, healthOf, type Health } from './assessment.ts';

export function assessCronJob({ body }: LiveObject): Health {
  if (valueAt(body, 'spec', 'suspend') === true) return healthOf('Suspended', 'It is suspended (spec.suspend).');
  if (listAt(body, 'status', 'active').length > 0) return HEALTHY;
  const scheduled = stringAt(body, 'status', 'lastScheduleTime');
  const succeeded = stringAt(body, 'status', 'lastSuccessfulTime');
  if (scheduled === undefined || succeeded === undefined || Date.parse(succeeded) >= Date.parse(scheduled)) {
    return HEALTHY;
  }
  return healthOf('Degraded', `Its run of ${scheduled} did not succeed; the last success was ${succeeded}.`);
}
