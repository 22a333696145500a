/**
 * Tables about built-in kinds: the paths of quantities, and the values that the server fills in. Objects of other
 * groups are compared strictly, since the server drops no zero values there.
 */
import { isEqualValue, type Value } from '../object/value.ts';

/** Fields whose value is a quantity. */
const QUANTITY_FIELDS: ReadonlySet<string> = new Set(['averageValue', 'divisor', 'maximumVolumeSize', 'sizeLimit']);

/** Maps whose every value is a quantity. */
const QUANTITY_MAPS: ReadonlySet<string> = new Set([
  'allocatable',
  'allocatedResources',
  'capacity',
  'default',
  'defaultRequest',
  'hard',
  'limits',
  'max',
  'maxLimitRequestRatio',
  'min',
  'overhead',
  'podFixed',
  'requests',
  'used',
]);

/** Maps with free names. A name in them says nothing about its type, and the server adds none. */
const FREE_MAPS: ReadonlySet<string> = new Set([
  'annotations',
  'binaryData',
  'data',
  'labels',
  'matchLabels',
  'nodeSelector',
]);

/** Maps of texts, those inside atomic values included. */
const TEXT_MAPS: ReadonlySet<string> = new Set([
  ...FREE_MAPS,
  'attributes',
  'options',
  'parameters',
  'selector',
  'volumeAttributes',
]);

/** Whether a path leads to an entry of a map. The server stores such an entry even if it is empty. */
export function isEntryOfMap(tokens: readonly string[]): boolean {
  const parent = tokens[tokens.length - 2] ?? '';
  return TEXT_MAPS.has(parent) || QUANTITY_MAPS.has(parent);
}

/** Fields of structs inside atomic lists that are pointers in Go, so that the server stores their zero values. */
const POINTER_FIELDS: ReadonlySet<string> = new Set([
  'adminAccess',
  'appProtocol',
  'averageUtilization',
  'blockOwnerDeletion',
  'containerName',
  'controller',
  'endPort',
  'exact',
  'expirationSeconds',
  'hostname',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minItems',
  'minLength',
  'minProperties',
  'minimum',
  'mode',
  'multipleOf',
  'nodeName',
  'optional',
  'options.value',
  'port',
  'ready',
  'reason',
  'serving',
  'storageClassName',
  'terminating',
  'tolerationSeconds',
  'volumeMode',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-preserve-unknown-fields',
  'zone',
]);

export function isPointerField(tokens: readonly string[]): boolean {
  const field = tokens[tokens.length - 1] ?? '';
  return POINTER_FIELDS.has(field) || POINTER_FIELDS.has(`${parentField(tokens)}.${field}`);
}

/** Whether a path holds any JSON, which the server stores as it is. */
export function isFreeForm(kind: string, tokens: readonly string[]): boolean {
  if (kind !== 'CustomResourceDefinition') return false;
  return tokens.includes('default') || tokens.includes('example') || tokens.includes('enum');
}

export function isFreeMap(token: string | undefined): boolean {
  return token !== undefined && FREE_MAPS.has(token);
}

/** Whether a path (reference tokens) of a built-in kind holds a quantity. */
export function isQuantityPath(kind: string, tokens: readonly string[]): boolean {
  // A schema holds any JSON under any name.
  if (kind === 'CustomResourceDefinition') return false;
  const last = tokens[tokens.length - 1] ?? '';
  const parent = tokens[tokens.length - 2] ?? '';
  if (QUANTITY_MAPS.has(parent)) return true;
  if (last === 'value') return parent === 'target' || tokens[tokens.length - 3] === 'capacity';
  return QUANTITY_FIELDS.has(last) && !FREE_MAPS.has(parent);
}

/** Whether a path of a built-in kind holds base64, in which white space has no meaning. */
export function isBase64Path(kind: string, tokens: readonly string[]): boolean {
  if (tokens[tokens.length - 1] === 'caBundle') return true;
  return (kind === 'Secret' && tokens[0] === 'data') || (kind === 'ConfigMap' && tokens[0] === 'binaryData');
}

