/** The fields in which `$(VAR)` is replaced. */
import type { FieldSpec } from '../field-spec.ts';
import { podSpecs, spec, type PodKind } from './pod-paths.ts';

const KINDS: readonly PodKind[] = ['CronJob', 'DaemonSet', 'Deployment', 'Job', 'Pod', 'ReplicaSet', 'StatefulSet'];

const IN_CONTAINERS = ['args', 'command', 'env/value', 'volumeMounts/mountPath'];

export const VAR_REFERENCES: readonly FieldSpec[] = [
  ...podSpecs(KINDS, [
    ...IN_CONTAINERS.map((path) => `containers/${path}`),
    ...IN_CONTAINERS.map((path) => `initContainers/${path}`),
  ]),
  ...podSpecs(['DaemonSet', 'Deployment', 'Job', 'Pod', 'ReplicaSet'], ['volumes/nfs/server']),
  // kustomize has the first path without `spec` at the end, and the second one for claims instead of volumes.
  spec('spec/jobTemplate/spec/template/volumes/nfs/server', 'CronJob'),
  spec('spec/volumeClaimTemplates/spec/nfs/server', 'StatefulSet'),
  spec('spec/template/metadata/annotations', 'Deployment'),
  spec('spec/rules/host', 'Ingress'),
  spec('spec/tls/hosts', 'Ingress'),
  spec('spec/tls/secretName', 'Ingress'),
  spec('spec/ports/port', 'Service'),
  spec('spec/ports/targetPort', 'Service'),
  spec('spec/nfs/server', 'PersistentVolume'),
  spec('metadata/labels'),
  spec('metadata/annotations'),
];
