/**
 * The kustomization file: its fields as tables of decoders, and the checks and conversions that kustomize makes before
 * it uses them.
 */
import { isNothing, isYamlMap, textOf, type YamlMap } from '../../object/yaml/node.ts';
import type { Problem } from '../../object/problem.ts';
import { locateLine, parsePath, type YamlPath } from '../../object/yaml/locate.ts';
import { fail, problemOf, withPlace } from '../fail.ts';
import { readText, type RenderContext } from '../file-loader.ts';
import { readDocuments, type TextSource } from '../manifest-text.ts';
import {
  anything,
  decode,
  embedded,
  flag,
  integer,
  list,
  optional,
  struct,
  text,
  texts,
  type Decoded,
} from './decode.ts';

export const KUSTOMIZATION_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

const NAME = embedded(text);

export const GVK = { group: NAME, version: NAME, kind: NAME };

export const SELECTOR = struct({ ...GVK, name: NAME, namespace: NAME, labelSelector: text, annotationSelector: text });

export const FIELD_SPEC = struct({ ...GVK, path: text, create: flag });

const PATCH_OPTIONS = struct({ allowNameChange: flag, allowKindChange: flag });

export const PATCH = struct({ path: text, patch: text, target: optional(SELECTOR), options: optional(PATCH_OPTIONS) });

export const IMAGE = struct({ name: text, newName: text, tagSuffix: text, newTag: text, digest: text });

export const REPLICA = struct({ name: text, count: integer });

export const LABEL = struct({
  pairs: texts,
  includeSelectors: flag,
  includeTemplates: flag,
  includeVolumeClaimTemplates: flag,
  fields: list(FIELD_SPEC),
});

const GENERATOR_OPTIONS = struct({ labels: texts, annotations: texts, disableNameSuffixHash: flag, immutable: flag });

const GENERATOR = {
  namespace: NAME,
  name: NAME,
  behavior: NAME,
  literals: embedded(list(text)),
  files: embedded(list(text)),
  envs: embedded(list(text)),
  env: NAME,
  options: embedded(optional(GENERATOR_OPTIONS)),
};

export const CONFIG_MAP = struct(GENERATOR);

export const SECRET = struct({ ...GENERATOR, type: NAME });

const FIELD_OPTIONS = struct({ delimiter: text, index: integer, encoding: text, create: flag });

const SOURCE = struct({ ...GVK, name: NAME, namespace: NAME, fieldPath: text, options: optional(FIELD_OPTIONS) });

const TARGET = struct({
  select: optional(SELECTOR),
  reject: list(SELECTOR),
  fieldPaths: list(text),
  options: optional(FIELD_OPTIONS),
});

export const REPLACEMENT = struct({
  source: optional(SOURCE),
  sourceValue: optional(text),
  targets: optional(list(TARGET)),
  path: text,
});

export const VAR = struct({
  name: text,
  objref: struct({ apiVersion: text, ...GVK, name: text, namespace: text }),
  fieldref: struct({ fieldPath: text }),
});

const SORT_OPTIONS = struct({
  order: text,
  legacySortOptions: optional(struct({ orderFirst: list(text), orderLast: list(text) })),
});

export const HELM_CHART = struct({
  name: text,
  version: text,
  repo: text,
  releaseName: text,
  namespace: text,
  additionalValuesFiles: list(text),
  valuesFile: text,
  valuesInline: optional(anything),
  valuesMerge: text,
  includeCRDs: flag,
  skipHooks: flag,
  apiVersions: list(text),
  kubeVersion: text,
  nameTemplate: text,
  skipTests: flag,
  debug: flag,
  devel: flag,
});

const OLD_HELM_CHART = struct({
  chartName: text,
  chartVersion: text,
  chartRepoUrl: text,
  chartHome: text,
  chartRepoName: text,
  helmBin: text,
  helmHome: text,
  values: text,
  valuesLocal: optional(anything),
  valuesMerge: text,
  releaseName: text,
  releaseNamespace: text,
  extraArgs: list(text),
});

const KUSTOMIZATION = struct({
  apiVersion: text,
  kind: text,
  metadata: optional(struct({ name: text, namespace: text, labels: texts, annotations: texts })),
  openapi: texts,
  namePrefix: text,
  nameSuffix: text,
  namespace: text,
  commonLabels: texts,
  labels: list(LABEL),
  commonAnnotations: texts,
  patchesStrategicMerge: optional(list(text)),
  patchesJson6902: optional(list(PATCH)),
  patches: list(PATCH),
  images: list(IMAGE),
  imageTags: optional(list(IMAGE)),
  replacements: list(REPLACEMENT),
  replicas: list(REPLICA),
  vars: optional(list(VAR)),
  sortOptions: optional(SORT_OPTIONS),
  resources: list(text),
  components: list(text),
  crds: list(text),
  bases: optional(list(text)),
  configMapGenerator: list(CONFIG_MAP),
  secretGenerator: list(SECRET),
  helmGlobals: optional(struct({ chartHome: text, configHome: text })),
  helmCharts: optional(list(HELM_CHART)),
  helmChartInflationGenerator: optional(list(OLD_HELM_CHART)),
  generatorOptions: optional(GENERATOR_OPTIONS),
  configurations: list(text),
  generators: list(text),
  transformers: list(text),
  validators: list(text),
  buildMetadata: list(text),
});

type Fields = Decoded<typeof KUSTOMIZATION>;

