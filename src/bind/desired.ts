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

export type { Owner } from '../object/applyset.ts';
