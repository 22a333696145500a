/** The text of a kubeconfig with one cluster and one user. JSON is YAML. */

export interface KubeconfigParts {
  /** Fields of the cluster as a kubeconfig names them, such as `certificate-authority`. */
  readonly cluster: { readonly server: string; readonly [field: string]: unknown };
  /** Credentials, such as `token`; none by default. */
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
