/**
 * Health of Ingresses: Healthy as soon as they exist, as in kstatus. An address in status.loadBalancer is published by
 * some controllers and by others never (behind a NodePort or a tunnel, say), so waiting for one, as Argo CD does,
 * leaves working Ingresses in progress for good. That there is none yet is told in the message.
 */
import type { LiveObject } from '../cluster/live.ts';
import { listAt } from '../object/value.ts';
import { HEALTHY, healthOf, type Health } from './verdict.ts';

export function assessIngress({ body }: LiveObject): Health {
  if (listAt(body, 'status', 'loadBalancer', 'ingress').length > 0) return HEALTHY;
  return healthOf('Healthy', 'No controller has published an address.');
}
