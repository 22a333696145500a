/**
 * Random objects of many kinds. Their names come from a short list, so that references, patches and transformers have
 * targets.
 */
import type { Chance } from '../../support/chance.ts';
import type { Written } from './yaml-text.ts';

type Fields = Readonly<Record<string, Written>>;

export interface MadeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly value: Fields;
}

export const NAMES = ['web', 'api', 'db', 'cache'] as const;
export const NAMESPACES = ['one', 'two', 'default'] as const;
export const IMAGES = [
  'nginx',
  'redis:6',
  'example.com:5000/team/app:1.0',
  'busybox@sha256:abc123',
  'nginx:1.7.9@sha256:0f',
];

const ODD_TEXTS = [
  '1',
  'yes',
  '0x1F',
  'a: b',
  ' lead',
  'trail ',
  '#x',
  'multi\nline\n',
  'two\n\n',
  '',
  'é ü',
  '🎉',
  'null',
  '1.10',
  '- x',
  'x'.repeat(30) + ' ' + 'y '.repeat(40) + 'z',
  'tab\there',
  '"q"',
  "it's",
  '2020-01-02',
  '1:30',
  '{a}',
  '%x',
  '<tag> & more',
  'first\nsecond',
  'a paragraph\nof two lines\n\n  code\n\nend\n',
  '\nafter an empty line\n',
  'one: 1\ntwo: [a, b]\n',
];
const ODD_SCALARS = [
  '1',
  '1.50',
  '0777',
  '1e3',
  'true',
  'yes',
  'on',
  '.5',
  '1_000',
  '0x1F',
  '12345678901234567890',
  '2001-02-03',
  '1.0',
  '-0',
  '+5',
  '~',
];

export function oddText(chance: Chance): string {
  return chance.pick(ODD_TEXTS);
}

function odd(chance: Chance): Written {
  return chance.may(0.5) ? oddText(chance) : { raw: chance.pick(ODD_SCALARS) };
}

function container(chance: Chance, name: string): Fields {
  return {
    name,
    image: chance.pick(IMAGES),
    ...(chance.may(0.4) ? { args: ['--host=$(HOST)', `--port`, oddText(chance)] } : {}),
    ...(chance.may(0.4) ? { ports: ports(chance) } : {}),
    ...(chance.may(0.6) ? { env: env(chance) } : {}),
    ...(chance.may(0.4)
      ? { envFrom: [{ [chance.pick(['configMapRef', 'secretRef'])]: { name: chance.pick(NAMES) } }] }
      : {}),
    ...(chance.may(0.2)
      ? { resources: { limits: { cpu: chance.pick<Written>(['100m', { raw: '1' }, { raw: '0.5' }]), memory: '64Mi' } } }
      : {}),
    ...(chance.may(0.2) ? { volumeMounts: [{ name: 'v1', mountPath: '/a' }] } : {}),
  };
}

function ports(chance: Chance): Written {
  return chance.some([80, 443, 8080], 3).map((containerPort) => {
    return {
      containerPort,
      ...(chance.may(0.5) ? { protocol: chance.pick(['TCP', 'UDP']) } : {}),
      ...(chance.may(0.4) ? { name: `p${containerPort}` } : {}),
    };
  });
}

function env(chance: Chance): Written {
  return chance.some(['HOST', 'USER', 'MODE'], 3).map((name) => {
    const ref = { name: chance.pick(NAMES), key: 'k' };
    return chance.pick<Written>([
      { name, value: oddText(chance) },
      { name, value: `pre-$(HOST)-$(NAME_VAR)` },
      { name, valueFrom: { configMapKeyRef: ref } },
      { name, valueFrom: { secretKeyRef: ref } },
    ]);
  });
}

export function podSpec(chance: Chance): Fields {
  return {
    containers: ['main', 'side'].slice(0, 1 + chance.int(2)).map((name) => container(chance, name)),
    ...(chance.may(0.2) ? { initContainers: [container(chance, 'init')] } : {}),
    ...(chance.may(0.3) ? { serviceAccountName: chance.pick(NAMES) } : {}),
    ...(chance.may(0.4) ? { volumes: volumes(chance) } : {}),
    ...(chance.may(0.2) ? { imagePullSecrets: [{ name: chance.pick(NAMES) }] } : {}),
    ...(chance.may(0.2) ? { priorityClassName: chance.pick(NAMES) } : {}),
    ...(chance.may(0.2) ? { affinity: affinity(chance) } : {}),
    ...(chance.may(0.2) ? { tolerations: [{ key: 'k', operator: 'Exists' }] } : {}),
    ...(chance.may(0.2)
      ? {
          topologySpreadConstraints: [
            {
              topologyKey: 'zone',
              whenUnsatisfiable: 'ScheduleAnyway',
              maxSkew: 1,
              labelSelector: { matchLabels: { app: 'web' } },
            },
          ],
        }
      : {}),
  };
}

