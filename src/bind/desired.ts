/** What bind/ hands on: manifests bound to one cluster and one Application. */
import type { KindInfo } from '../cluster/kinds.ts';
import type { ObjectId } from '../object/identity.ts';
import type { Problem } from '../object/problem.ts';
import type { KubeObject } from '../object/value.ts';

export interface DesiredObject {
  readonly id: ObjectId;
  readonly kind: KindInfo;
  /** What is sent: with default namespace, owner label and annotation, `stringData` folded, `status` dropped. */
  readonly body: KubeObject;
  /** `digestValue(body)`: the manifest digest of baselines. */
  readonly digest: string;
  readonly file: string;
  readonly line: number;
  /** The kind is not served yet: a CRD of the same render defines it, so the object waits for that CRD. */
  readonly awaitsCrd?: ObjectId;
}

export interface Desired {
  readonly objects: readonly DesiredObject[];
  /** Of render and bind together; not empty means that nothing may be pruned. */
  readonly problems: readonly Problem[];
  /** Digest over all objects' ids and digests: equal means that nothing is desired otherwise than before. */
  readonly digest: string;
}

/** Who an object belongs to, written on it as label and annotation; both must agree before a delete. */
export interface Owner {
  /** Value of the label `applyset.kubernetes.io/part-of`: `applyset-<base64url>-v1`. */
  readonly applySetId: string;
  /** Value of the annotation `tautline.dev/owner`: `<hub id>/<namespace>/<name>`. */
  readonly owner: string;
}
