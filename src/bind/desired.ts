/** The output of bind/: manifests bound to one cluster and one Application. */
import type { KindInfo } from '../cluster/kinds.ts';
import type { ObjectId } from '../object/identity.ts';
import type { PathSet, PathToken } from '../object/path-set.ts';
import type { ObjectOrder } from '../object/order.ts';
import type { ObjectPolicy } from '../object/policy.ts';
import type { Problem } from '../object/problem.ts';
import type { KubeObject } from '../object/value.ts';

/** Fields of one object that are neither reported nor overwritten. */
export interface IgnoredFields {
  /** Tokens of pointers. List indexes are those of the desired object; `*`: every key or item; see path-set.ts. */
  readonly paths: readonly (readonly PathToken[])[];
  /** `paths` as a tree, shared by all objects with the same rules. Absent: not built yet. */
  readonly pathSet?: PathSet;
  /** Field managers whose fields are ignored. */
  readonly managers: readonly string[];
  /** Digest of `paths` and `managers`. */
  readonly digest: string;
}

export interface DesiredObject {
  readonly id: ObjectId;
  readonly kind: KindInfo;
  /** The body to send: with namespace, owner label and annotation; `stringData` is in `data`, `status` is removed. */
  readonly body: KubeObject;
  /** `digestValue(body)`: the manifest digest of baselines. */
  readonly digest: string;
  readonly file: string;
  readonly line: number;
  /** Set if the kind is not served yet: the CRD of the same render that defines it, which the object waits for. */
  readonly awaitsCrd?: ObjectId;
  readonly ignored?: IgnoredFields;
  /** It is no Secret, and may hold values of a sealed file or of a substituted Secret: its values are not shown. */
  readonly isSealed?: true;
  /** The policy of its annotations; absent: `DEFAULT_POLICY`. */
  readonly policy?: ObjectPolicy;
  /** The order of its annotations; absent: they declare none. */
  readonly order?: ObjectOrder;
}

export interface Desired {
  readonly objects: readonly DesiredObject[];
  /** Problems of render and bind. If there are any, nothing may be pruned. */
  readonly problems: readonly Problem[];
  /** Digest of the ids and digests of all objects: equal digests mean equal desired objects. */
  readonly digest: string;
}

export type { Owner } from '../object/applyset.ts';
