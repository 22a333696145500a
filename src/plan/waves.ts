/**
 * The order in which kinds are applied: kinds that others need come first. Deletion uses the reverse order. The order
 * saves retries but is not a gate: a failure only holds back objects that require the failed one.
 */
import type { ObjectId } from '../object/identity.ts';

interface WaveKinds {
  readonly name: string;
  /** `group/Kind`; the core group is empty. */
  readonly kinds: readonly string[];
}

export const WAVES: readonly WaveKinds[] = [
  { name: 'namespaces and definitions', kinds: ['/Namespace', 'apiextensions.k8s.io/CustomResourceDefinition'] },
  {
    name: 'policies and classes',
    kinds: [
      '/ResourceQuota',
      '/LimitRange',
      'networking.k8s.io/NetworkPolicy',
      'scheduling.k8s.io/PriorityClass',
      'storage.k8s.io/StorageClass',
      'storage.k8s.io/CSIDriver',
      'node.k8s.io/RuntimeClass',
      'networking.k8s.io/IngressClass',
    ],
  },
  { name: 'accounts and roles', kinds: ['/ServiceAccount', rbac('ClusterRole'), rbac('Role')] },
  { name: 'role bindings', kinds: [rbac('ClusterRoleBinding'), rbac('RoleBinding')] },
  {
    name: 'configuration and storage',
    kinds: ['/ConfigMap', '/Secret', '/PersistentVolume', '/PersistentVolumeClaim'],
  },
  { name: 'services', kinds: ['/Service', '/Endpoints', 'discovery.k8s.io/EndpointSlice'] },
  {
    name: 'workloads',
    kinds: [
      '/Pod',
      '/ReplicationController',
      'apps/Deployment',
      'apps/StatefulSet',
      'apps/DaemonSet',
      'apps/ReplicaSet',
      'batch/Job',
      'batch/CronJob',
    ],
  },
  {
    name: 'scaling and routing',
    kinds: ['policy/PodDisruptionBudget', 'autoscaling/HorizontalPodAutoscaler', 'networking.k8s.io/Ingress'],
  },
  { name: 'other kinds', kinds: [] },
  {
    name: 'admission and aggregation',
    kinds: [
      'apiregistration.k8s.io/APIService',
      'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
      'admissionregistration.k8s.io/MutatingWebhookConfiguration',
      'admissionregistration.k8s.io/ValidatingAdmissionPolicy',
      'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
      'admissionregistration.k8s.io/MutatingAdmissionPolicy',
      'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding',
    ],
  },
];

const OTHER_KINDS = WAVES.findIndex((wave) => wave.name === 'other kinds');
const WAVE_BY_KIND: ReadonlyMap<string, number> = new Map(
  WAVES.flatMap((wave, index) => wave.kinds.map((kind) => [kind, index] as const)),
);

/** The index in `WAVES` of an object's kind. */
export function waveOf(id: ObjectId): number {
  return WAVE_BY_KIND.get(`${id.group}/${id.kind}`) ?? OTHER_KINDS;
}

function rbac(kind: string): string {
  return `rbac.authorization.k8s.io/${kind}`;
}
