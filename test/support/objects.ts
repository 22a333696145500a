/**
 * Builders of the Kubernetes objects that tests put into repositories and send to API servers. Fields that a test gives
 * win over the defaults; `undefined` removes a default.
 */
import type { KindInfo } from '../../src/cluster/kinds.ts';
import type { KubeObject } from '../../src/object/value.ts';

/** An object, or a part of one, as a test writes it. */
export type Manifest = Record<string, unknown>;

/** ConfigMaps as discovery finds them. */
export const CONFIG_MAPS: KindInfo = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  isNamespaced: true,
  hasStatus: false,
  isWatchable: true,
};

/** The text of a file with these manifests, for a repository. JSON is YAML. */
export function text(...manifests: Manifest[]): string {
  return manifests.map((manifest) => JSON.stringify(manifest, null, 2)).join('\n---\n');
}

export function configMap(name: string, data: Record<string, string> = {}, metadata: Manifest = {}): KubeObject {
  return objectOf('v1 ConfigMap', { name, ...metadata }, { data });
}

/** `fields` are `data`, `stringData`, `type` and the like. */
export function secret(name: string, fields: Manifest, metadata: Manifest = {}): KubeObject {
  return objectOf('v1 Secret', { name, ...metadata }, fields);
}

export function namespaceManifest(name: string, metadata: Manifest = {}): KubeObject {
  return objectOf('v1 Namespace', { name, ...metadata });
}

export function service(name: string, spec: Manifest): KubeObject {
  return objectOf('v1 Service', { name }, { spec });
}

/** A PersistentVolumeClaim, by default for 1 GiB and ReadWriteOnce. */
export function volumeClaim(name: string, spec: Manifest = {}, metadata: Manifest = {}): KubeObject {
  const defaults = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  return objectOf('v1 PersistentVolumeClaim', { name, ...metadata }, { spec: { ...defaults, ...spec } });
}

/** A HorizontalPodAutoscaler for the Deployment of the same name. */
export function autoscaler(name: string, spec: Manifest): KubeObject {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name };
  return objectOf('autoscaling/v2 HorizontalPodAutoscaler', { name }, { spec: { scaleTargetRef, ...spec } });
}

export interface WorkloadOptions {
  readonly metadata?: Manifest;
  /** Metadata of the Pods, beside their label. */
  readonly template?: Manifest;
  /** Fields of the Pods' spec. */
  readonly pod?: Manifest;
  readonly spec?: Manifest;
}

/** One replica (a DaemonSet has one a node) of a Pod with the label `app: <name>` and one container `app`. */
export function workload(
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet',
  name: string,
  { metadata, template, pod, spec }: WorkloadOptions = {},
): KubeObject {
  const labels = { app: name };
  const fields = {
    ...(kind === 'DaemonSet' ? {} : { replicas: 1 }),
    selector: { matchLabels: labels },
    template: { metadata: { labels, ...template }, spec: podSpec(pod) },
    ...spec,
  };
  return objectOf(`apps/v1 ${kind}`, { name, ...metadata }, { spec: withoutAbsent(fields) });
}

/** A Job that is not retried when its Pod fails. */
export function job(name: string, { metadata, template, pod, spec }: WorkloadOptions = {}): KubeObject {
  const pods = {
    metadata: { labels: { app: name }, ...template },
    spec: podSpec({ restartPolicy: 'Never', ...pod }),
  };
  return objectOf('batch/v1 Job', { name, ...metadata }, { spec: { backoffLimit: 0, template: pods, ...spec } });
}

export function podSpec(fields: Manifest = {}): Manifest {
  const requests = { cpu: '10m' };
  return { containers: [{ name: 'app', image: 'example.invalid/app:1', resources: { requests } }], ...fields };
}

/** A schema that accepts every field. */
export const ANY_FIELDS: Manifest = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

export interface DefinitionOptions {
  readonly group: string;
  readonly kind: string;
  /** Default: the kind in lower case with an `s`. */
  readonly plural?: string;
  /** The name of the one version. Default: v1. */
  readonly version?: string;
  /** OpenAPI schema of that version. Default: a schema that accepts every field. */
  readonly schema?: Manifest;
  /** Whether `status` is a subresource. */
  readonly hasStatus?: boolean;
  /** Replaces the one version. */
  readonly versions?: readonly Manifest[];
}

/** A CustomResourceDefinition of a namespaced kind. */
export function definition(options: DefinitionOptions): KubeObject {
  const { group, version = 'v1', kind, plural = `${kind.toLowerCase()}s`, schema = ANY_FIELDS } = options;
  const only = {
    name: version,
    served: true,
    storage: true,
    ...(options.hasStatus === true ? { subresources: { status: {} } } : {}),
    schema: { openAPIV3Schema: schema },
  };
  const spec = {
    group,
    scope: 'Namespaced',
    names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
    versions: options.versions ?? [only],
  };
  return objectOf('apiextensions.k8s.io/v1 CustomResourceDefinition', { name: `${plural}.${group}` }, { spec });
}

/** An Application, in the namespace `apps` unless the metadata name another. */
export function applicationManifest(name: string, spec: unknown, metadata: Manifest = {}): KubeObject {
  return objectOf('tautline.dev/v1alpha1 Application', { name, namespace: 'apps', ...metadata }, { spec });
}

/** An object of a type such as `apps/v1 Deployment`; `fields` are `spec` and the like. */
export function objectOf(type: `${string} ${string}`, metadata: Manifest, fields: Manifest = {}): KubeObject {
  const [apiVersion, kind] = type.split(' ');
  return { apiVersion, kind, metadata: withoutAbsent(metadata), ...fields } as KubeObject;
}

function withoutAbsent(fields: Manifest): Manifest {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
