/** ServiceAccounts and their rights in a test's cluster. */
import { apply, type KubectlTarget } from './kubectl.ts';

/** The default name of an account. */
export const ACCOUNT = 'deployer';
export const ALL_VERBS = ['get', 'list', 'watch', 'create', 'patch', 'delete'] as const;

export type Verb = (typeof ALL_VERBS)[number];

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** Absent: all names. */
  readonly resourceNames?: readonly string[];
}

export function rule(group: string, resource: string, verbs: readonly string[] = ALL_VERBS): Rule {
  return { apiGroups: [group], resources: [resource], verbs };
}

export interface Grant {
  /** The namespace in which the rights hold; empty for the whole cluster. */
  readonly namespace: string;
  readonly rules: readonly Rule[];
  /** Namespace and name of the account. Default: `deployer` of that namespace. */
  readonly to?: { readonly namespace: string; readonly name: string };
  /** Name of the role and its binding. Default: the account's namespace and name. */
  readonly name?: string;
}

/** Gives an account exactly these rights in a namespace. A role of the same name is replaced. */
export async function grant(
  target: KubectlTarget,
  { namespace, rules, to = { namespace, name: ACCOUNT }, name = `${to.namespace}-${to.name}` }: Grant,
): Promise<void> {
  const scope = namespace === '' ? 'ClusterRole' : 'Role';
  const metadata = { name, ...(namespace === '' ? {} : { namespace }) };
  const group = 'rbac.authorization.k8s.io';
  await apply(target, { apiVersion: `${group}/v1`, kind: scope, metadata, rules });
  await apply(target, {
    apiVersion: `${group}/v1`,
    kind: `${scope}Binding`,
    metadata,
    roleRef: { apiGroup: group, kind: scope, name },
    subjects: [{ kind: 'ServiceAccount', ...to }],
  });
}

export async function makeAccount(target: KubectlTarget, namespace: string, name = ACCOUNT): Promise<void> {
  await apply(target, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } });
}
