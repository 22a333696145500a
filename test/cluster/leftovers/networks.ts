/** Alternatives of Services, Ingresses, NetworkPolicies and disruption budgets. */
import { objectOf, type Manifest } from '../../support/objects.ts';
import { META, type Case } from './alternatives.ts';

function budget(spec: Manifest): Manifest {
  return objectOf('policy/v1 PodDisruptionBudget', META, {
    spec: { selector: { matchLabels: { app: 'x' } }, ...spec },
  });
}

function ingress(defaultBackend: Manifest): Manifest {
  return objectOf('networking.k8s.io/v1 Ingress', META, { spec: { defaultBackend } });
}

function ingressClass(parameters: Manifest): Manifest {
  const all = { apiGroup: 'x.example.com', kind: 'P', name: 'p', ...parameters };
  return objectOf(
    'networking.k8s.io/v1 IngressClass',
    { name: 'x' },
    { spec: { controller: 'x.example.com/c', parameters: all } },
  );
}

function service(spec: Manifest): Manifest {
  return objectOf('v1 Service', META, {
    spec: { selector: { app: 'x' }, ports: [{ name: 'http', port: 80 }], ...spec },
  });
}

const RESOURCE = { apiGroup: 'k8s.example.com', kind: 'Bucket', name: 'b' };
const BACKEND = { service: { name: 'web', port: { number: 80 } } };

export const NETWORK_CASES: readonly [string, Case][] = [
  [
    'a Service: the number of a port without a name, changed by a person',
    {
      before: service({ ports: [{ port: 80 }] }),
      hand: { spec: { ports: [{ port: 83 }] } },
      expected: { '/spec/ports/0/port': 80, '/spec/ports/1': undefined },
    },
  ],
  [
    'a Service: the number of a port with a port of the node, changed by a person',
    {
      before: service({ type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30080 }] }),
      hand: { spec: { ports: [{ name: 'other', port: 83, nodePort: 30080 }] } },
      expected: { '/spec/ports/0/port': 80, '/spec/ports/0/nodePort': 30080, '/spec/ports/1': undefined },
    },
  ],
  [
    'an IngressClass: parameters of the cluster in Git, and of a namespace by a person',
    {
      before: ingressClass({ scope: 'Cluster' }),
      hand: { spec: { parameters: { scope: 'Namespace', namespace: 'default' } } },
      expected: { '/spec/parameters/scope': 'Cluster', '/spec/parameters/namespace': undefined },
    },
  ],

  [
    'a disruption budget: minAvailable of Git and maxUnavailable of a person',
    {
      before: budget({ minAvailable: 1 }),
      hand: { spec: { minAvailable: null, maxUnavailable: 1 } },
      expected: { '/spec/maxUnavailable': undefined, '/spec/minAvailable': 1 },
    },
  ],
  [
    'a disruption budget: maxUnavailable of Git and minAvailable of another manager, whose policy stays',
    {
      before: budget({}),
      applied: {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: META,
        spec: { minAvailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
      },
      after: budget({ maxUnavailable: '10%' }),
      expected: {
        '/spec/minAvailable': undefined,
        '/spec/maxUnavailable': '10%',
        '/spec/unhealthyPodEvictionPolicy': 'AlwaysAllow',
      },
    },
  ],
  [
    'an Ingress: service of Git and resource of a person',
    {
      before: ingress(BACKEND),
      hand: { spec: { defaultBackend: { service: null, resource: RESOURCE } } },
      expected: { '/spec/defaultBackend': BACKEND },
    },
  ],
  [
    'an Ingress: resource of Git and service of a person',
    {
      before: ingress({ resource: RESOURCE }),
      hand: { spec: { defaultBackend: { resource: null, ...BACKEND } } },
      expected: { '/spec/defaultBackend': { resource: RESOURCE } },
    },
  ],
  [
    'an Ingress: the number of a port of Git and its name of a person',
    {
      before: ingress(BACKEND),
      hand: { spec: { defaultBackend: { service: { name: 'web', port: { number: null, name: 'http' } } } } },
      expected: { '/spec/defaultBackend': BACKEND },
    },
  ],
  [
    'a Service: a port of a person with the name of the one of Git',
    {
      before: service({}),
      hand: { spec: { ports: [{ name: 'http', port: 83 }] } },
      expected: { '/spec/ports/1': undefined, '/spec/ports/0/port': 80 },
    },
  ],
  [
    'a Service: a port of another manager with the name of the one of Git, whose other port stays',
    {
      before: service({ ports: [{ name: 'old', port: 70 }] }),
      applied: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: META,
        spec: {
          ports: [
            { name: 'http', port: 83, protocol: 'TCP' },
            { name: 'theirs', port: 90, protocol: 'TCP' },
          ],
        },
      },
      after: service({}),
      expected: { '/spec/ports/0/port': 90, '/spec/ports/1/port': 80, '/spec/ports/2': undefined },
    },
  ],
  [
    'a Service whose sessionAffinity becomes None, beside the default timeout of ClientIP',
    {
      before: service({ sessionAffinity: 'ClientIP' }),
      after: service({ sessionAffinity: 'None' }),
      expected: { '/spec/sessionAffinity': 'None', '/spec/sessionAffinityConfig': undefined },
    },
  ],
  [
    'a Service of type ExternalName in Git that was a ClusterIP',
    {
      before: service({}),
      after: service({ type: 'ExternalName', externalName: 'a.example', ports: undefined, selector: undefined }),
      expected: { '/spec/type': 'ExternalName', '/spec/clusterIP': undefined },
    },
  ],
  [
    'a Service of type ClusterIP in Git that a person made a LoadBalancer',
    {
      before: service({ type: 'ClusterIP' }),
      hand: {
        spec: {
          type: 'LoadBalancer',
          loadBalancerClass: 'example.com/x',
          externalTrafficPolicy: 'Local',
          loadBalancerSourceRanges: ['10.0.0.0/8'],
        },
      },
      expected: { '/spec/type': 'ClusterIP', '/spec/externalTrafficPolicy': undefined, '/spec/ports/0/port': 80 },
    },
  ],
  [
    'a Service of type ClusterIP in Git that a person made an ExternalName',
    {
      before: service({ type: 'ClusterIP' }),
      hand: { spec: { type: 'ExternalName', externalName: 'a.example', clusterIP: null, clusterIPs: null } },
      expected: { '/spec/type': 'ClusterIP' },
    },
  ],
  [
    'a NetworkPolicy whose peers a person replaced by an ipBlock',
    {
      before: objectOf('networking.k8s.io/v1 NetworkPolicy', META, {
        spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] },
      }),
      hand: { spec: { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }] } },
      expected: { '/spec/ingress': [{ from: [{ podSelector: {} }] }] },
    },
  ],
];
