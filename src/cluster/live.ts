/**
 * What the cluster holds of an identity. Secret values never get in here: `data` values are replaced by digests
 * (`sha256:<base64url of the decoded bytes>`) and `last-applied-configuration` is dropped at the cluster's edge.
 */
import type { ObjectId } from '../object/identity.ts';
import type { KubeObject } from '../object/value.ts';

export interface LiveObject {
  readonly id: ObjectId;
  /** The version in which it was read. */
  readonly apiVersion: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Set once deletion has begun (RFC 3339). */
  readonly deletionTimestamp?: string;
  /** The whole object as read, `metadata.managedFields` included. Shared: never written to. */
  readonly body: KubeObject;
}

/**
 * - present: read from a watch, a GET or the answer of a write.
 * - absent: a GET by name answered 404 since the last event.
 * - unseen: not in the watch on our label; says nothing about existence.
 * - unknown: the kind or the API does not answer; `reason` is for people.
 */
export type LiveEntry =
  | { readonly state: 'present'; readonly object: LiveObject }
  | { readonly state: 'absent' }
  | { readonly state: 'unseen' }
  | { readonly state: 'unknown'; readonly reason: string };

/** Live of one pass: one entry for every identity that was asked for, by `idKey`. */
export type Live = ReadonlyMap<string, LiveEntry>;
