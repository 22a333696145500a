/** Manifests that the server is known to have accepted: applying one of them again is a heal, any other is new. */
import type { Application } from '../application/schema.ts';
import type { Desired } from '../bind/desired.ts';
import { identityKey, type Identity } from '../cluster/identity.ts';
import { digestText } from '../object/digest.ts';
import { idKey, type ObjectId } from '../object/identity.ts';
import type { Memory } from './memory.ts';

export type IsAccepted = (id: ObjectId, manifestDigest: string) => boolean;

export interface Acceptor {
  readonly application: Pick<Application, 'status'>;
  /** The account whose writes the server accepts. */
  readonly identity: Identity;
  readonly memory: Pick<Memory, 'evidence'>;
}

export function acceptanceOf(
  { application, identity, memory }: Acceptor,
  desired: Pick<Desired, 'digest'>,
): IsAccepted {
  const { accepted } = memory.evidence;
  // The server accepted the whole set before this process began: nothing of it needs to be shown to the server again.
  const isAcceptedSet = application.status.sync?.digest === acceptedDigest(identity, desired.digest);
  return (id, digest) => isAcceptedSet || accepted.get(idKey(id)) === digest;
}

/** A digest of a desired set and of the account whose writes the server accepted: another account is asked again. */
export function acceptedDigest(identity: Identity, desiredDigest: string): string {
  return identity.type === 'agent' ? desiredDigest : digestText(`${identityKey(identity)}\n${desiredDigest}`);
}
