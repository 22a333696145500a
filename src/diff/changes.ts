/** What diff/ hands on: one change an object, with the fields that differ and the body to send. */
import type { DesiredObject } from '../bind/desired.ts';
import type { KindInfo } from '../cluster/kinds.ts';
import type { LiveObject } from '../cluster/live.ts';
import type { ObjectId } from '../object/identity.ts';
import type { Value } from '../object/value.ts';

/**
 * - create: proven absent, or never seen: applied without force, so that the answer tells a creation from an adoption.
 * - update: live differs from desired. adopt: exists without our mark. recreate: asked for where an update is
 *   forbidden.
 * - prune: in the inventory, desired no more. release: another Application claims it: let go, never deleted.
 * - conflict: another Application owns it. unsure: only the server can tell. none: as desired.
 * - unknown: the kind or API does not answer.
 */
export type ChangeType =
  'create' | 'update' | 'adopt' | 'recreate' | 'prune' | 'release' | 'conflict' | 'unsure' | 'none' | 'unknown';

export interface FieldDifference {
  /** JSON pointer (RFC 6901) into the object; list items by index of the desired object where there is one. */
  readonly path: string;
  /** Absent: the field is not desired (any more). Values of Secrets are masked. */
  readonly desired?: Value;
  /** Absent: the live object has no such field. Values of Secrets are masked. */
  readonly live?: Value;
  /** The field manager that wrote the live value, where managedFields tell. */
  readonly manager?: string;
  /** When it did (RFC 3339). */
  readonly managedAt?: string;
}

/** One operation of a JSON patch (RFC 6902). Pointers address the live object as the earlier operations leave it. */
export type PatchOperation =
  | { readonly op: 'test' | 'add' | 'replace'; readonly path: string; readonly value: Value }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move'; readonly from: string; readonly path: string };

/** A JSON patch from the live object to the desired one. It changes the fields that differ and no other. */
export interface ObjectPatch {
  readonly operations: readonly PatchOperation[];
  /** Whether values of a Secret are masked. Such a patch begins with a test that fails on every object. */
  readonly isMasked: boolean;
}

export interface Change {
  readonly type: ChangeType;
  readonly id: ObjectId;
  readonly kind: KindInfo | undefined;
  readonly desired?: DesiredObject;
  readonly live?: LiveObject;
  /** Why it is not in sync, field by field; bounded. */
  readonly fields: readonly FieldDifference[];
  /** All fields that differ, as a patch. Absent: there is nothing to patch, or too much. */
  readonly patch?: ObjectPatch;
  /** For people: why this change, where the fields do not tell (`missing`, `managed by Application …`). */
  readonly reason?: string;
}

/**
 * What the server itself returned for the last apply or dry run of a manifest. Kept in memory; losing it costs requests
 * only.
 */
export interface Baseline {
  /** `judgedDigest` of the desired object. */
  readonly manifestDigest: string;
  /** Digest of the returned object projected on desired and owned paths (see `projectLive`). */
  readonly projectionDigest: string;
  /** The object that it was made of: another one may carry other defaults. */
  readonly uid: string;
  /** Digest of what we owned of it: only while we own the same is another projection proof of a change. */
  readonly ownedDigest: string;
}

export interface DiffMemory {
  /** By `idKey`. */
  readonly baselines: ReadonlyMap<string, Baseline>;
  /** Whether the server is known to have accepted this manifest (digest) for this id before. */
  isAccepted(id: ObjectId, manifestDigest: string): boolean;
  /** Whether a Job or bare Pod of this manifest was last seen finished: removed after that, it is done, not missing. */
  isFinished?(id: ObjectId, manifestDigest: string): boolean;
}

/** A settled `none` and what it was about: it holds as long as neither manifest nor live object changes. */
export interface Verdict {
  /** `judgedDigest` of the desired object. */
  readonly manifestDigest: string;
  readonly resourceVersion: string;
  readonly change: Change;
}
