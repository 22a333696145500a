/**
 * Health of APIServices: Healthy while Available, else Progressing, as in Argo CD. The server behind an APIService is a
 * workload with its own health, which explains the failure.
 */
import type { LiveObject } from '../cluster/live.ts';
import { conditionsOf, explain, HEALTHY, healthOf, type Health } from './assessment.ts';

export function assessApiService({ body }: LiveObject): Health {
  const available = conditionsOf(body).get('Available');
  if (available?.status === 'True') return HEALTHY;
  return healthOf('Progressing', (available && explain(available)) || 'It is not available yet.');
}
