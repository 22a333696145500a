/**
 * Builds the body to send for a manifest: adds the owner marks, and removes the fields that belong to the server.
 *
 * Invariant: the manifest is not modified; unchanged parts are shared with it. A bound body without its owner marks
 * binds to the same body again.
 */
import type { KindInfo } from '../cluster/kinds.ts';
import { OWNER_ANNOTATION, PART_OF_LABEL, type Owner } from '../object/applyset.ts';
import { digestValue } from '../object/digest.ts';
import { formatId, type ObjectId } from '../object/identity.ts';
import type { Problem } from '../object/problem.ts';
import { isSecret } from '../object/redact.ts';
import { isMap, newMap, own, stringAt, type KubeObject, type Value, type ValueMap } from '../object/value.ts';
import type { Manifest } from '../render/manifests.ts';
import { problemOf } from './place-manifest.ts';

/** Fields that only the server writes. In a request they would be refused, or act as an outdated precondition. */
const SERVER_METADATA = [
  'managedFields',
  'uid',
  'resourceVersion',
  'generation',
  'selfLink',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];
/** State of kubectl's client-side apply. cluster/ removes it from live objects. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

interface BodyOptions {
  readonly id: ObjectId;
  readonly kind: KindInfo;
  readonly owner: Owner;
}

export interface BoundBody {
  readonly body: KubeObject;
  /** `digestValue(body)`. */
  readonly digest: string;
}

export function bindBody(manifest: Manifest, options: BodyOptions): BoundBody | { readonly problem: Problem } {
  const { object } = manifest;
  if (stringAt(object, 'sops', 'mac') !== undefined && !isOpenedByController(options.id)) {
    return sealed(manifest, options.id);
  }
  const metadata = bindMetadata(manifest, options);
  if ('problem' in metadata) return { problem: metadata.problem };
  const body = newMap() as KubeObject;
  for (const key of Object.keys(object)) {
    if (key === 'status' && options.kind.hasStatus) continue;
    body[key] = key === 'metadata' ? metadata.value : withoutNullTimestamps(object[key] ?? null);
  }
  if (isSecret(object)) {
    const problem = foldStringData(manifest, body, options.id);
    if (problem) return problem;
  }
  if (options.kind.group === 'apps' && options.kind.kind === 'StatefulSet') dropClaimStatus(body);
  if (isAggregated(body, options.kind)) delete body['rules'];
  return { body, digest: digestValue(body) };
}

function sealed(manifest: Manifest, id: ObjectId): { readonly problem: Problem } {
  return problemOf(manifest, {
    code: 'Sealed',
    message: `${formatId(id)} is sealed by SOPS.`,
    object: id,
    hint: 'Seal a file of the repository as a whole, and name the Secret with the keys in spec.render.decryption.',
  });
}

/** The controller of this kind opens its objects in the cluster. */
function isOpenedByController({ group, kind }: ObjectId): boolean {
  return group === 'isindir.github.com' && kind === 'SopsSecret';
}

function bindMetadata(
  manifest: Manifest,
  { id, kind, owner }: BodyOptions,
): { readonly value: ValueMap } | { readonly problem: Problem } {
  const { metadata } = manifest.object;
  const ownerReferences = own(metadata, 'ownerReferences');
  if (Array.isArray(ownerReferences) ? ownerReferences.length > 0 : isMap(ownerReferences)) {
    return reserved(manifest, id, 'metadata.ownerReferences', 'the uid of an owner differs from cluster to cluster');
  }
  const labels = stringsOf(metadata, 'labels');
  const annotations = stringsOf(metadata, 'annotations');
  if (!labels || !annotations) {
    const field = labels ? 'annotations' : 'labels';
    return problemOf(manifest, {
      code: 'InvalidObject',
      message: `${formatId(id)}: metadata.${field} is not a map.`,
      object: id,
      hint: 'Write it as a map from names to strings.',
    });
  }
  if (Object.hasOwn(labels, PART_OF_LABEL)) return reserved(manifest, id, `the label ${PART_OF_LABEL}`, MARKS);
  if (Object.hasOwn(annotations, OWNER_ANNOTATION)) {
    return reserved(manifest, id, `the annotation ${OWNER_ANNOTATION}`, MARKS);
  }
  labels[PART_OF_LABEL] = owner.applySetId;
  annotations[OWNER_ANNOTATION] = owner.ownerAnnotation;
  delete annotations[LAST_APPLIED];
  const value = newMap();
  for (const key of Object.keys(metadata)) {
    if (!SERVER_METADATA.includes(key) && !SET_HERE.includes(key)) value[key] = metadata[key] ?? null;
  }
  value['name'] = id.name;
  if (kind.isNamespaced) value['namespace'] = id.namespace;
  value['labels'] = labels;
  value['annotations'] = annotations;
  return { value };
}

