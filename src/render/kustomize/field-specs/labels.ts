/** The fields for the labels and annotations of a kustomization: metadata, templates and selectors. */
import type { FieldSpec } from '../field-spec.ts';
import { spec } from './pod-paths.ts';

const create = true;

/** The metadata of objects and of their templates. In kustomize the two tables differ in the group of StatefulSet. */
function metadataSpecs(field: 'labels' | 'annotations'): FieldSpec[] {
  return [
    spec(`metadata/${field}`, '', { create }),
    spec(`spec/template/metadata/${field}`, 'ReplicationController', { create, version: 'v1' }),
    spec(`spec/template/metadata/${field}`, 'Deployment', { create }),
    spec(`spec/template/metadata/${field}`, 'ReplicaSet', { create }),
    spec(`spec/template/metadata/${field}`, 'DaemonSet', { create }),
    spec(`spec/template/metadata/${field}`, 'StatefulSet', {
      create,
      ...(field === 'labels' ? { group: 'apps' } : {}),
    }),
    spec(`spec/template/metadata/${field}`, 'Job', { create, group: 'batch' }),
    spec(`spec/jobTemplate/metadata/${field}`, 'CronJob', { create, group: 'batch' }),
    spec(`spec/jobTemplate/spec/template/metadata/${field}`, 'CronJob', { create, group: 'batch' }),
  ];
}

/** Selectors in the pod templates of Deployments and StatefulSets. */
const POD_SELECTORS = [
  'affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector',
  'affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector',
  'affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector',
  'affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector',
  'topologySpreadConstraints/labelSelector',
];

function podSelectors(kind: string): FieldSpec[] {
  return POD_SELECTORS.map((path) => spec(`spec/template/spec/${path}/matchLabels`, kind, { group: 'apps' }));
}

export const TEMPLATE_LABELS = metadataSpecs('labels');

export const VOLUME_CLAIM_TEMPLATE_LABELS = [
  spec('spec/volumeClaimTemplates[]/metadata/labels', 'StatefulSet', { create, group: 'apps' }),
];

export const COMMON_LABELS: readonly FieldSpec[] = [
  spec('spec/selector', 'Service', { create, version: 'v1' }),
  spec('spec/selector', 'ReplicationController', { create, version: 'v1' }),
  spec('spec/selector/matchLabels', 'Deployment', { create }),
  ...podSelectors('Deployment'),
  spec('spec/selector/matchLabels', 'ReplicaSet', { create }),
  spec('spec/selector/matchLabels', 'DaemonSet', { create }),
  spec('spec/selector/matchLabels', 'StatefulSet', { create, group: 'apps' }),
  ...podSelectors('StatefulSet'),
  spec('spec/selector/matchLabels', 'Job', { group: 'batch' }),
  spec('spec/jobTemplate/spec/selector/matchLabels', 'CronJob', { group: 'batch' }),
  spec('spec/selector/matchLabels', 'PodDisruptionBudget', { group: 'policy' }),
  spec('spec/podSelector/matchLabels', 'NetworkPolicy', { group: 'networking.k8s.io' }),
  spec('spec/ingress/from/podSelector/matchLabels', 'NetworkPolicy', { group: 'networking.k8s.io' }),
  spec('spec/egress/to/podSelector/matchLabels', 'NetworkPolicy', { group: 'networking.k8s.io' }),
  ...TEMPLATE_LABELS,
  ...VOLUME_CLAIM_TEMPLATE_LABELS,
];

export const COMMON_ANNOTATIONS = metadataSpecs('annotations');
