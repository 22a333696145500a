/**
 * Kinds whose objects give or bound the rights of others: roles and their bindings, admission, network policies and
 * quotas. Such an object is never left alive because an Application of another namespace desires it: a right that is
 * taken out of Git ends.
 */
import type { ObjectId } from './identity.ts';

const ACCESS_GROUPS: ReadonlySet<string> = new Set([
  'rbac.authorization.k8s.io',
  'authorization.openshift.io',
  'security.openshift.io',
  'admissionregistration.k8s.io',
  'kyverno.io',
  'policies.kyverno.io',
  'policies.kubewarden.io',
  'templates.gatekeeper.sh',
  'constraints.gatekeeper.sh',
  'mutations.gatekeeper.sh',
]);

const ACCESS_KINDS: ReadonlySet<string> = new Set(['/ResourceQuota', '/LimitRange', 'policy/PodSecurityPolicy']);

export function isAccessKind({ group, kind }: Pick<ObjectId, 'group' | 'kind'>): boolean {
  // CNIs define network policies of their own: CiliumNetworkPolicy, GlobalNetworkPolicy, AdminNetworkPolicy.
  return ACCESS_GROUPS.has(group) || ACCESS_KINDS.has(`${group}/${kind}`) || kind.endsWith('NetworkPolicy');
}
