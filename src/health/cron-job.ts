/**
 * Health of CronJobs: Degraded when the last run has ended and was not the success that the one before was. One that
 * never succeeded is Healthy, since its first run cannot be told from one that failed (so does Argo CD).
 */
import type { LiveObject } from '../cluster/live.ts';
import { listAt, stringAt, valueAt } from '../object/value.ts';
import { HEALTHY, healthOf, type Health } from './verdict.ts';

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