/** By key field of a list item in built-in kinds: the value that a missing field counts as. */
export const KEY_DEFAULTS: ReadonlyMap<string, Value> = new Map([['protocol', 'TCP']]);

/** Structs that are merged by field. An empty `{}` sets nothing, and live fields in it are not ours. */
export const EMPTY_STRUCTS: ReadonlySet<string> = new Set([
  'affinity',
  'behavior',
  'conversion',
  'lifecycle',
  'limited',
  'metadata',
  'persistentVolumeClaimRetentionPolicy',
  'queuing',
  'resources',
  'rollingUpdate',
  'scaleDown',
  'scaleUp',
  'securityContext',
  'spec',
  'strategy',
  'template',
  'updateStrategy',
]);

/** Lists of a pod spec that are merged by key, for paths that no field set describes. */
const POD_LISTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['containers', ['name']],
  ['initContainers', ['name']],
  ['ephemeralContainers', ['name']],
  ['volumes', ['name']],
  ['imagePullSecrets', ['name']],
  ['hostAliases', ['ip']],
  ['topologySpreadConstraints', ['topologyKey', 'whenUnsatisfiable']],
]);

/** Lists of a container that are merged by key. */
const CONTAINER_LISTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['env', ['name']],
  ['ports', ['containerPort', 'protocol']],
  ['volumeMounts', ['mountPath']],
  ['volumeDevices', ['devicePath']],
]);

/** Merge keys of a list of a built-in kind; undefined if it is not known to be merged by key. */
export function keysOfList(kind: string, tokens: readonly string[]): readonly string[] | undefined {
  const last = tokens[tokens.length - 1] ?? '';
  const parent = tokens[tokens.length - 2] ?? '';
  if (kind === 'Service') return last === 'ports' && parent === 'spec' ? ['port', 'protocol'] : undefined;
  if (parent === 'spec') return POD_LISTS.get(last);
  return /^(containers|initContainers)$/.test(tokens[tokens.length - 3] ?? '') ? CONTAINER_LISTS.get(last) : undefined;
}

/** Whether the server sets the value itself, whatever is applied. */
export function isForcedByServer(kind: string, tokens: readonly string[]): boolean {
  return kind === 'Namespace' && tokens[tokens.length - 1] === 'kubernetes.io/metadata.name';
}

interface KnownDefault {
  readonly field: string;
  /** Name of the parent field, list indexes skipped; absent: any. */
  readonly within?: string;
  readonly values: readonly Value[];
}

/**
 * Values that the server fills in inside atomic values. If Git leaves such a field out, the next apply gets the same
 * value again, so it is not a difference. Specification: the `SetDefaults_` functions of k8s.io/kubernetes/pkg/apis.
 */
const KNOWN_DEFAULTS: readonly KnownDefault[] = [
  { field: 'apiGroup', within: 'subjects', values: ['rbac.authorization.k8s.io', ''] },
  { field: 'apiGroup', within: 'roleRef', values: ['rbac.authorization.k8s.io'] },
  { field: 'protocol', within: 'ports', values: ['TCP'] },
  { field: 'scope', within: 'rules', values: ['*'] },
  { field: 'scope', within: 'resourceRules', values: ['*'] },
  { field: 'scope', within: 'excludeResourceRules', values: ['*'] },
  { field: 'apiVersion', within: 'fieldRef', values: ['v1'] },
  { field: 'divisor', within: 'resourceFieldRef', values: ['0'] },
  { field: 'expirationSeconds', within: 'serviceAccountToken', values: [3600] },
  { field: 'apiVersion', within: 'volumeClaimTemplates', values: ['v1'] },
  { field: 'kind', within: 'volumeClaimTemplates', values: ['PersistentVolumeClaim'] },
  { field: 'volumeMode', within: 'spec', values: ['Filesystem'] },
  { field: 'phase', within: 'status', values: ['Pending'] },
  { field: 'matchPolicy', within: 'matchConstraints', values: ['Equivalent'] },
  { field: 'namespaceSelector', within: 'matchConstraints', values: [{}] },
  { field: 'objectSelector', within: 'matchConstraints', values: [{}] },
  { field: 'matchPolicy', within: 'matchResources', values: ['Equivalent'] },
  { field: 'namespaceSelector', within: 'matchResources', values: [{}] },
  { field: 'objectSelector', within: 'matchResources', values: [{}] },
  { field: 'conditions', within: 'endpoints', values: [{}] },
  { field: 'name', within: 'ports', values: [''] },
  { field: 'status', within: 'onPodConditions', values: ['True'] },
  { field: 'allocationMode', within: 'exactly', values: ['ExactCount'] },
  { field: 'count', within: 'exactly', values: [1] },
  { field: 'allocationMode', within: 'firstAvailable', values: ['ExactCount'] },
  { field: 'count', within: 'firstAvailable', values: [1] },
];

