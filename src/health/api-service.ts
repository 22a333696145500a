/**
 * Health of APIServices: Healthy while Available. One that is not yet is Progressing, as in Argo CD: the server behind
 * it is a workload of its own, and that one says what ails it.
 */
import type { LiveObject } from '../cluster/live.ts';
import { conditionsOf, explain, HEALTHY, healthOf, type Health } from './verdict.ts';

export function assessApiService({ body }: LiveObject): Health {
  const available = conditionsOf(body).get('Available');
  if (available?.status === 'True') return HEALTHY;
  return healthOf('Progressing', (available && explain(available)) || 'It is not available yet.');
}
