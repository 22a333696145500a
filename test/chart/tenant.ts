/**
 * A tenant as docs/install.md describes it: a ServiceAccount beside the Applications, with rights in other namespaces.
 */

export const TENANT = 'deployer';

const RBAC = 'rbac.authorization.k8s.io';
const ALL = ['get', 'list', 'watch', 'create', 'patch', 'delete'];

/**
 * The tenant's ServiceAccount, and its rights for the objects of examples/: the namespaces `shop` and `plain`, and a
 * CRD with its custom resources.
 */
export function tenantObjects(namespace: string): unknown[] {
  const subjects = [{ kind: 'ServiceAccount', name: TENANT, namespace }];
  const bind = (name: string, role: string, inNamespace: string): unknown => ({
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata: { name, namespace: inNamespace },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
    subjects,
  });
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: TENANT, namespace } },
    ...['shop', 'plain'].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata: { name: 'demo-definitions' },
      rules: [
        { apiGroups: [''], resources: ['namespaces'], verbs: ALL },
        { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: ALL },
      ],
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata: { name: 'demo-widgets' },
      rules: [{ apiGroups: ['example.com'], resources: ['widgets'], verbs: ALL }],
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'demo-definitions' },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'demo-definitions' },
      subjects,
    },
    bind('deployer', 'admin', 'shop'),
    bind('deployer', 'admin', 'plain'),
    bind('deployer-widgets', 'demo-widgets', 'plain'),
    bind('deployer', 'admin', namespace),
  ];
}
