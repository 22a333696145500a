/** Values that the chart accepts, among them every switch on and every switch off, and values that it refuses. */

const ALL_ON = {
  nameOverride: 'taut',
  commonLabels: { team: 'platform' },
  image: { registry: 'mirror.example.com:5000', repository: 'team/tautline', digest: `sha256:${'0'.repeat(64)}` },
  imagePullSecrets: [{ name: 'pull' }],
  settings: {
    'log-level': 'debug',
    'max-yaml-nodes': 2_000_000,
    'allow-cross-namespace': true,
    'render-timeout': '1m30s',
  },
  extraArgs: ['--instance=one'],
  env: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example.com:3128' }],
  rbac: { clusterAdmin: true, extraRules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }] },
  serviceAccount: { annotations: { 'example.com/role': 'agent' } },
  deploymentAnnotations: { 'example.com/a': 'b' },
  podAnnotations: { 'example.com/c': 'd' },
  podLabels: { zone: 'a' },
  priorityClassName: 'system-cluster-critical',
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
  affinity: {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 1, preference: { matchExpressions: [{ key: 'spot', operator: 'DoesNotExist' }] } },
      ],
    },
  },
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
  ],
  extraVolumes: [{ name: 'ca', configMap: { name: 'ca' } }],
  extraVolumeMounts: [{ name: 'ca', mountPath: '/ca', readOnly: true }],
  listenHost: '[::]',
  api: { service: true, sessionKeySecretName: 'session', oidcClientSecretName: 'oidc' },
  webhook: {
    enabled: true,
    secretName: 'webhooks',
    serviceAnnotations: { 'example.com/e': 'f' },
    ingress: {
      enabled: true,
      className: 'public',
      annotations: { 'example.com/g': 'h' },
      host: 'hooks.example.com',
      path: '/hooks',
      tlsSecretName: 'tls',
    },
    httpRoute: { enabled: true, parentRefs: [{ name: 'gateway' }], hostnames: ['hooks.example.com'] },
  },
  networkPolicy: {
    probesFrom: [{ ipBlock: { cidr: '198.51.100.0/24' } }],
    metricsFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
    apiFrom: [{ podSelector: {} }],
    webhookFrom: [{ ipBlock: { cidr: '192.0.2.0/24' } }],
    egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }],
  },
  flowControl: { enabled: true, shares: 30, precedence: 500 },
  monitoring: {
    serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
    podMonitor: { enabled: true },
    prometheusRule: { enabled: true, alertLabels: { team: 'platform' }, runbookUrl: 'https://example.com/alerts' },
    dashboards: { enabled: true, annotations: { folder: 'Tautline' } },
  },
};

const ALL_OFF = {
  fullnameOverride: 'agent',
  crds: { install: false },
  rbac: { create: false },
  serviceAccount: { create: false, name: 'ours' },
  metrics: { service: false },
  networkPolicy: { enabled: false },
  resources: { limits: { memory: null } },
};

export const ACCEPTED: Readonly<Record<string, unknown>> = {
  'the defaults': {},
  'every switch on': ALL_ON,
  'every switch off': ALL_OFF,
  'rights in two namespaces only': { rbac: { impersonateNamespaces: ['default', 'kube-public'] } },
  'no impersonation': { rbac: { impersonate: false, aggregate: false } },
  'a CRD that is removed with the release': { crds: { keep: false } },
  'an image tag and no registry': { image: { tag: 'v1' } },
  'the smallest memory sizes': {
    settings: { 'heap-mib': 128, 'sandbox-rss-mib': 192, 'helm-memory-mib': 128, 'sops-memory-mib': 64 },
    resources: { limits: { memory: '960Mi' } },
  },
  'a memory limit in a decimal unit': { resources: { limits: { memory: '2.5G' } } },
};

/** Values that the chart refuses, with a pattern of the reason. */
export const REFUSED: Readonly<Record<string, { readonly values: unknown; readonly reason: RegExp }>> = {
  'a misspelt value': { values: { rbac: { clusterAdmn: true } }, reason: /clusterAdmn/ },
  'a value of the wrong type': { values: { crds: { install: 'yes' } }, reason: /boolean/ },
  'a setting that does not exist': { values: { settings: { heap: 1 } }, reason: /heap/ },
  'a setting that the chart decides': { values: { settings: { 'data-dir': '/x' } }, reason: /data-dir/ },
  'a setting beyond its range': { values: { settings: { concurrency: 65 } }, reason: /maximum|64/ },
  'a duration without a unit': { values: { settings: { 'render-timeout': '60' } }, reason: /pattern/ },
  'a port that needs privileges': { values: { probes: { port: 80 } }, reason: /minimum|1024/ },
  'an image digest that is not a digest': { values: { image: { digest: 'latest' } }, reason: /pattern/ },
  'a grace period shorter than the drain': { values: { terminationGracePeriodSeconds: 5 }, reason: /minimum|40/ },
  'a heap that does not fit into the memory limit': {
    values: { settings: { 'heap-mib': 1024 } },
    reason: /2432Mi.*less than the 2880 MiB/,
  },
  'one sandbox more than fits into the memory limit': {
    values: { settings: { 'sandbox-slots': 2 } },
    reason: /sandbox-slots 2/,
  },
  'a memory limit in an unusual unit': { values: { resources: { limits: { memory: '1e9m' } } }, reason: /unit/ },
  'a heap without a limit': { values: { settings: { 'heap-mib': 0 } }, reason: /unbounded/ },
  'runs of helm without a bound': {
    values: { settings: { 'helm-slots': 0 } },
    reason: /helm-slots is 0.*set a number/,
  },
  'an Ingress without webhooks': {
    values: { webhook: { ingress: { enabled: true } } },
    reason: /needs webhook\.enabled/,
  },
  'webhooks without a Secret': { values: { webhook: { enabled: true } }, reason: /webhook\.secretName/ },
  'an HTTPRoute without a gateway': {
    values: { webhook: { enabled: true, secretName: 'x', httpRoute: { enabled: true } } },
    reason: /parentRefs/,
  },
  'a ServiceMonitor without a Service': {
    values: { metrics: { service: false }, monitoring: { serviceMonitor: { enabled: true } } },
    reason: /needs metrics\.service/,
  },
};