/** Defaults of fields that are not pointers in Go: an empty value counts as left out, inside atomic values or not. */
const DEFAULTS_OF_EMPTY: readonly KnownDefault[] = [
  { field: 'concurrencyPolicy', within: 'spec', values: ['Allow'] },
  { field: 'dnsPolicy', within: 'spec', values: ['ClusterFirst'] },
  { field: 'externalTrafficPolicy', within: 'spec', values: ['Cluster'] },
  { field: 'failureThreshold', values: [3] },
  { field: 'periodSeconds', values: [10] },
  { field: 'persistentVolumeReclaimPolicy', within: 'spec', values: ['Retain'] },
  { field: 'podManagementPolicy', within: 'spec', values: ['OrderedReady'] },
  { field: 'restartPolicy', within: 'spec', values: ['Always'] },
  { field: 'schedulerName', within: 'spec', values: ['default-scheduler'] },
  { field: 'scheme', within: 'httpGet', values: ['HTTP'] },
  { field: 'sessionAffinity', within: 'spec', values: ['None'] },
  { field: 'successThreshold', values: [1] },
  { field: 'terminationMessagePath', within: 'containers', values: ['/dev/termination-log'] },
  { field: 'terminationMessagePath', within: 'initContainers', values: ['/dev/termination-log'] },
  { field: 'terminationMessagePolicy', within: 'containers', values: ['File'] },
  { field: 'terminationMessagePolicy', within: 'initContainers', values: ['File'] },
  { field: 'timeoutSeconds', values: [1] },
  { field: 'type', within: 'spec', values: ['ClusterIP'] },
  { field: 'type', within: 'strategy', values: ['RollingUpdate'] },
  { field: 'type', within: 'updateStrategy', values: ['RollingUpdate'] },
  { field: 'type', within: '', values: ['Opaque'] },
];

/** Whether the server fills in this value if Git leaves the field out of an atomic value. */
export function isKnownDefault(tokens: readonly string[], value: Value): boolean {
  return isListed(KNOWN_DEFAULTS, tokens, value);
}

/** Whether the server fills in this value if Git has an empty one. */
export function isDefaultOfEmpty(tokens: readonly string[], value: Value): boolean {
  return isListed(DEFAULTS_OF_EMPTY, tokens, value) || isListed(KNOWN_DEFAULTS, tokens, value);
}

function isListed(defaults: readonly KnownDefault[], tokens: readonly string[], value: Value): boolean {
  const field = tokens[tokens.length - 1];
  let within: string | undefined;
  for (const known of defaults) {
    if (known.field !== field || !known.values.some((one) => isEqualValue(one, value))) continue;
    within ??= parentField(tokens);
    if (known.within === undefined || known.within === within) return true;
  }
  return false;
}

/** The name of the nearest field above a path, list indexes skipped; '' at the root. */
function parentField(tokens: readonly string[]): string {
  for (let index = tokens.length - 2; index >= 0; index--) {
    const token = tokens[index] ?? '';
    if (!/^\d+$/.test(token)) return token;
  }
  return '';
}
