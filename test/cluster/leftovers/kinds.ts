/** Alternatives of other kinds, custom resources and their definitions included. */
import { rootCertificates } from 'node:tls';
import { digestSecretValue } from '../../../src/object/redact.ts';
import { definition, objectOf, type Manifest } from '../../support/objects.ts';
import { META, type Case } from './alternatives.ts';

function autoscaler(spec: Manifest): Manifest {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' };
  return objectOf('autoscaling/v2 HorizontalPodAutoscaler', META, {
    spec: { scaleTargetRef, maxReplicas: 5, ...spec },
  });
}

const cpu = (target: Manifest): Manifest => ({ type: 'Resource', resource: { name: 'cpu', target } });

function webhook(clientConfig: Manifest): Manifest {
  const common = {
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    failurePolicy: 'Ignore',
    rules: [{ apiGroups: ['x.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['x'] }],
  };
  return objectOf(
    'admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration',
    { name: 'x' },
    {
      webhooks: [{ name: 'a.example.com', ...common, clientConfig }],
    },
  );
}

/** Any certificate, in base64. */
const CERTIFICATE = Buffer.from(rootCertificates[0] ?? '').toString('base64');

const CONVERSION: Manifest = {
  strategy: 'Webhook',
  webhook: {
    conversionReviewVersions: ['v1'],
    clientConfig: { service: { name: 'hook', namespace: 'default', path: '/convert' } },
  },
};

const HOOK = { service: { name: 'hook', namespace: 'default' } };

/** Two of these are larger than a ConfigMap or a Secret may be. */
const LARGE = 'x'.repeat(600_000);
const LARGE_BYTES = Buffer.from(LARGE).toString('base64');

export const OTHER_CASES: readonly [string, Case][] = [
  [
    'a ConfigMap: an entry by a person, beside which one of Git is too large',
    {
      before: objectOf('v1 ConfigMap', META, { data: { k: 'a' } }),
      hand: { data: { theirs: LARGE } },
      after: objectOf('v1 ConfigMap', META, { data: { k: LARGE } }),
      expected: { '/data': { k: LARGE } },
    },
  ],
  [
    'a Secret: an entry by a person, beside which one of Git is too large, and a small one, which stays',
    {
      before: objectOf('v1 Secret', META, { data: { k: 'YQ==' } }),
      hand: { data: { large: LARGE_BYTES, 'by.hand': 'Yg==' } },
      after: objectOf('v1 Secret', META, { data: { k: LARGE_BYTES } }),
      expected: {
        '/data/large': undefined,
        '/data/by.hand': digestSecretValue('Yg=='),
        '/data/k': digestSecretValue(LARGE_BYTES),
      },
    },
  ],
  [
    'a Secret: entries of another manager, of which the one that is too large is removed',
    {
      before: objectOf('v1 Secret', META, { data: { k: 'YQ==' } }),
      applied: objectOf('v1 Secret', META, { data: { large: LARGE_BYTES, small: 'Yg==' } }),
      after: objectOf('v1 Secret', META, { data: { k: LARGE_BYTES } }),
      expected: {
        '/data/large': undefined,
        '/data/small': digestSecretValue('Yg=='),
        '/data/k': digestSecretValue(LARGE_BYTES),
      },
    },
  ],
  [
    'a ConfigMap: a text of Git, and bytes under the same name by a person',
    {
      before: objectOf('v1 ConfigMap', META, { data: { k: 'a', l: 'b' } }),
      hand: { data: { k: null }, binaryData: { k: 'AAA=', theirs: 'AAA=' } },
      expected: { '/data': { k: 'a', l: 'b' }, '/binaryData': { theirs: 'AAA=' } },
    },
  ],
  [
    'a ConfigMap: a text of Git, and bytes under the same name by another manager, whose other bytes stay',
    {
      before: objectOf('v1 ConfigMap', META, { data: { l: 'b' } }),
      applied: objectOf('v1 ConfigMap', META, { binaryData: { k: 'AAA=', theirs: 'AAA=' } }),
      after: objectOf('v1 ConfigMap', META, { data: { k: 'a', l: 'b' } }),
      expected: { '/data': { k: 'a', l: 'b' }, '/binaryData': { theirs: 'AAA=' } },
    },
  ],

  [
    'an autoscaler: utilization of Git and an average value of a person',
    {
      before: autoscaler({ metrics: [cpu({ type: 'Utilization', averageUtilization: 50 })] }),
      hand: { spec: { metrics: [cpu({ type: 'AverageValue', averageValue: '100m' })] } },
      expected: { '/spec/metrics': [cpu({ type: 'Utilization', averageUtilization: 50 })] },
    },
  ],
  [
    'an autoscaler: maxReplicas of Git below minReplicas of a person',
    {
      before: autoscaler({}),
      hand: { spec: { minReplicas: 7, maxReplicas: 9 } },
      expected: { '/spec/maxReplicas': 5, '/spec/minReplicas': 1 },
    },
  ],
  [
    'a webhook: service of Git and url of a person',
    {
      before: webhook(HOOK),
      hand: { webhooks: (webhook({ url: 'https://hook.example/x' }) as { webhooks: unknown })['webhooks'] },
      expected: { '/webhooks/0/clientConfig/url': undefined, '/webhooks/0/clientConfig/service/name': 'hook' },
    },
  ],
  [
    'an APIService: insecureSkipTLSVerify of Git and caBundle of a person',
    {
      before: objectOf(
        'apiregistration.k8s.io/v1 APIService',
        { name: 'v1.x.example.com' },
        {
          spec: {
            group: 'x.example.com',
            version: 'v1',
            groupPriorityMinimum: 10,
            versionPriority: 10,
            insecureSkipTLSVerify: true,
            service: { name: 's', namespace: 'default' },
          },
        },
      ),
      hand: { spec: { insecureSkipTLSVerify: null, caBundle: CERTIFICATE } },
      expected: { '/spec/insecureSkipTLSVerify': true, '/spec/caBundle': undefined },
    },
  ],
  [
    'a priority level that becomes Exempt, beside the limits of a person',
    {
      before: objectOf(
        'flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration',
        { name: 'x' },
        {
          spec: { type: 'Limited', limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' } } },
        },
      ),
      hand: {
        spec: {
          limited: { limitResponse: { type: 'Queue', queuing: { queues: 16, handSize: 4, queueLengthLimit: 10 } } },
        },
      },
      expected: { '/spec/limited/limitResponse': { type: 'Reject' } },
    },
  ],
  [
    'a definition whose conversion leaves Git, beside a caBundle that an injector wrote',
    {
      before: crd({ conversion: CONVERSION }),
      hand: { spec: { conversion: { webhook: { clientConfig: { caBundle: CERTIFICATE } } } } },
      after: crd({}),
      expected: { '/spec/conversion': { strategy: 'None' } },
    },
  ],
  [
    'a definition whose conversion leaves Git, beside a caBundle that another manager applied',
    {
      before: crd({ conversion: CONVERSION }),
      applied: {
        ...objectOf('apiextensions.k8s.io/v1 CustomResourceDefinition', { name: 'vaultkeys.keys.example.org' }),
        spec: {
          conversion: {
            strategy: 'Webhook',
            webhook: { conversionReviewVersions: ['v1'], clientConfig: { caBundle: CERTIFICATE } },
          },
        },
      },
      after: crd({}),
      expected: { '/spec/conversion': { strategy: 'None' } },
    },
  ],
  [
    'a custom resource: one of two fields by a rule of its definition, and the other one of a person',
    {
      before: choice({ ruled: { a: 1 } }),
      hand: { spec: { ruled: { a: null, b: 1, c: 1 } } },
      expected: { '/spec/ruled': { a: 1, c: 1 } },
    },
  ],
  [
    'a custom resource: one of two fields by its schema, and the other one of another manager, whose third field stays',
    {
      before: choice({ schema: {} }),
      applied: choice({ schema: { b: 1, c: 1 } }),
      after: choice({ schema: { a: 1 } }),
      expected: { '/spec/schema': { a: 1, c: 1 } },
    },
  ],
  [
    'a custom resource: two items of a list of which only one may be the default',
    {
      before: choice({ items: [{ name: 'x', isDefault: true }] }),
      hand: { spec: { items: [{ name: 'x' }, { name: 'y', isDefault: true }] } },
      expected: { '/spec/items': [{ name: 'x', isDefault: true }] },
    },
  ],
  [
    'a custom resource without a status: fields at its top of which only one may stand',
    {
      before: choice({}, { left: 'a' }),
      hand: { left: null, right: 'b' },
      expected: { '/left': 'a', '/right': undefined },
    },
  ],
];

function choice(spec: Manifest, more: Manifest = {}): Manifest {
  return objectOf('choice.example.com/v1 Choice', META, { spec, ...more });
}

function crd(spec: Manifest): Manifest {
  const definitionOf = definition({ group: 'keys.example.org', kind: 'VaultKey' });
  return { ...definitionOf, spec: { ...(definitionOf['spec'] as Manifest), ...spec } };
}

const ONE: Manifest = { a: { type: 'integer' }, b: { type: 'integer' }, c: { type: 'integer' } };

/** A definition with several ways to allow one of two values. */
export const CHOICES = definition({
  group: 'choice.example.com',
  kind: 'Choice',
  schema: {
    type: 'object',
    'x-kubernetes-validations': [{ rule: '!(has(self.left) && has(self.right))', message: 'left or right' }],
    properties: {
      left: { type: 'string' },
      right: { type: 'string' },
      spec: {
        type: 'object',
        properties: {
          ruled: {
            type: 'object',
            properties: ONE,
            'x-kubernetes-validations': [{ rule: 'has(self.a) != has(self.b)', message: 'a or b' }],
          },
          schema: { type: 'object', properties: ONE, not: { required: ['a', 'b'] } },
          items: {
            type: 'array',
            maxItems: 5,
            items: {
              type: 'object',
              required: ['name'],
              properties: { name: { type: 'string', maxLength: 9 }, isDefault: { type: 'boolean' } },
            },
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['name'],
            'x-kubernetes-validations': [
              { rule: 'self.filter(i, has(i.isDefault) && i.isDefault).size() <= 1', message: 'one default' },
            ],
          },
        },
      },
    },
  },
});
