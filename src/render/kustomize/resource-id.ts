/**
 * Ids as kustomize compares them: group, version, kind, name and effective namespace. A kind is cluster-scoped only if
 * it is in the table below; an object of any other kind without a namespace counts as being in `default`.
 */
import { textOf, isYamlMap, type YamlMap } from '../../object/yaml/node.ts';

export interface Gvk {
  /** In a selector an empty member matches everything. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface ResourceId extends Gvk {
  readonly name: string;
  /** As written, or the effective namespace for a previous id. */
  readonly namespace: string;
}

/** The effective namespace of a cluster-scoped object. */
export const NO_NAMESPACE = '_non_namespaceable_';

export function gvkOf(node: YamlMap): Gvk {
  const apiVersion = textOf(node.get('apiVersion'));
  const slash = apiVersion.indexOf('/');
  return {
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind: textOf(node.get('kind')),
  };
}

export function currentId(node: YamlMap): ResourceId {
  const metadata = node.get('metadata');
  const isMetadata = isYamlMap(metadata);
  return {
    ...gvkOf(node),
    name: isMetadata ? textOf(metadata.get('name')) : '',
    namespace: isMetadata ? textOf(metadata.get('namespace')) : '',
  };
}

export function isClusterScoped(gvk: Gvk): boolean {
  return CLUSTER_SCOPED.get(gvk.kind)?.includes(gvk.group ? `${gvk.group}/${gvk.version}` : gvk.version) ?? false;
}

export function effectiveNamespace(id: ResourceId): string {
  if (isClusterScoped(id)) return NO_NAMESPACE;
  return id.namespace === '' ? 'default' : id.namespace;
}

/** A key that is equal exactly for ids that kustomize considers equal. */
export function keyOf(id: ResourceId): string {
  return `${id.group}/${id.version}/${id.kind}/${effectiveNamespace(id)}/${id.name}`;
}

/** Whether a selector matches a kind; empty members of the selector match everything. */
export function isSelected(gvk: Gvk, selector: Gvk): boolean {
  return (
    (selector.group === '' || selector.group === gvk.group) &&
    (selector.version === '' || selector.version === gvk.version) &&
    (selector.kind === '' || selector.kind === gvk.kind)
  );
}

/** `Deployment.v1.apps/web.[noNs]`, as kustomize prints it. */
export function formatResourceId(id: ResourceId): string {
  const gvk = `${id.kind || '[noKind]'}.${id.version || '[noVer]'}.${id.group || '[noGrp]'}`;
  return `${gvk}/${id.name || '[noName]'}.${id.namespace || '[noNs]'}`;
}

/** The kinds that kustomize knows as cluster-scoped, with the apiVersions for which it knows that. */
const CLUSTER_SCOPED = new Map<string, readonly string[]>([
  ['APIService', ['apiregistration.k8s.io/v1', 'apiregistration.k8s.io/v1beta1']],
  ['CSIDriver', ['storage.k8s.io/v1', 'storage.k8s.io/v1beta1']],
  ['CSINode', ['storage.k8s.io/v1', 'storage.k8s.io/v1beta1']],
  ['CertificateSigningRequest', ['certificates.k8s.io/v1', 'certificates.k8s.io/v1beta1']],
  ['ClusterRole', ['rbac.authorization.k8s.io/v1', 'rbac.authorization.k8s.io/v1beta1']],
  ['ClusterRoleBinding', ['rbac.authorization.k8s.io/v1', 'rbac.authorization.k8s.io/v1beta1']],
  ['ComponentStatus', ['v1']],
  ['CustomResourceDefinition', ['apiextensions.k8s.io/v1', 'apiextensions.k8s.io/v1beta1']],
  ['FlowSchema', ['flowcontrol.apiserver.k8s.io/v1beta1']],
  ['IngressClass', ['networking.k8s.io/v1', 'networking.k8s.io/v1beta1']],
  ['MutatingWebhookConfiguration', ['admissionregistration.k8s.io/v1', 'admissionregistration.k8s.io/v1beta1']],
  ['Namespace', ['v1']],
  ['Node', ['v1']],
  ['NodeProxyOptions', ['v1']],
  ['PersistentVolume', ['v1']],
  ['PodSecurityPolicy', ['policy/v1beta1']],
  ['PriorityClass', ['scheduling.k8s.io/v1', 'scheduling.k8s.io/v1beta1']],
  ['PriorityLevelConfiguration', ['flowcontrol.apiserver.k8s.io/v1beta1']],
  ['RuntimeClass', ['node.k8s.io/v1', 'node.k8s.io/v1beta1']],
  ['StorageClass', ['storage.k8s.io/v1', 'storage.k8s.io/v1beta1']],
  ['ValidatingAdmissionPolicy', ['admissionregistration.k8s.io/v1']],
  ['ValidatingAdmissionPolicyBinding', ['admissionregistration.k8s.io/v1']],
  ['ValidatingWebhookConfiguration', ['admissionregistration.k8s.io/v1', 'admissionregistration.k8s.io/v1beta1']],
  ['VolumeAttachment', ['storage.k8s.io/v1', 'storage.k8s.io/v1beta1']],
]);
