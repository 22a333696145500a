/** The output of diff/: one Change per object, with the fields that differ and the desired object to send. */
import type { DesiredObject } from '../bind/desired.ts';
import type { KindInfo } from '../cluster/kinds.ts';
import type { LiveObject } from '../cluster/live.ts';
import type { Owner } from '../object/applyset.ts';
import type { ObjectId } from '../object/identity.ts';
import type { Value } from '../object/value.ts';

/**
 * - create: proven absent, or never seen. It is only created, so that the answer tells creation from adoption.
 * - update: the live object differs from the desired one.
 * - adopt: the object exists without our owner marks.
 * - prune: in the inventory, no longer desired.
 * - release: in the inventory, no longer desired, and must not be deleted. Only our owner marks are removed.
 * - conflict: another Application owns the object.
 * - unsure: only the API server can tell whether the object differs.
 * - none: the object needs no change.
 * - unknown: the object or its kind could not be read.
 */
export type ChangeType =
  'create' | 'update' | 'adopt' | 'prune' | 'release' | 'conflict' | 'unsure' | 'none' | 'unknown';

export interface FieldDifference {
  /** JSON pointer (RFC 6901). Indexes of list items are those of the desired list, if the item is in it. */
  readonly path: string;
  /** Absent: the field is not desired, or no longer. Values of Secrets are masked. */
  readonly desired?: Value;
  /** Absent: the live object has no such field. Values of Secrets are masked. */
  readonly live?: Value;
  /** The difference from the live text to the desired one in unified form, if one of them has several lines. */
  readonly hunks?: string;
  /** The field manager that wrote the live value, if managedFields name one. */
  readonly manager?: string;
  /** The time at which `manager` wrote it (RFC 3339). */
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
  /** The fields that differ; at most `MAX_FIELDS`. */
  readonly fields: readonly FieldDifference[];
  /** All fields that differ, as a patch. Absent: there is nothing to patch, or too much. */
  readonly patch?: ObjectPatch;
  /** Explains the change to people where `fields` does not (`missing`, `managed by Application …`). */
  readonly reason?: string;
  /** prune: why this Application never carries it out. */
  readonly keptFor?: string;
  /** none: the object left Git here, and stays until the Application that `reason` names takes it over. */
  readonly isLeftToOther?: boolean;
  /** prune: annotations of the object ask a person to confirm it. */
  readonly asksConfirmation?: boolean;
  /** adopt: the owner annotation of the Application that hands the object over, or that a person takes it over from. */
  readonly takenFrom?: string;
  /** release: the Application whose marks replace ours. Absent: the object belongs to none afterwards. */
  readonly releasedTo?: Owner;
  /** The object stays without our label, so no watch tells about its changes. */
  readonly isUnwatched?: boolean;
  /** Only an earlier answer of the API server shows the result: the comparison alone does not. */
  readonly isByAnswer?: boolean;
  /** Warnings of the API server about the desired object, if a dry run brought the evidence for this change. */
  readonly warnings?: readonly string[];
}

/** The server's result of the last apply or dry run of a manifest. Kept in memory; losing it only costs requests. */
export interface Baseline {
  /** `judgedDigest` of the desired object. */
  readonly manifestDigest: string;
  /** Digest of the returned object, reduced by `projectLive`. */
  readonly projectionDigest: string;
  /** uid of the returned object. An object that replaced it may carry other defaults. */
  readonly uid: string;
  /** Digest of our owned fields. A different projection proves a change only while these are the same. */
  readonly ownedDigest: string;
}

export interface DiffMemory {
  /** By `idKey`. */
  readonly baselines: ReadonlyMap<string, Baseline>;
  /**
   * Whether the earlier answers of the server about an object (by `idKey`) prove nothing any more. Where the comparison
   * alone cannot decide, the server is asked again.
   */
  isDoubted?(key: string): boolean;
  /** Whether the server is known to have accepted this manifest for this id before. */
  isAccepted(id: ObjectId, manifestDigest: string): boolean;
  /** How an absent Job or bare Pod ran with this manifest, so that its absence is not drift. undefined: it did not. */
  runOf?(desired: DesiredObject): 'ended' | 'failed' | undefined;
  /** Whether a live Job or bare Pod was started with this manifest, so that its immutable spec is not drift. */
  isOfManifest?(desired: DesiredObject): boolean;
}

/** A change that was decided for one manifest and one live object. It holds as long as neither of them changes. */
export interface SettledChange {
  /** `judgedDigest` of the desired object. */
  readonly manifestDigest: string;
  readonly resourceVersion: string;
  readonly change: Change;
}
