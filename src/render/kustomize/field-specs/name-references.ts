/**
 * The fields that contain the name of another object, and change when that name changes. Taken from the documentation
 * of kustomize 5.8. The entries must match the behaviour of kustomize, even where they look wrong.
 */
import type { FieldSpec } from '../field-spec.ts';
import type { Gvk } from '../resource-id.ts';
import { podSpecs, spec, type PodKind } from './pod-paths.ts';

/** A kind of object, and the fields that contain names of such objects. */
export interface NameReference extends Gvk {
  readonly fieldSpecs: readonly FieldSpec[];
}

const TEMPLATED: readonly PodKind[] = [
  'PodTemplate',
  'Deployment',
  'ReplicaSet',
  'DaemonSet',
  'StatefulSet',
  'Job',
  'CronJob',
];

const RUNNING: readonly PodKind[] = [
  'Pod',
  'StatefulSet',
  'Deployment',
  'ReplicationController',
  'CronJob',
  'Job',
  'DaemonSet',
];

const RBAC = 'rbac.authorization.k8s.io';

const ADMISSION = 'admissionregistration.k8s.io';

function fromPods(paths: readonly string[]): FieldSpec[] {
  return [...podSpecs(['Pod'], paths).map((one) => ({ ...one, version: 'v1' })), ...podSpecs(TEMPLATED, paths)];
}

function reference(kind: string, gv: Partial<Gvk>, fieldSpecs: readonly FieldSpec[]): NameReference {
  return { group: '', version: '', ...gv, kind, fieldSpecs };
}

const SCALED = [spec('spec/scaleTargetRef/name', 'HorizontalPodAutoscaler')];

const RULES = [spec('rules/resourceNames', 'Role'), spec('rules/resourceNames', 'ClusterRole')];

export const NAME_REFERENCES: readonly NameReference[] = [
  reference('Deployment', {}, SCALED),
  reference('ReplicationController', {}, SCALED),
  reference('ReplicaSet', {}, SCALED),
  reference('StatefulSet', {}, SCALED),
  reference('ConfigMap', { version: 'v1' }, [
    ...fromPods([
      'volumes/configMap/name',
      'containers/env/valueFrom/configMapKeyRef/name',
      'initContainers/env/valueFrom/configMapKeyRef/name',
      'containers/envFrom/configMapRef/name',
      'initContainers/envFrom/configMapRef/name',
      'volumes/projected/sources/configMap/name',
    ]),
    spec('spec/configSource/configMap', 'Node'),
    ...RULES,
    spec('metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap', 'Ingress'),
  ]),
  reference('Secret', { version: 'v1' }, [
    ...fromPods([
      'volumes/secret/secretName',
      'containers/env/valueFrom/secretKeyRef/name',
      'initContainers/env/valueFrom/secretKeyRef/name',
      'containers/envFrom/secretRef/name',
      'initContainers/envFrom/secretRef/name',
      'imagePullSecrets/name',
      'volumes/projected/sources/secret/name',
    ]),
    spec('spec/tls/secretName', 'Ingress'),
    spec('metadata/annotations/ingress.kubernetes.io\\/auth-secret', 'Ingress'),
    spec('metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret', 'Ingress'),
    spec('metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret', 'Ingress'),
    // The field is listed twice, so that the new name of one object is taken for the old name of another.
    spec('spec/tls/secretName', 'Ingress'),
    spec('imagePullSecrets/name', 'ServiceAccount'),
    spec('parameters/secretName', 'StorageClass'),
    spec('parameters/adminSecretName', 'StorageClass'),
    spec('parameters/userSecretName', 'StorageClass'),
    spec('parameters/secretRef', 'StorageClass'),
    ...RULES,
    spec('spec/template/spec/containers/env/valueFrom/secretKeyRef/name', 'Service', {
      group: 'serving.knative.dev',
      version: 'v1',
    }),
    spec('spec/azureFile/secretName', 'PersistentVolume'),
  ]),
  reference('Service', { version: 'v1' }, [
    spec('spec/serviceName', 'StatefulSet', { group: 'apps' }),
    spec('spec/rules/http/paths/backend/serviceName', 'Ingress'),
    spec('spec/backend/serviceName', 'Ingress'),
    spec('spec/rules/http/paths/backend/service/name', 'Ingress'),
    spec('spec/defaultBackend/service/name', 'Ingress'),
    spec('spec/service/name', 'APIService', { group: 'apiregistration.k8s.io' }),
    spec('webhooks/clientConfig/service', 'ValidatingWebhookConfiguration', { group: ADMISSION }),
    spec('webhooks/clientConfig/service', 'MutatingWebhookConfiguration', { group: ADMISSION }),
  ]),
  reference('Role', { group: RBAC }, [spec('roleRef/name', 'RoleBinding', { group: RBAC })]),
  reference('ClusterRole', { group: RBAC }, [
    spec('roleRef/name', 'RoleBinding', { group: RBAC }),
    spec('roleRef/name', 'ClusterRoleBinding', { group: RBAC }),
  ]),
  reference('ServiceAccount', { version: 'v1' }, [
    spec('subjects', 'RoleBinding', { group: RBAC }),
    spec('subjects', 'ClusterRoleBinding', { group: RBAC }),
    ...podSpecs(RUNNING, ['serviceAccountName']),
  ]),
  reference('PersistentVolumeClaim', { version: 'v1' }, podSpecs(RUNNING, ['volumes/persistentVolumeClaim/claimName'])),
  reference('PersistentVolume', { version: 'v1' }, [
    spec('spec/volumeName', 'PersistentVolumeClaim'),
    spec('rules/resourceNames', 'ClusterRole'),
  ]),
  reference('StorageClass', { group: 'storage.k8s.io', version: 'v1' }, [
    spec('spec/storageClassName', 'PersistentVolume'),
    spec('spec/storageClassName', 'PersistentVolumeClaim'),
    spec('spec/volumeClaimTemplates/spec/storageClassName', 'StatefulSet'),
  ]),
  reference('PriorityClass', { group: 'scheduling.k8s.io', version: 'v1' }, podSpecs(RUNNING, ['priorityClassName'])),
  // kustomize has the version in the group here, so this entry matches nothing.
  reference('IngressClass', { group: 'networking.k8s.io/v1', version: 'v1' }, [
    spec('spec/ingressClassName', 'Ingress'),
  ]),
  reference('ValidatingAdmissionPolicy', { group: ADMISSION }, [
    spec('spec/policyName', 'ValidatingAdmissionPolicyBinding', { group: ADMISSION }),
  ]),
];
