/**
 * Whose rights a request uses. Only cluster/ turns an Identity into a client, and only this file makes one, so that a
 * blank account can never silently mean the agent's own rights (an empty Impersonate-User header is ignored by the API
 * server).
 */

export type Identity =
  { readonly type: 'agent' } | { readonly type: 'serviceAccount'; readonly namespace: string; readonly name: string };

/** The agent's own rights: its kubeconfig or its ServiceAccount. */
export const agentIdentity: Identity = { type: 'agent' };

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Whether a text can be the name of a ServiceAccount: no blank, no `system:…`, no path. */
export function isServiceAccountName(name: string): boolean {
  return DNS_SUBDOMAIN.test(name);
}

/** Throws RangeError unless both parts are proper names: fails closed on blanks and on anything else. */
export function serviceAccountIdentity(namespace: string, name: string): Identity {
  if (!DNS_LABEL.test(namespace) || !DNS_SUBDOMAIN.test(name)) {
    throw new RangeError(`not a ServiceAccount: namespace '${namespace}', name '${name}'`);
  }
  return { type: 'serviceAccount', namespace, name };
}

/** The request headers of an identity: none for the agent, exactly one for an account. */
export function identityHeaders(identity: Identity): Record<string, string> {
  if (identity.type === 'agent') return {};
  const { namespace, name } = identity;
  if (!DNS_LABEL.test(namespace) || !DNS_SUBDOMAIN.test(name)) throw new RangeError('malformed identity');
  return { 'Impersonate-User': `system:serviceaccount:${namespace}:${name}` };
}

/** A string equal exactly for equal identities. */
export function identityKey(identity: Identity): string {
  return identity.type === 'agent' ? 'agent' : `${identity.namespace}/${identity.name}`;
}