function affinity(chance: Chance): Written {
  const term = { topologyKey: 'zone', labelSelector: { matchLabels: { app: chance.pick(NAMES) } } };
  return chance.may(0.5)
    ? { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
    : { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }] } };
}

function volumes(chance: Chance): Written {
  return chance.some(['v1', 'v2', 'v3'], 3).map((name) => {
    const reference = chance.pick(NAMES);
    return chance.pick<Written>([
      { name, configMap: { name: reference, defaultMode: { raw: '0644' } } },
      { name, secret: { secretName: reference } },
      { name, emptyDir: {} },
      { name, persistentVolumeClaim: { claimName: reference } },
      { name, projected: { sources: [{ configMap: { name: reference } }, { secret: { name: reference } }] } },
    ]);
  });
}

function template(chance: Chance, name: string): Fields {
  const metadata = chance.may(0.8)
    ? { metadata: { labels: { app: name }, ...(chance.may(0.2) ? { annotations: { note: '$(HOST)' } } : {}) } }
    : {};
  return { ...metadata, spec: podSpec(chance) };
}

function workload(chance: Chance, name: string): Fields {
  return {
    ...(chance.may(0.6) ? { replicas: chance.int(4) } : {}),
    ...(chance.may(0.7) ? { selector: { matchLabels: { app: name } } } : {}),
    template: template(chance, name),
  };
}

type Make = (chance: Chance, name: string) => Fields;

const subjects = (chance: Chance): Written =>
  chance.some(NAMES, 2).map((name) => ({
    kind: 'ServiceAccount',
    name: chance.may(0.2) ? 'default' : name,
    ...(chance.may(0.7) ? { namespace: chance.pick(NAMESPACES) } : {}),
  }));

const CONFIG_DATA: Make = (chance) => ({
  data: { k: oddText(chance), 'file.txt': oddText(chance), 'a.json': '{"x": {"y": "old"}}' },
});

const RBAC = 'rbac.authorization.k8s.io';
const HOOK: Make = (chance) => ({
  webhooks: [
    {
      name: 'a.example.com',
      clientConfig: {
        service: { name: chance.pick(NAMES), ...(chance.may(0.8) ? { namespace: chance.pick(NAMESPACES) } : {}) },
      },
    },
  ],
});

