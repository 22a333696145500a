/** Health of PersistentVolumeClaims. */
import type { LiveObject } from '../cluster/live.ts';
import { stringAt } from '../object/value.ts';
import { HEALTHY, healthOf, type Health } from './verdict.ts';

export function assessPersistentVolumeClaim({ body }: LiveObject): Health {
  const phase = stringAt(body, 'status', 'phase');
  if (phase === 'Bound') return HEALTHY;
  if (phase === 'Lost') return healthOf('Degraded', 'Its volume is lost.');
  const storageClass = stringAt(body, 'spec', 'storageClassName');
  const of = storageClass ? ` of storage class ${storageClass}` : '';
  return healthOf('Progressing', `It waits for a volume${of} (or for a Pod that uses it).`);
}
