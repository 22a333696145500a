/**
 * Where an Application may hold objects. With the rights of a ServiceAccount the API server decides; with the agent's
 * own rights an Application stays in its own namespace, unless the agent's settings let it cross.
 */
import type { Identity } from '../cluster/identity.ts';
import type { ObjectId } from '../object/identity.ts';

export interface Reach {
  /** The namespace of the Application itself. */
  readonly namespace: string;
  /** Whether the Application may hold objects of every namespace, and cluster-scoped ones. */
  readonly mayCross: boolean;
}

export function reachOf(
  identity: Identity,
  { namespace }: { readonly namespace: string },
  { allowCrossNamespace }: { readonly allowCrossNamespace: boolean },
): Reach {
  return { namespace, mayCross: identity.type === 'serviceAccount' || allowCrossNamespace };
}

/** An object out of reach is neither read nor written, even where the inventory still holds it. */
export function isOutOfReach({ namespace }: Pick<ObjectId, 'namespace'>, reach: Reach): boolean {
  return !reach.mayCross && namespace !== reach.namespace;
}

/** How a person extends the reach of an Application. */
export const HOW_TO_EXTEND_REACH =
  'Set spec.serviceAccountName to an account that may, or start the agent with --allow-cross-namespace true.';

export const OUT_OF_REACH = `it is outside the namespace of the Application. ${HOW_TO_EXTEND_REACH}`;
