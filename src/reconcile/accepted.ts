/** Which manifests the server is known to have accepted: applying one of these again is a heal, all else is new. */
import type { Desired } from '../bind/desired.ts';
import { idKey, type ObjectId } from '../object/identity.ts';
import { acceptedDigest } from './act-as.ts';
import type { Pass } from './pass.ts';

export type IsAccepted = (id: ObjectId, manifestDigest: string) => boolean;

export function acceptanceOf({ application, identity, state }: Pass, desired: Pick<Desired, 'digest'>): IsAccepted {
  const { accepted } = state.memory;
  // The server accepted the whole set before this process began: nothing of it needs to be shown to it again.
  const isAcceptedSet = application.status.sync?.digest === acceptedDigest(identity, desired.digest);
  return (id, digest) => isAcceptedSet || accepted.get(idKey(id)) === digest;
}
