/**
 * Health of PersistentVolumeClaims. Invariant: only the claim is read. Many identities may not read its StorageClass.
 *
 * No condition says whether a pending claim waits for its first consumer. But the controller annotates a claim with the
 * provisioner when it requests a volume, and the scheduler annotates it with the node when a Pod needs it. Without
 * either annotation, a claim with a named class has no work under way: its class uses WaitForFirstConsumer or does not
 * exist (the Pod that uses the claim reports the latter). Such a claim is Healthy. Waiting for it could mean waiting
 * for a Pod that is never created, or that itself waits for this claim.
 */
import type { LiveObject } from '../cluster/live.ts';
import { annotationsOf } from '../object/identity.ts';
import { stringAt } from '../object/value.ts';
import { conditionsOf, explain, HEALTHY, healthOf, type Health } from './assessment.ts';

/** Set by the controller when it requests a volume. Old controllers set only the beta annotation. */
const PROVISIONER_ANNOTATIONS = [
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
];
/** Set by the scheduler when a Pod needs the claim. */
const NODE_ANNOTATION = 'volume.kubernetes.io/selected-node';

/** Conditions of a bound claim that mean a failure. */
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
