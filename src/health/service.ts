/** Health of Services: Healthy, except a load balancer without an address. */
import type { LiveObject } from '../cluster/live.ts';
import { listAt, stringAt } from '../object/value.ts';
import { HEALTHY, healthOf, type Health } from './assessment.ts';

export function assessService({ body }: LiveObject): Health {
  if (stringAt(body, 'spec', 'type') !== 'LoadBalancer') return HEALTHY;
  if (listAt(body, 'status', 'loadBalancer', 'ingress').length > 0) return HEALTHY;
  return healthOf('Progressing', 'It waits for an address of the load balancer.');
}
