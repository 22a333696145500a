/** Builds a kustomization: the objects that `kustomize build` prints, in its order. */
import { nodeToValue, settleClosingComment, textOf, type YamlMap } from '../../object/yaml/node.ts';
import { isMap, type Value } from '../../object/value.ts';
import { fail } from '../fail.ts';
import type { BuiltObject } from '../built-object.ts';
import type { RenderContext } from '../file-loader.ts';
import { accumulate, gatherResources, type Accumulation, type LayerPlace } from './accumulate.ts';
import { DEFAULTS } from './merge-field-specs.ts';
import { hashNames } from './hash.ts';
import { emptyKustomization, readKustomization, type Kustomization } from './kustomization.ts';
import { placeOf, type Build } from './layer.ts';
import { fixNameReferences } from './name-references.ts';
import { chooseSchema } from './openapi.ts';
import { formatOrigin, formatTransformations, ORIGIN_ANNOTATION, TRANSFORMATIONS_ANNOTATION } from './origins.ts';
import { hasOverrides, locateComponents, withOverrides, type Overrides } from './overrides.ts';
import { currentId, formatResourceId } from './resource-id.ts';
import { checkWrittenKey, metadataOf, newResource, setTextMap, textMap, type Resource } from './resource.ts';
import { sortResources } from './sort.ts';
import { setLabels } from './transformers/labels.ts';
import { resolveVars } from './vars.ts';

/** Builds the kustomization of a folder. Fails with the first problem; a kustomization is never rendered partly. */
export function buildKustomization(context: RenderContext, folder: string, overrides: Overrides = {}): BuiltObject[] {
  return build(context, { folder, file: readKustomization(context, folder), resources: [], overrides });
}

/** An object that comes from no kustomization. */
export interface GivenObject {
  /** It may be changed. */
  readonly node: YamlMap;
  readonly file: string;
  readonly line: number;
}

/** Builds objects as if a kustomization in the folder named them as its resources. Fails with the first problem. */
export function buildObjects(
  context: RenderContext,
  { folder, objects, overrides }: { folder: string; objects: readonly GivenObject[]; overrides: Overrides },
): BuiltObject[] {
  const resources = objects.map(({ node, file, line }) => newResource(node, { file, line }));
  return build(context, { folder, file: emptyKustomization(folder), resources, overrides });
}

/** Builds a folder as if a kustomization in it named these files and folders. Fails with the first problem. */
export function buildFolder(
  context: RenderContext,
  { folder, paths, overrides }: { folder: string; paths: readonly string[]; overrides: Overrides },
): BuiltObject[] {
  const file = { ...emptyKustomization(folder), resources: [...paths] };
  return build(context, { folder, file, resources: [], overrides });
}

interface BuildInput {
  readonly folder: string;
  readonly file: Kustomization;
  /** Objects beside those of the kustomization. */
  readonly resources: readonly Resource[];
  readonly overrides: Overrides;
}

function build(context: RenderContext, { folder, file, resources, overrides }: BuildInput): BuiltObject[] {
  const kustomization = hasOverrides(overrides) ? withOverrides(file, overrides) : file;
  const components = locateComponents(context, { folder, kustomization }, overrides);
  const shouldTrackOrigin = kustomization.buildMetadata.length > 0;
  const shared = { schema: undefined, isSchemaChosen: false, kinds: new Set<string>() };
  const state: Build = { context, ...shared, gather: gatherResources, shouldTrackOrigin };
  const place: LayerPlace = { folder, chain: [folder], originPlace: { path: '' }, helmNamespace: '' };
  chooseSchema(state, { build: state, kustomization, ...place, specs: DEFAULTS });
  const accumulation = accumulate(state, { ...place, resources, components }, kustomization);
  setLabels(accumulation.set, new Map(Object.entries(overrides.labels ?? {})));
  const finished = finish(context, accumulation, kustomization);
  return finished.map((resource) => toObject(resource, kustomization.buildMetadata));
}

