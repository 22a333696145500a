/** What bind/ hands on: manifests bound to one cluster and one Application. */
import type { KindInfo } from '../cluster/kinds.ts';
import type { ObjectId } from '../object/identity.ts';
import type { PathSet } from '../object/path-set.ts';
import type { ObjectPolicy } from '../object/policy.ts';
import type { Problem } from '../object/problem.ts';
import type { KubeObject } from '../object/value.ts';

/** Fields of one object that are neither reported nor overwritten. */
export interface IgnoredFields {
  /** Reference tokens of JSON pointers, indexes of lists being those of the desired object; `*`: every key or item. */
  readonly paths: readonly (readonly string[])[];
  /** The same, made once for all objects that share it; absent: not yet. */
  readonly pathSet?: PathSet;
  /** What one of these field managers owns. */
  readonly managers: readonly string[];
  /** Of the two above. */
  readonly digest: string;
}

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
  readonly ignored?: IgnoredFields;
  /** What its annotations ask for. Absent: nothing, which is `DEFAULT_POLICY`. */
  readonly policy?: ObjectPolicy;
}

export interface Desired {
  readonly objects: readonly DesiredObject[];
  /** Of render and bind together; not empty means that nothing may be pruned. */
  readonly problems: readonly Problem[];
  /** Digest over all objects' ids and digests: equal means that nothing is desired otherwise than before. */
  readonly digest: string;
}

export type { Owner } from '../object/applyset.ts';