/** Set by bindMetadata, or without meaning: `generateName` beside a name, and empty `ownerReferences`. */
const SET_HERE = ['name', 'namespace', 'generateName', 'ownerReferences', 'labels', 'annotations'];
const MARKS = 'Tautline sets it to mark its own objects';

/** Copies a map of labels or annotations; undefined if the value is not a map. */
function stringsOf(metadata: ValueMap, key: string): ValueMap | undefined {
  const value = own(metadata, key);
  if (value === undefined || value === null) return newMap();
  if (!isMap(value)) return undefined;
  return newMap(Object.keys(value).map((name) => [name, value[name] ?? null] as const));
}

function reserved(manifest: Manifest, id: ObjectId, field: string, why: string): { readonly problem: Problem } {
  return problemOf(manifest, {
    code: 'ReservedField',
    message: `${formatId(id)} sets ${field}: ${why}.`,
    object: id,
    hint: `Remove ${field} from the manifest.`,
  });
}

/**
 * Converts `stringData` to `data`, where it takes precedence as on the server. If `stringData` itself were applied, we
 * would not own the resulting `data`: changes by others would go unnoticed, and removed entries would never be deleted.
 */
function foldStringData(manifest: Manifest, body: KubeObject, id: ObjectId): { readonly problem: Problem } | undefined {
  const stringData = own(body, 'stringData');
  if (stringData === undefined) return undefined;
  delete body['stringData'];
  if (stringData === null) return undefined;
  const data = own(body, 'data') ?? null;
  const texts = isMap(stringData) ? Object.entries(stringData) : undefined;
  const invalid = texts?.find(([, text]) => typeof text !== 'string' && text !== null)?.[0];
  if (!texts || invalid !== undefined || (data !== null && !isMap(data))) {
    const where = invalid === undefined ? 'data or stringData is not a map' : `stringData.${invalid} is not a string`;
    return problemOf(manifest, {
      code: 'InvalidObject',
      message: `${formatId(id)}: ${where}.`,
      object: id,
      hint: 'Quote values that read as numbers, booleans or dates.',
    });
  }
  const folded = newMap(Object.entries(data ?? {}));
  for (const [key, text] of texts) folded[key] = Buffer.from(String(text ?? ''), 'utf8').toString('base64');
  body['data'] = folded;
  return undefined;
}

/** Removes `metadata.creationTimestamp: null`, which Go programs print in pod and claim templates, at any depth. */
function withoutNullTimestamps(value: Value): Value {
  if (Array.isArray(value)) {
    let copy: Value[] | undefined;
    for (let index = 0; index < value.length; index++) {
      const item = value[index] as Value;
      const clean = withoutNullTimestamps(item);
      if (clean !== item) (copy ??= [...value])[index] = clean;
    }
    return copy ?? value;
  }
  if (!isMap(value)) return value;
  let copy: ValueMap | undefined;
  for (const key of Object.keys(value)) {
    const member = value[key] as Value;
    let clean = withoutNullTimestamps(member);
    if (key === 'metadata' && isMap(clean) && own(clean, 'creationTimestamp') === null) {
      clean = newMap(Object.entries(clean).filter(([name]) => name !== 'creationTimestamp'));
    }
    if (clean !== member) (copy ??= newMap(Object.entries(value)))[key] = clean;
  }
  return copy ?? value;
}

/**
 * Whether a controller writes the rules of a ClusterRole (rbac.authorization.k8s.io/v1, `aggregationRule`). Manifests
 * often set `rules: []` beside it. If that were applied, the controller and Tautline would overwrite each other.
 */
function isAggregated(body: KubeObject, { group, kind }: KindInfo): boolean {
  return group === 'rbac.authorization.k8s.io' && kind === 'ClusterRole' && isMap(own(body, 'aggregationRule'));
}

/** Removes `status` of claim templates: they are whole PersistentVolumeClaims in an atomic list. */
function dropClaimStatus(body: KubeObject): void {
  const spec = own(body, 'spec');
  if (!isMap(spec)) return;
  const templates = own(spec, 'volumeClaimTemplates');
  if (!Array.isArray(templates) || !templates.some((item) => isMap(item) && Object.hasOwn(item, 'status'))) return;
  const clean = templates.map((item) =>
    isMap(item) ? newMap(Object.entries(item).filter(([key]) => key !== 'status')) : item,
  );
  body['spec'] = newMap([...Object.entries(spec), ['volumeClaimTemplates', clean] as const]);
}
