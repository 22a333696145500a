/** Ways into the cluster: Gateway API, Envoy Gateway, Istio, Contour, Ambassador, NGINX and routes of clouds. */
import { allOf, at, begins, byWord, degraded, each, has, healthy, kindsOf, lacks } from '../rules.ts';
import { on, progressing, settled, type Rule } from '../rules.ts';

/** A route is attached to several parents, and each of them reports. */
const PARENT: readonly Rule[] = [
  progressing(on('Accepted', 'False', 'Pending')),
  degraded(on('Accepted', 'False')),
  degraded(on('ResolvedRefs', 'False')),
  degraded(on('PartiallyInvalid', 'True')),
  progressing(on('Programmed', ['False', 'Unknown'])),
  progressing(on('ResolvedRefs', 'Unknown')),
  healthy(on('Accepted', 'True')),
];
const ROUTE = {
  rules: [progressing(lacks('status.parents')), each('status.parents', PARENT)],
  otherwise: 'Healthy',
  isObservedByCondition: true,
} as const;

const ANCESTOR: readonly Rule[] = [
  degraded(on('Accepted', 'False')),
  degraded(on('ResolvedRefs', 'False')),
  degraded(on('Programmed', 'False')),
  healthy(on('Accepted', 'True')),
];
const POLICY = {
  rules: [progressing(lacks('status.ancestors')), each('status.ancestors', ANCESTOR)],
  otherwise: 'Healthy',
  isObservedByCondition: true,
} as const;

const LISTENER: readonly Rule[] = [
  degraded(on('Conflicted', 'True')),
  degraded(on('Detached', 'True')),
  progressing(on('Accepted', 'False', 'Pending')),
  degraded(on('Accepted', 'False')),
  degraded(on('ResolvedRefs', 'False')),
  degraded(on('Programmed', 'False', 'Invalid')),
  progressing(on('Programmed', ['False', 'Unknown'])),
];
const GATEWAY = {
  rules: [
    progressing(on('Accepted', 'False', 'Pending')),
    degraded(on('Accepted', 'False')),
    each('status.listeners', LISTENER, 'Healthy'),
    degraded(on('Programmed', 'False', 'Invalid')),
    healthy(on('Programmed', 'True')),
    progressing(on('Programmed')),
    healthy(on('Ready', 'True')),
    healthy(on('Accepted', 'True')),
  ],
  isObservedByCondition: true,
} as const;

/** Istio reports only errors of its analysis. */
const ISTIO = {
  rules: [
    each('status.validationMessages', [degraded(at('level', 'ERROR', 'Error', 3))], 'Healthy'),
    degraded(on('Reconciled', 'False')),
  ],
  otherwise: 'Healthy',
} as const;

export const GATEWAYS = [
  ...kindsOf('gateway.networking.k8s.io', {
    GatewayClass: { rules: settled('Accepted', 'Pending', 'Waiting'), isObservedByCondition: true },
    'Gateway ListenerSet': GATEWAY,
    'HTTPRoute GRPCRoute TCPRoute TLSRoute UDPRoute': ROUTE,
    'BackendTLSPolicy BackendLBPolicy': POLICY,
    ReferenceGrant: { rules: [], otherwise: 'Healthy' },
  }),
  ...kindsOf('gateway.networking.x-k8s.io', { XListenerSet: GATEWAY, XBackendTrafficPolicy: POLICY }),
  ...kindsOf('gateway.envoyproxy.io', {
    'BackendTrafficPolicy ClientTrafficPolicy SecurityPolicy EnvoyExtensionPolicy EnvoyPatchPolicy': POLICY,
    Backend: settled('Accepted'),
    EnvoyProxy: { rules: [], otherwise: 'Healthy' },
  }),
  ...kindsOf('gateway.kgateway.dev', {
    'TrafficPolicy HTTPListenerPolicy BackendConfigPolicy': POLICY,
    Backend: settled('Accepted'),
  }),
  ...kindsOf('networking.istio.io', { '*': ISTIO }),
  ...kindsOf('security.istio.io', { '*': ISTIO }),
  ...kindsOf('telemetry.istio.io', { '*': ISTIO }),
  ...kindsOf('install.istio.io', {
    IstioOperator: byWord('status.status', {
      Healthy: ['HEALTHY'],
      Degraded: ['ERROR', 'ACTION_REQUIRED'],
      Progressing: ['RECONCILING', 'UPDATING'],
    }),
  }),
  ...kindsOf('sailoperator.io', { 'Istio IstioRevision IstioCNI ZTunnel': settled('Ready') }),
  ...kindsOf('projectcontour.io', {
    HTTPProxy: [
      ...byWord('status.currentStatus', { Healthy: ['valid'], Degraded: ['invalid', 'orphaned'] }),
      ...settled('Valid'),
    ],
    ExtensionService: settled('Valid'),
  }),
  ...kindsOf('getambassador.io', {
    Host: byWord('status.state', { Healthy: ['Ready'], Degraded: ['Error'] }),
    Mapping: {
      rules: [...byWord('status.state', { Healthy: ['Running'] }), degraded(has('status.reason'))],
      otherwise: 'Healthy',
    },
  }),
  ...kindsOf('k8s.nginx.org', {
    'VirtualServer VirtualServerRoute TransportServer Policy': byWord('status.state', {
      Healthy: ['Valid'],
      Degraded: ['Invalid', 'Warning', 'Rejected'],
    }),
  }),
  ...kindsOf('networking.gke.io', {
    ManagedCertificate: [
      healthy(at('status.certificateStatus', 'Active')),
      degraded(begins('status.certificateStatus', 'ProvisioningFailed', 'RenewalFailed')),
      each('status.domainStatus', [degraded(begins('status', 'Failed'))], 'Healthy'),
    ],
  }),
  ...kindsOf('route.openshift.io', {
    Route: {
      rules: [progressing(lacks('status.ingress')), each('status.ingress', settled('Admitted'))],
      otherwise: 'Healthy',
    },
  }),
  ...kindsOf('cilium.io', {
    'CiliumNetworkPolicy CiliumClusterwideNetworkPolicy': { rules: settled('Valid'), otherwise: 'Healthy' },
    CiliumEndpoint: byWord('status.state', { Healthy: ['ready'], Degraded: ['invalid'] }),
  }),
  ...kindsOf('elbv2.k8s.aws', {
    'TargetGroupBinding IngressClassParams': { rules: [], otherwise: 'Healthy' },
  }),
  ...kindsOf('gateway.k8s.aws', {
    'LoadBalancerConfiguration TargetGroupConfiguration': { rules: [], otherwise: 'Healthy' },
  }),
  ...kindsOf('externaldns.k8s.io', { DNSEndpoint: { rules: [], otherwise: 'Healthy' } }),
  ...kindsOf('configuration.konghq.com', {
    'KongPlugin KongClusterPlugin KongConsumer KongConsumerGroup KongUpstreamPolicy': {
      rules: settled('Programmed', 'Pending'),
      otherwise: 'Healthy',
    },
  }),
  ...kindsOf('tailscale.com', {
    'Connector ProxyGroup': allOf('Ready').concat(settled('ConnectorReady'), settled('ProxyGroupReady')),
    ProxyClass: settled('ProxyClassReady'),
  }),
];
