/** A tenant as docs/install.md tells to make one: a ServiceAccount beside the Applications, with rights elsewhere. */

export const TENANT = 'deployer';

const RBAC = 'rbac.authorization.k8s.io';
const ALL = ['get', 'list', 'watch', 'create', 'patch', 'delete'];

/** Rights for what examples/ holds: the namespaces `shop` and `plain`, and a definition with its objects. */
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
