/**
 * Health of Ingresses: Healthy as soon as they exist, as in kstatus. Argo CD waits for an address in
 * status.loadBalancer, but some controllers never publish one (behind a NodePort or a tunnel, say), and working
 * Ingresses would stay Progressing. The message says that there is no address yet.
 */
import type { LiveObject } from '../cluster/live.ts';
import { listAt } from '../object/value.ts';
import { HEALTHY, healthOf, type Health } from './assessment.ts';

export function assessIngress({ body }: LiveObject): Health {
  if (listAt(body, 'status', 'loadBalancer', 'ingress').length > 0) return HEALTHY;
  return healthOf('Healthy', 'No controller has published an address.');
}
