/**
 * Health of PersistentVolumeClaims. Invariant: the claim alone is read, not its StorageClass, which an identity often
 * may not see.
 *
 * Whether a pending claim waits for its first consumer, no condition says. But the controller marks a claim with the
 * provisioner as soon as it asks for a volume, and the scheduler with the node once there is a consumer: a claim of a
 * named class with neither mark has nothing under way (WaitForFirstConsumer, or a class that does not exist, which the
 * Pod that uses the claim then says). Such a claim is Healthy: to wait for it would be to wait for a Pod that may never
 * come, or that itself waits for this claim.
 */
import type { LiveObject } from '../cluster/live.ts';
import { annotationsOf } from '../object/identity.ts';
import { stringAt } from '../object/value.ts';
import { conditionsOf, explain, HEALTHY, healthOf, type Health } from './verdict.ts';

/** Set by the controller when it asks for a volume; the older name is what old controllers set alone. */
const PROVISIONER_ANNOTATIONS = [
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
];
/** Set by the scheduler when a Pod needs the claim. */
const NODE_ANNOTATION = 'volume.kubernetes.io/selected-node';

/** What a bound claim says of itself that will not pass. */
const FAILURES = ['ControllerResizeError', 'NodeResizeError', 'ModifyVolumeError'];

export function assessPersistentVolumeClaim({ body }: LiveObject): Health {
  const phase = stringAt(body, 'status', 'phase');
  if (phase === 'Lost') return healthOf('Degraded', 'Its volume is lost.');
  const conditions = conditionsOf(body);
  if (phase === 'Bound') {
    const failure = FAILURES.map((type) => conditions.get(type)).find((condition) => condition?.status === 'True');
    return failure ? healthOf('Degraded', explain(failure)) : HEALTHY;
  }
  const annotations = annotationsOf(body);
  const volume = stringAt(body, 'spec', 'volumeName');
  const storageClass = stringAt(body, 'spec', 'storageClassName');
  if (volume) return healthOf('Progressing', `It waits for the volume ${volume}.`);
  if (!storageClass) return healthOf('Progressing', 'It waits for a volume without a storage class.');
  const provisioner = PROVISIONER_ANNOTATIONS.map((key) => annotations[key]).find(Boolean);
  if (provisioner) return healthOf('Progressing', `It waits for a volume of ${storageClass} from ${provisioner}.`);
  if (annotations[NODE_ANNOTATION]) return healthOf('Progressing', `It waits for a volume of ${storageClass}.`);
  return healthOf('Healthy', `It waits for a Pod that uses it; then ${storageClass} provides a volume.`);
}