/** The steps that kustomize runs once for the whole result. */
function finish(context: RenderContext, { set, specs, vars }: Accumulation, kustomization: Kustomization): Resource[] {
  hashNames(set);
  fixNameReferences(set, specs.nameReference);
  resolveVars(context, set, vars, specs.varReference);
  for (const resource of set.all) checkNamed(resource);
  const kept = [...set.all].filter((resource) => !isLocal(resource));
  return sortResources(kept, kustomization.sortOptions);
}

/** Fails if a patch or a replacement has taken the kind or the name away. */
function checkNamed(resource: Resource): void {
  const { kind, name } = currentId(resource.node);
  const isNamed = name !== '' || kind.endsWith('List');
  if (kind !== '' && isNamed) return;
  const missing = kind === '' ? 'kind' : 'metadata.name';
  fail('NotAnObject', `an object has no ${missing} after the patches and replacements`, placeOf(resource));
}

/** Whether an object is only for kustomize, and not part of the result. */
function isLocal(resource: Resource): boolean {
  const local = textMap(resource, 'annotations').get('config.kubernetes.io/local-config');
  return local !== undefined && local !== 'false';
}

/** Annotations that kustomize uses internally and never prints. */
const INTERNAL = new Set(
  [
    ...['previousKinds', 'previousNames', 'previousNamespaces', 'prefixes', 'suffixes', 'refBy'],
    ...['generatorBehavior', 'needsHashSuffix', 'allowNameChange', 'allowKindChange'],
    ...['path', 'index', 'seqindent', 'id', 'annotations-migration-resource-id'],
  ].map((name) => `internal.config.kubernetes.io/${name}`),
);

for (const name of ['path', 'index', 'id'].map((one) => `config.kubernetes.io/${one}`)) INTERNAL.add(name);

function toObject(resource: Resource, buildMetadata: readonly string[]): BuiltObject {
  settleClosingComment(resource.node);
  const annotations = textMap(resource, 'annotations');
  for (const name of annotations.keys()) if (INTERNAL.has(name)) annotations.delete(name);
  annotations.delete(ORIGIN_ANNOTATION);
  annotations.delete(TRANSFORMATIONS_ANNOTATION);
  if (buildMetadata.includes('originAnnotations') && resource.origin) {
    annotations.set(ORIGIN_ANNOTATION, formatOrigin(resource.origin));
  }
  if (buildMetadata.includes('transformerAnnotations') && resource.transformations.length > 0) {
    annotations.set(TRANSFORMATIONS_ANNOTATION, formatTransformations(resource.transformations));
  }
  for (const name of annotations.keys()) checkWrittenKey(name, placeOf(resource));
  setTextMap(resource, 'annotations', annotations);
  if (buildMetadata.includes('managedByLabel')) addManagedBy(metadataOf(resource));
  const object = nodeToValue(resource.node);
  const place = placeOf(resource);
  checkPrintable(object, resource);
  if (!isMap(object)) return fail('NotAnObject', `${formatResourceId(currentId(resource.node))} is not a map`, place);
  return { object, ...place };
}

function addManagedBy(metadata: YamlMap): void {
  const labels = metadata.get('labels');
  const map = labels instanceof Map ? labels : new Map();
  map.set('app.kubernetes.io/managed-by', 'kustomize-v5.8.2');
  metadata.set('labels', map);
}

/** Characters that kustomize writes as they are into JSON, and then refuses to read there. */
const CONTROLS = /[\x7f-\x84\x86-\x9f\ufffe\uffff]/;

/** Fails for values that kustomize cannot print: infinity, NaN and some control characters. */
function checkPrintable(value: Value, resource: Resource): void {
  if (typeof value === 'string' && CONTROLS.test(value)) {
    fail('InvalidObject', `a ${textOf(resource.node.get('kind'))} has a control character`, placeOf(resource));
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    fail('InvalidObject', `a ${textOf(resource.node.get('kind'))} has a number that is not finite`, placeOf(resource));
  }
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) for (const key of Object.keys(value)) checkPrintable(key, resource);
  for (const item of Array.isArray(value) ? value : Object.values(value)) checkPrintable(item, resource);
}
