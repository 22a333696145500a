/**
 * What is known of the built-in kinds beyond their objects: where quantities stand, what the server fills in, which
 * groups are built in at all. Data only. Objects of other groups are compared strictly: the server drops nothing there.
 */
import { isEqualValue, type Value } from '../object/value.ts';

export const BUILT_IN_GROUPS: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
]);

/** Fields that are a quantity themselves. */
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

/** Under these, names are the user's: they say nothing about types, and the server fills in none. */
const FREE_MAPS: ReadonlySet<string> = new Set([
  'annotations',
  'binaryData',
  'data',
  'labels',
  'matchLabels',
  'nodeSelector',
]);

export function isFreeMap(token: string | undefined): boolean {
  return token !== undefined && FREE_MAPS.has(token);
}

/** Whether a quantity stands at a path (reference tokens) of a built-in kind. */
export function isQuantityPath(kind: string, tokens: readonly string[]): boolean {
  // A schema holds any JSON, under any name.
  if (kind === 'CustomResourceDefinition') return false;
  const last = tokens[tokens.length - 1] ?? '';
  const parent = tokens[tokens.length - 2] ?? '';
  if (QUANTITY_MAPS.has(parent)) return true;
  if (last === 'value') return parent === 'target' || tokens[tokens.length - 3] === 'capacity';
  return QUANTITY_FIELDS.has(last) && !FREE_MAPS.has(parent);
}

/** Whether bytes in base64 stand at a path of a built-in kind: white space means nothing there. */
export function isBase64Path(kind: string, tokens: readonly string[]): boolean {
  if (tokens[tokens.length - 1] === 'caBundle') return true;
  return (kind === 'Secret' && tokens[0] === 'data') || (kind === 'ConfigMap' && tokens[0] === 'binaryData');
}

/** What a missing part of a list item's key counts as in built-in kinds. */
export const KEY_DEFAULTS: ReadonlyMap<string, Value> = new Map([['protocol', 'TCP']]);

/** Structs whose empty form `{}` sets nothing: what is live in them came from defaults or from others. */
export const EMPTY_STRUCTS: ReadonlySet<string> = new Set([
  'affinity',
  'lifecycle',
  'metadata',
  'resources',
  'rollingUpdate',
  'securityContext',
  'strategy',
  'updateStrategy',
]);

/** Lists that pod specs merge by key, for where no field set tells. */
const POD_LISTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['containers', ['name']],
  ['initContainers', ['name']],
  ['ephemeralContainers', ['name']],
  ['volumes', ['name']],
  ['imagePullSecrets', ['name']],
  ['hostAliases', ['ip']],
  ['topologySpreadConstraints', ['topologyKey', 'whenUnsatisfiable']],
]);

/** The same of containers. */
const CONTAINER_LISTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['env', ['name']],
  ['ports', ['containerPort', 'protocol']],
  ['volumeMounts', ['mountPath']],
  ['volumeDevices', ['devicePath']],
]);

/** The keys of a built-in kind's keyed list, or undefined where it is not known to be one. */
export function keysOfList(kind: string, tokens: readonly string[]): readonly string[] | undefined {
  const last = tokens[tokens.length - 1] ?? '';
  const parent = tokens[tokens.length - 2] ?? '';
  if (kind === 'Service') return last === 'ports' && parent === 'spec' ? ['port', 'protocol'] : undefined;
  if (parent === 'spec') return POD_LISTS.get(last);
  return /^(containers|initContainers)$/.test(tokens[tokens.length - 3] ?? '') ? CONTAINER_LISTS.get(last) : undefined;
}

interface KnownDefault {
  readonly field: string;
  /** The name of the field that holds it (list indexes left out); absent: any. */
  readonly within?: string;
  readonly values: readonly Value[];
}

/**
 * What the server fills in inside atomic values. Where Git leaves such a field out, sending it again fills in the same,
 * so it is no difference.
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
];

export function isKnownDefault(tokens: readonly string[], value: Value): boolean {
  const field = tokens[tokens.length - 1];
  let within: string | undefined;
  for (const known of KNOWN_DEFAULTS) {
    if (known.field !== field || !known.values.some((one) => isEqualValue(one, value))) continue;
    within ??= holderOf(tokens);
    if (known.within === undefined || known.within === within) return true;
  }
  return false;
}

function holderOf(tokens: readonly string[]): string {
  for (let index = tokens.length - 2; index >= 0; index--) {
    const token = tokens[index] ?? '';
    if (!/^\d+$/.test(token)) return token;
  }
  return '';
}