export interface Kustomization extends Fields {
  /** Path of the file in the tree. */
  readonly file: string;
  /** Name of the file in its folder. */
  readonly fileName: string;
  /** The text of the file, for messages. */
  readonly source: string;
  readonly kind: 'Kustomization' | 'Component';
  /** Numbers of entries of the file, if overrides of the Application have added entries behind them. */
  readonly ownEntries?: { readonly patches: number; readonly replicas: number };
}

/** A kustomization without any field, for objects that come from no kustomization. `file` names their origin. */
export function emptyKustomization(file: string): Kustomization {
  const fields = KUSTOMIZATION.zero();
  return { ...fields, file, fileName: 'kustomization.yaml', source: '', kind: 'Kustomization' };
}

/** Reads the kustomization of a folder. Fails if it is missing or malformed; the problem names the file. */
export function readKustomization(context: RenderContext, folder: string): Kustomization {
  const fileName = findKustomization(context, folder);
  if (fileName === undefined) {
    return fail('PathNotFound', `there is no ${KUSTOMIZATION_NAMES.join(', ')} in ${folder || 'the root'}`, {
      file: folder,
    });
  }
  const file = folder === '' ? fileName : `${folder}/${fileName}`;
  return withPlace({ file }, () => {
    const source = { text: readText(context, file), file, limits: context.limits };
    const documents = readDocuments(source, { dialect: 'v2', duplicateKeys: 'last' });
    const root = documents[0]?.root;
    if (root !== undefined && !isYamlMap(root)) return fail('KustomizationInvalid', 'the kustomization is not a map');
    const fields = decodeIn(source, () => decode(KUSTOMIZATION, root, ''));
    warnDeprecated(context, fields);
    const kind = withPlace(
      () => placeIn(source, ['kind']),
      () => checkKind(fields),
    );
    if (root === undefined || isBlank(root)) fail('KustomizationInvalid', 'the kustomization is empty');
    return {
      ...fields,
      file,
      source: source.text,
      fileName,
      kind,
      resources: [...fields.resources, ...(fields.bases ?? [])],
      images: [...fields.images, ...(fields.imageTags ?? [])],
    };
  });
}

/** Fields whose lines may contain Secret values, and so are never shown. */
const CONFIDENTIAL_FIELDS = new Set(['secretGenerator', 'generators', 'helmCharts', 'helmChartInflationGenerator']);

/** The place of a field in a kustomization, with the text of the line if it may be shown. */
export function placeIn(
  { text, file }: Pick<TextSource, 'text' | 'file'>,
  path: YamlPath,
): Omit<Problem, 'code' | 'message'> {
  const found = locateLine(text, path);
  if (found === undefined) return { file };
  return CONFIDENTIAL_FIELDS.has(String(path[0])) ? { file, line: found.line } : { file, ...found };
}

/** Adds the line of a wrong field to a problem of a decoder, whose message begins with the path of the field. */
function decodeIn<T>(source: TextSource, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { code, message, ...place } = problemOf(error);
    const path = /^the field "([^"]*)"/.exec(message)?.[1] ?? /^(\S+) must be/.exec(message)?.[1] ?? '';
    return fail(code, message, { ...placeIn(source, parsePath(path)), ...place });
  }
}

/** The name of the kustomization file of a folder; undefined if there is none. Fails if there are several. */
export function findKustomization(context: RenderContext, folder: string): string | undefined {
  const found = KUSTOMIZATION_NAMES.filter((name) => {
    return context.tree.find(folder === '' ? name : `${folder}/${name}`).type === 'file';
  });
  if (found.length > 1) {
    fail('KustomizationInvalid', `${folder || 'the root'} contains ${found.join(' and ')}; only one is allowed`, {
      file: folder,
    });
  }
  return found[0];
}

const FIX = "Run 'kustomize edit fix' to update your Kustomization automatically.";

/** Deprecated fields and what replaces them, in the order in which kustomize warns. */
const DEPRECATED: readonly (readonly [keyof Fields, string, string])[] = [
  ['bases', 'resources', FIX],
  ['commonLabels', 'labels', FIX],
  ['imageTags', 'images', FIX],
  ['patchesJson6902', 'patches', FIX],
  ['patchesStrategicMerge', 'patches', FIX],
  ['vars', 'replacements', `[EXPERIMENTAL] ${FIX}`],
];

function warnDeprecated(context: RenderContext, fields: Fields): void {
  for (const [field, instead, fix] of DEPRECATED) {
    if (fields[field] === undefined) continue;
    context.warnings.push(`# Warning: '${field}' is deprecated. Please use '${instead}' instead. ${fix}`);
  }
}

const VERSIONS = {
  Kustomization: 'kustomize.config.k8s.io/v1beta1',
  Component: 'kustomize.config.k8s.io/v1alpha1',
} as const;

function checkKind(fields: Fields): Kustomization['kind'] {
  const kind = fields.kind || 'Kustomization';
  if (kind !== 'Kustomization' && kind !== 'Component') {
    return fail('KustomizationInvalid', `kind must be Kustomization or Component, but is ${kind}`);
  }
  if (fields.apiVersion !== '' && fields.apiVersion !== VERSIONS[kind]) {
    fail('KustomizationInvalid', `apiVersion of a ${kind} must be ${VERSIONS[kind]}, but is ${fields.apiVersion}`);
  }
  return kind;
}

/** Whether the kustomization has no fields but apiVersion and kind. */
function isBlank(root: YamlMap): boolean {
  return [...root].every(
    ([key, value]) => /^(apiversion|kind)$/i.test(key) || isNothing(value) || (textOf(value) === '' && value === ''),
  );
}
