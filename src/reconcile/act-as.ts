/**
 * What follows from whose rights an Application is worked with: what it may reach, and what may be believed.
 *
 * Invariant: nothing that was seen, accepted or bound with the rights of one account is believed of another.
 */
import type { ApplicationMetadata } from '../application/schema.ts';
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

/** Where an Application may hold objects. */
export interface Reach {
  /** Its own namespace. */
  readonly namespace: string;
  /** Whether it may hold objects of every namespace, and of none. */
  readonly mayCross: boolean;
}

/** What an account may, the API server decides; where the agent's own rights go, the agent's settings do. */
export function reachOf(
  identity: Identity,
  { namespace }: Pick<ApplicationMetadata, 'namespace'>,
  { allowCrossNamespace }: Pick<ReconcileContext['settings'], 'allowCrossNamespace'>,
): Reach {
  return { namespace, mayCross: identity.type === 'serviceAccount' || allowCrossNamespace };
}

/** An object that the Application held when it might: now it is not even read. */
export function isOutOfReach({ namespace }: Pick<ObjectId, 'namespace'>, reach: Reach): boolean {
  return !reach.mayCross && namespace !== reach.namespace;
}

/**
 * Whether an Application's word on an object counts before anything was written: in its own namespace, and with the
 * agent's rights. What an account may elsewhere shows only by what it has done.
 */
export function hasStanding(identity: Identity, { namespace }: Pick<ObjectId, 'namespace'>): boolean {
  return identity.type === 'agent' || identity.namespace === namespace;
}

export const OUT_OF_REACH =
  'it is outside the namespace of the Application: set spec.serviceAccountName to an account that may reach it, or ' +
  'start the agent with --allow-cross-namespace true';