/** apiVersion, kind, the function that makes all but the common metadata, and the weight (1 by default). */
const KINDS: readonly (readonly [string, string, Make, number?])[] = [
  ['apps/v1', 'Deployment', (chance, name) => ({ spec: workload(chance, name) }), 5],
  [
    'apps/v1',
    'StatefulSet',
    (chance, name) => ({
      spec: {
        serviceName: chance.pick(NAMES),
        ...workload(chance, name),
        ...(chance.may(0.5)
          ? { volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { storageClassName: chance.pick(NAMES) } }] }
          : {}),
      },
    }),
    2,
  ],
  ['apps/v1', 'DaemonSet', (chance, name) => ({ spec: workload(chance, name) })],
  ['batch/v1', 'Job', (chance, name) => ({ spec: { template: template(chance, name) } })],
  [
    'batch/v1',
    'CronJob',
    (chance, name) => ({
      spec: { schedule: '* * * * *', jobTemplate: { spec: { template: template(chance, name) } } },
    }),
  ],
  ['v1', 'Pod', (chance) => ({ spec: podSpec(chance) })],
  [
    'v1',
    'Service',
    (chance, name) => ({
      spec: {
        selector: { app: name },
        ports: [
          {
            port: 80,
            ...(chance.may(0.4) ? { protocol: 'TCP' } : {}),
            targetPort: chance.pick<Written>([8080, 'http']),
          },
        ],
      },
    }),
    3,
  ],
  ['v1', 'ConfigMap', CONFIG_DATA, 4],
  [
    'v1',
    'Secret',
    (chance) => ({
      type: 'Opaque',
      ...(chance.may(0.5) ? { stringData: { k: oddText(chance) } } : { data: { k: 'aGk=' } }),
    }),
    2,
  ],
  [
    'v1',
    'ServiceAccount',
    (chance) => (chance.may(0.5) ? { imagePullSecrets: [{ name: chance.pick(NAMES) }] } : {}),
    2,
  ],
  [
    'v1',
    'PersistentVolumeClaim',
    (chance) => ({
      spec: { volumeName: chance.pick(NAMES), storageClassName: chance.pick(NAMES), accessModes: ['ReadWriteOnce'] },
    }),
  ],
  [
    'v1',
    'PersistentVolume',
    (chance) => ({ spec: { storageClassName: chance.pick(NAMES), nfs: { server: '$(HOST)', path: '/' } } }),
  ],
  ['v1', 'Namespace', () => ({})],
  [
    'networking.k8s.io/v1',
    'Ingress',
    (chance) => ({
      metadata: { annotations: { 'nginx.ingress.kubernetes.io/auth-secret': chance.pick(NAMES) } },
      spec: {
        tls: [{ secretName: chance.pick(NAMES), hosts: ['$(HOST)'] }],
        rules: [
          {
            host: '$(HOST).example.com',
            http: { paths: [{ backend: { service: { name: chance.pick(NAMES), port: { number: 80 } } } }] },
          },
        ],
      },
    }),
    2,
  ],
  [
    'networking.k8s.io/v1',
    'NetworkPolicy',
    (_chance, name) => ({
      spec: {
        podSelector: { matchLabels: { app: name } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: name } } }] }],
      },
    }),
  ],
  [
    'policy/v1',
    'PodDisruptionBudget',
    (_chance, name) => ({ spec: { minAvailable: 1, selector: { matchLabels: { app: name } } } }),
  ],
  [
    'autoscaling/v2',
    'HorizontalPodAutoscaler',
    (chance) => ({
      spec: {
        scaleTargetRef: {
          apiVersion: 'apps/v1',
          kind: chance.pick(['Deployment', 'StatefulSet']),
          name: chance.pick(NAMES),
        },
      },
    }),
  ],
  [
    `${RBAC}/v1`,
    'Role',
    (chance) => ({
      rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: chance.some(NAMES, 2), verbs: ['get'] }],
    }),
  ],
  [
    `${RBAC}/v1`,
    'ClusterRole',
    (chance) => ({
      rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: chance.some(NAMES, 2), verbs: ['get'] }],
    }),
  ],
  [
    `${RBAC}/v1`,
    'RoleBinding',
    (chance) => ({
      roleRef: { apiGroup: RBAC, kind: chance.pick(['Role', 'ClusterRole']), name: chance.pick(NAMES) },
      subjects: subjects(chance),
    }),
    2,
  ],
  [
    `${RBAC}/v1`,
    'ClusterRoleBinding',
    (chance) => ({
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: chance.pick(NAMES) },
      subjects: subjects(chance),
    }),
  ],
  ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', HOOK],
  ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', HOOK],
  [
    'apiregistration.k8s.io/v1',
    'APIService',
    (chance) => ({ spec: { service: { name: chance.pick(NAMES), namespace: 'x' } } }),
  ],
  [
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    (chance) => ({
      spec: {
        group: 'example.com',
        ...(chance.may(0.5)
          ? { conversion: { webhook: { clientConfig: { service: { name: 'web', namespace: 'x' } } } } }
          : {}),
        versions: [{ name: 'v1', schema: { openAPIV3Schema: { description: oddText(chance) } } }],
      },
    }),
  ],
  [
    'storage.k8s.io/v1',
    'StorageClass',
    (chance) => ({ provisioner: 'x', parameters: { secretName: chance.pick(NAMES) } }),
  ],
  ['scheduling.k8s.io/v1', 'PriorityClass', () => ({ value: 10 })],
  [
    'example.com/v1',
    'Thing',
    (chance) => ({
      spec: {
        replicas: 1,
        image: chance.pick(IMAGES),
        template: template(chance, 'x'),
        list: [{ name: 'a', v: odd(chance) }, { name: 'b' }],
        odd: odd(chance),
        more: { deep: odd(chance), none: null },
      },
    }),
    4,
  ],
];

const WEIGHTED = KINDS.flatMap((kind) => Array.from({ length: kind[3] ?? 1 }, () => kind));

export function makeObject(chance: Chance): MadeObject {
  const [apiVersion, kind, make] = chance.pick(WEIGHTED);
  const name = chance.pick(NAMES);
  const { metadata, ...body } = make(chance, name) as Fields & { readonly metadata?: Fields };
  const value: Fields = {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(chance.may(0.2) ? { namespace: chance.pick(NAMESPACES) } : {}),
      ...(chance.may(0.5) ? { labels: { app: name, ...(chance.may(0.2) ? { odd: odd(chance) } : {}) } } : {}),
      ...(chance.may(0.2) ? { annotations: { note: oddText(chance) } } : {}),
      ...metadata,
    },
    ...body,
  };
  return { apiVersion, kind, name, value };
}
