/**
 * What follows from whose rights an Application is worked with: what it may reach, and what may be believed.
 *
 * Invariant: nothing that was seen, accepted or bound with the rights of one account is believed of another.
 */
import { identityKey, type Identity } from '../cluster/identity.ts';
import { digestText } from '../object/digest.ts';
import type { ObjectId } from '../object/identity.ts';
import type { ReconcileContext } from './context.ts';
import { emptyMemory, type ApplicationState } from './memory.ts';

/** Forgets what another account saw, and ends the watches that it was seen by. The inventory is nobody's view. */
export function actAs(
  identity: Identity,
  state: ApplicationState,
  { cluster }: Pick<ReconcileContext, 'cluster'>,
): void {
  const key = identityKey(identity);
  const { identity: before, inventory, storedInventory } = state.memory;
  if (before === key) return;
  if (before !== undefined) {
    state.memory = { ...emptyMemory(), inventory, storedInventory };
    cluster.live.release(state.key);
  }
  state.memory.identity = key;
}

/** A digest of what was desired that also says whose writes the server accepted: another account is asked anew. */
export function acceptedDigest(identity: Identity, desiredDigest: string): string {
  return identity.type === 'agent' ? desiredDigest : digestText(`${identityKey(identity)}\n${desiredDigest}`);
}

/**
 * Whether an Application's word on an object counts before anything was written: in its own namespace, and with the
 * agent's rights. What an account may elsewhere shows only by what it has done.
 */
export function hasStanding(identity: Identity, { namespace }: Pick<ObjectId, 'namespace'>): boolean {
  return identity.type === 'agent' || identity.namespace === namespace;
}
