/** Values with which the chart is rendered and sent to an API server: every switch on, every switch off, odd shapes. */

const EVERYTHING = {
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
  api: { service: true },
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
    probesFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
    apiFrom: [{ podSelector: {} }],
    webhookFrom: [{ ipBlock: { cidr: '192.0.2.0/24' } }],
    egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }],
  },
  monitoring: {
    serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
    podMonitor: { enabled: true },
    prometheusRule: { enabled: true, alertLabels: { team: 'platform' }, runbookUrl: 'https://example.com/alerts' },
    dashboards: { enabled: true, annotations: { folder: 'Tautline' } },
  },
};

const NOTHING = {
  fullnameOverride: 'agent',
  crds: { install: false },
  rbac: { create: false },
  serviceAccount: { create: false, name: 'ours' },
  probes: { service: false },
  networkPolicy: { enabled: false },
  resources: { limits: { memory: null } },
};

export const ACCEPTED: Readonly<Record<string, unknown>> = {
  'the defaults': {},
  everything: EVERYTHING,
  'nothing that can be left out': NOTHING,
  'rights in two namespaces only': { rbac: { impersonateNamespaces: ['default', 'kube-public'] } },
  'no acting as others': { rbac: { impersonate: false, aggregate: false } },
  'a CRD that goes with the release': { crds: { keep: false } },
  'a tag, and no registry': { image: { tag: 'v1' } },
  'the least memory': {
    settings: { 'heap-mib': 128, 'sandbox-rss-mib': 192 },
    resources: { limits: { memory: '512Mi' } },
  },
  'a release of decimal memory': { resources: { limits: { memory: '2G' } } },
};

/** Values that are refused, and a word of the reason. */
export const REFUSED: Readonly<Record<string, { readonly values: unknown; readonly reason: RegExp }>> = {
  'a misspelt value': { values: { rbac: { clusterAdmn: true } }, reason: /clusterAdmn/ },
  'a value of the wrong type': { values: { crds: { install: 'yes' } }, reason: /boolean/ },
  'a setting that does not exist': { values: { settings: { heap: 1 } }, reason: /heap/ },
  'a setting that the chart decides': { values: { settings: { 'data-dir': '/x' } }, reason: /data-dir/ },
  'a setting beyond its range': { values: { settings: { concurrency: 65 } }, reason: /maximum|64/ },
  'a duration without unit': { values: { settings: { 'render-timeout': '60' } }, reason: /pattern/ },
  'a port that needs privileges': { values: { probes: { port: 80 } }, reason: /minimum|1024/ },
  'a digest that is none': { values: { image: { digest: 'latest' } }, reason: /pattern/ },
  'a grace period shorter than the drain': { values: { terminationGracePeriodSeconds: 5 }, reason: /minimum|40/ },
  'a heap that does not fit': { values: { settings: { 'heap-mib': 1024 } }, reason: /1792Mi.*less than the 2240 MiB/ },
  'a sandbox more than fits': { values: { settings: { 'sandbox-slots': 2 } }, reason: /sandbox-slots 2/ },
  'a limit in an odd unit': { values: { resources: { limits: { memory: '1e9m' } } }, reason: /unit/ },
  'no bound of the heap': { values: { settings: { 'heap-mib': 0 } }, reason: /unbounded/ },
  'an Ingress to nowhere': { values: { webhook: { ingress: { enabled: true } } }, reason: /needs webhook\.enabled/ },
  'webhooks without secrets': { values: { webhook: { enabled: true } }, reason: /webhook\.secretName/ },
  'a route without gateway': {
    values: { webhook: { enabled: true, secretName: 'x', httpRoute: { enabled: true } } },
    reason: /parentRefs/,
  },
  'a monitor without Service': {
    values: { probes: { service: false }, monitoring: { serviceMonitor: { enabled: true } } },
    reason: /needs probes\.service/,
  },
};
