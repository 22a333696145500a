/** A kubeconfig with one cluster and one user, as text. JSON is YAML. */

export interface KubeconfigParts {
  /** `server` and what it is trusted by, as a kubeconfig names them. */
  readonly cluster: { readonly server: string; readonly [field: string]: unknown };
  /** Such as `token`; without credentials by default. */
  readonly user?: Readonly<Record<string, unknown>>;
  readonly namespace?: string;
}

export function kubeconfigText({ cluster, user = {}, namespace }: KubeconfigParts): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', ...(namespace && { namespace }) } }],
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user }],
  });
}
