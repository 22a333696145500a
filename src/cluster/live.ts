/**
 * Live objects: the state of the cluster as one identity sees it. They never hold Secret values: `live-object.ts`
 * replaces each value of `data` by a digest (`sha256:<base64url of the decoded bytes>`) and drops
 * `last-applied-configuration`.
 */
import type { ObjectId } from '../object/identity.ts';
import type { KubeObject } from '../object/value.ts';

export interface LiveObject {
  readonly id: ObjectId;
  /** The API version in which the object was read. */
  readonly apiVersion: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Set once deletion has begun (RFC 3339). */
  readonly deletionTimestamp?: string;
  /** The whole object with `metadata.managedFields`. It is shared, and never written to. */
  readonly body: KubeObject;
  /** The text that `body` was read from, where `body` is exactly that. */
  readonly json?: string;
}

/**
 * - present: from a watch, a GET or the answer of a write.
 * - absent: a GET by name was answered with 404 after the last event.
 * - unseen: not in the watch on our label; the object may exist all the same. `isUnread`: it may well exist, and only a
 *   read by name shows its content, since the watch did not keep it.
 * - unknown: nothing can be said about the object now; `reason` says why, for people.
 */
export type LiveEntry =
  | { readonly state: 'present'; readonly object: LiveObject }
  | { readonly state: 'absent' }
  | { readonly state: 'unseen'; readonly isUnread?: true }
  | { readonly state: 'unknown'; readonly reason: string };

/** The live objects of one pass: an entry for each object that the pass needs, by `idKey`. */
export type Live = ReadonlyMap<string, LiveEntry>;
