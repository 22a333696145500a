/**
 * Generates the schema of the chart's values. It is strict for all keys of the chart itself, so that a misspelt value
 * is an error instead of being ignored. The part `settings` comes from the table of settings and uses the names of
 * flags.
 */
import { DURATION_PATTERN } from '../src/application/duration.ts';
import { SETTINGS } from '../src/config/config.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Flags that the chart sets itself: addresses and folders. Also flags that would select another cluster. */
export const FLAGS_OF_THE_CHART: readonly string[] = [
  'kubeconfig',
  'context',
  'data-dir',
  'probes-address',
  'metrics-address',
  'api-address',
  'webhook-address',
  'webhook-secrets-dir',
  'ssh-known-hosts',
  'health-checks',
  'session-key-file',
  'oidc-client-secret-file',
];

const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
/** A part of a Kubernetes object, which the API server checks. */
const anyMap: Schema = { type: 'object' };
const anyMaps: Schema = { type: 'array', items: anyMap };
const texts: Schema = { type: 'array', items: text };
const textMap: Schema = { type: 'object', additionalProperties: text };
const port: Schema = { type: 'integer', minimum: 1024, maximum: 65_535 };
const quantity: Schema = { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?([kMGT]|[KMGT]i)?$' };
const path: Schema = { type: 'string', pattern: '^/' };
const interval: Schema = { type: 'string', pattern: '^([0-9]+(ms|s|m|h))+$' };
const count = (minimum: number): Schema => ({ type: 'integer', minimum });
const choice = (...words: string[]): Schema => ({ enum: words });

function strict(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', additionalProperties: false, properties };
}

const monitor = strict({ enabled: flag, labels: textMap, interval });

const VALUES: Readonly<Record<string, Schema>> = {
  global: anyMap,
  nameOverride: text,
  fullnameOverride: text,
  commonLabels: textMap,
  image: strict({
    registry: text,
    repository: { type: 'string', minLength: 1 },
    tag: text,
    digest: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
    pullPolicy: choice('Always', 'IfNotPresent', 'Never'),
  }),
  imagePullSecrets: anyMaps,
  crds: strict({ install: flag, keep: flag }),
  settings: strict(settingSchemas()),
  extraArgs: texts,
  env: anyMaps,
  rbac: strict({
    create: flag,
    clusterAdmin: flag,
    impersonate: flag,
    impersonateNamespaces: texts,
    extraRules: anyMaps,
    aggregate: flag,
  }),
  serviceAccount: strict({ create: flag, name: text, annotations: textMap }),
  deploymentAnnotations: textMap,
  podAnnotations: textMap,
  podLabels: textMap,
  resources: strict({ requests: anyMap, limits: anyMap, claims: anyMaps }),
  podSecurityContext: anyMap,
  securityContext: anyMap,
  data: strict({ sizeLimit: quantity }),
  tmp: strict({ sizeLimit: quantity }),
  extraVolumes: anyMaps,
  extraVolumeMounts: anyMaps,
  terminationGracePeriodSeconds: count(40),
  revisionHistoryLimit: count(0),
  priorityClassName: text,
  nodeSelector: textMap,
  tolerations: anyMaps,
  affinity: anyMap,
  topologySpreadConstraints: anyMaps,
  listenHost: { type: 'string', pattern: '^([0-9.]+|\\[[0-9a-fA-F:.]+\\])$' },
  probes: strict({ port }),
  metrics: strict({ port, service: flag }),
  api: strict({ port, service: flag, sessionKeySecretName: text, oidcClientSecretName: text }),
  healthChecks: strict({ checks: anyMaps, configMap: text }),
  ssh: strict({ knownHosts: text, knownHostsConfigMap: text }),
  webhook: strict({
    enabled: flag,
    port,
    secretName: text,
    serviceType: choice('ClusterIP', 'NodePort', 'LoadBalancer'),
    serviceAnnotations: textMap,
    ingress: strict({ enabled: flag, className: text, annotations: textMap, host: text, path, tlsSecretName: text }),
    httpRoute: strict({ enabled: flag, annotations: textMap, parentRefs: anyMaps, hostnames: texts, path }),
  }),
  networkPolicy: strict({
    enabled: flag,
    probesFrom: anyMaps,
    metricsFrom: anyMaps,
    apiFrom: anyMaps,
    webhookFrom: anyMaps,
    egress: anyMaps,
  }),
  flowControl: strict({
    enabled: flag,
    shares: count(1),
    precedence: { type: 'integer', minimum: 1, maximum: 10_000 },
  }),
  monitoring: strict({
    serviceMonitor: monitor,
    podMonitor: monitor,
    prometheusRule: strict({
      enabled: flag,
      labels: textMap,
      alertLabels: textMap,
      runbookUrl: text,
      noSuccessSeconds: count(60),
    }),
    dashboards: strict({ enabled: flag, labels: textMap, annotations: textMap }),
  }),
};

/** Returns the text of values.schema.json. */
export function printChartSchema(): string {
  const schema = { $schema: 'http://json-schema.org/draft-07/schema#', title: 'Values of Tautline', ...strict(VALUES) };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

function settingSchemas(): Record<string, Schema> {
  const free = Object.values(SETTINGS).filter((setting) => !FLAGS_OF_THE_CHART.includes(setting.flag));
  return Object.fromEntries(
    free.map((setting) => [setting.flag, { ...schemaOf(setting), description: setting.description }]),
  );
}

function schemaOf(setting: (typeof SETTINGS)[keyof typeof SETTINGS]): Schema {
  switch (setting.type) {
    case 'boolean':
      return flag;
    case 'names':
    case 'networks':
    case 'addresses':
    case 'hosts':
      return text;
    case 'level':
      return choice('debug', 'info', 'warn', 'error');
    case 'anonymous':
      return choice('nothing', 'names');
    case 'duration':
      return { type: 'string', pattern: DURATION_PATTERN.source };
    case 'count': {
      const [minimum, maximum] = setting.range;
      return { type: 'integer', minimum, maximum };
    }
    case 'text':
    case 'origin':
    case 'issuer':
    case 'account':
    case 'address':
      return text;
  }
}
