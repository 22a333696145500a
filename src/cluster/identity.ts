/**
 * The account with whose rights a request is sent.
 *
 * Invariant: a blank or malformed account never means the agent's own rights. The API server ignores an empty
 * Impersonate-User header, so only this file makes an Identity and its header, and it refuses such names.
 */

export type Identity =
  { readonly type: 'agent' } | { readonly type: 'serviceAccount'; readonly namespace: string; readonly name: string };

/** The agent's own rights: its kubeconfig or its ServiceAccount. */
export const agentIdentity: Identity = { type: 'agent' };

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Whether a text is a valid name of a ServiceAccount; a blank, `system:…` or a path is not. */
export function isServiceAccountName(name: string): boolean {
  return DNS_SUBDOMAIN.test(name);
}

/** Throws RangeError unless namespace and name are valid. */
export function serviceAccountIdentity(namespace: string, name: string): Identity {
  if (!DNS_LABEL.test(namespace) || !DNS_SUBDOMAIN.test(name)) {
    throw new RangeError(`invalid ServiceAccount: namespace '${namespace}', name '${name}'`);
  }
  return { type: 'serviceAccount', namespace, name };
}

/** The request headers of an identity: none for the agent, exactly one for an account. Throws RangeError. */
export function identityHeaders(identity: Identity): Record<string, string> {
  if (identity.type === 'agent') return {};
  const { namespace, name } = identity;
  if (!DNS_LABEL.test(namespace) || !DNS_SUBDOMAIN.test(name))
    throw new RangeError('malformed identity: its namespace or name is invalid');
  return { 'Impersonate-User': `system:serviceaccount:${namespace}:${name}` };
}

/** For people: who may not do something. */
export function describeIdentity(identity: Identity): string {
  return identity.type === 'agent' ? 'the agent itself' : `the ServiceAccount ${identity.namespace}/${identity.name}`;
}

/** A key that is equal exactly for equal identities. */
export function identityKey(identity: Identity): string {
  return identity.type === 'agent' ? 'agent' : `${identity.namespace}/${identity.name}`;
}
