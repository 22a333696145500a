/**
 * The part `spec.render` of the Application resource: how the files of the source become manifests. Invariant: a render
 * depends on these fields, the trees of its sources and the answers to its needs alone.
 */
import { z } from 'zod';
import { DNS_SUBDOMAIN } from './names.ts';
import { matching, notMatching, visible, withRules } from './rules.ts';

const MAX_ITEMS = 100;
const MAX_PATH_CHARS = 1024;
const MAX_PATCH_CHARS = 65_536;
const MAX_VALUE_CHARS = 65_536;

const atomic = { 'x-kubernetes-list-type': 'atomic' };

/** A path within the repository, or `$name/…` within a source of spec.sources. */
function pathOf(field: string): z.ZodString {
  return withRules(z.string().min(1).max(MAX_PATH_CHARS), [
    notMatching(/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//, `${field} must be a path, not an address`),
    visible(field),
  ]);
}

const dataKind = z.enum(['ConfigMap', 'Secret']);
const objectName = z.string().min(1).max(253).regex(DNS_SUBDOMAIN);
const optional = z.boolean().default(false).describe('Whether it may be missing. Default: false.');

const imageSchema = z.object({
  name: z.string().min(1).max(512).describe('Name of the image in the manifests, without tag and digest.'),
  newName: z.string().min(1).max(512).optional().describe('Name that replaces it. Default: the same name.'),
  newTag: z.string().max(128).optional().describe('Tag that replaces the tag. Default: the same tag.'),
  digest: z.string().max(256).optional().describe('Digest that replaces tag and digest. Default: none.'),
});

const replicaSchema = z.object({
  name: z.string().min(1).max(253).describe('Name of the workload in the manifests.'),
  count: z.int32().min(0).describe('Number of replicas.'),
});

const targetSchema = z.object({
  group: z.string().max(253).optional().describe('Regular expression for the API group. Default: any.'),
  version: z.string().max(63).optional().describe('Regular expression for the API version. Default: any.'),
  kind: z.string().max(63).optional().describe('Regular expression for the kind. Default: any.'),
  name: z.string().max(253).optional().describe('Regular expression for the name. Default: any.'),
  namespace: z.string().max(253).optional().describe('Regular expression for the namespace. Default: any.'),
  labelSelector: z.string().max(1024).optional().describe('Selector of labels. Default: any labels.'),
  annotationSelector: z.string().max(1024).optional().describe('Selector of annotations. Default: any annotations.'),
});

const patchSchema = z.object({
  patch: z
    .string()
    .min(1)
    .max(MAX_PATCH_CHARS)
    .describe('A strategic merge patch, or a JSON patch (RFC 6902), in YAML or JSON.'),
  target: targetSchema
    .optional()
    .describe('Objects that the patch changes. Default: the object that a strategic merge patch names.'),
});

const texts = (what: string): z.ZodRecord<z.ZodString, z.ZodString> =>
  z.record(z.string(), z.string().max(MAX_VALUE_CHARS)).describe(what);

const kustomizeSchema = z.object({
  namespace: z.string().min(1).max(63).optional().describe('Namespace of all namespaced objects. Default: none.'),
  namePrefix: z.string().max(63).optional().describe('Text before the name of every object. Default: none.'),
  nameSuffix: z.string().max(63).optional().describe('Text after the name of every object. Default: none.'),
  labels: texts('Labels of every object, but not of selectors and Pod templates.').optional(),
  annotations: texts('Annotations of every object and Pod template.').optional(),
  images: z.array(imageSchema).max(MAX_ITEMS).meta(atomic).optional().describe('Images to replace. Default: none.'),
  replicas: z
    .array(replicaSchema)
    .max(MAX_ITEMS)
    .meta(atomic)
    .optional()
    .describe('Numbers of replicas of workloads. Default: those of the manifests.'),
  patches: z
    .array(patchSchema)
    .max(MAX_ITEMS)
    .meta(atomic)
    .optional()
    .describe('Patches, in this order. Default: none.'),
  components: z
    .array(pathOf('spec.render.kustomize.components[]'))
    .max(MAX_ITEMS)
    .meta(atomic)
    .optional()
    .describe('Folders of components, relative to spec.source.path, or $name/… of spec.sources. Default: none.'),
  ignoreMissingComponents: z
    .boolean()
    .default(false)
    .describe('Whether to leave out components whose folder does not exist. Default: false.'),
});

const valuesFromSchema = z.object({
  kind: dataKind.describe("Kind of the object, which is in the Application's own namespace."),
  name: objectName.describe('Name of the ConfigMap or Secret.'),
  key: z.string().min(1).max(253).default('values.yaml').describe('Key of its data. Default: values.yaml.'),
  optional,
});

const parameterSchema = z.object({
  name: z.string().min(1).max(1024).describe('Path of the value, as for helm --set: image.tag.'),
  value: z.string().max(MAX_VALUE_CHARS).describe('The value, as for helm --set.'),
  forceString: z
    .boolean()
    .default(false)
    .describe('Whether the value stays text, as for helm --set-string. Default: false.'),
});

const helmSchema = z.object({
  releaseName: withRules(z.string().min(1).max(53), [
    matching(
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
      'spec.render.helm.releaseName must be lower case letters, digits, - and ., as helm requires it',
    ),
  ])
    .optional()
    .describe('Name of the release. Default: the name of the Application, cut to 53 characters.'),
  namespace: z
    .string()
    .min(1)
    .max(63)
    .optional()
    .describe("Namespace of the release. Default: spec.destination.namespace, or the Application's own."),
  valueFiles: z
    .array(pathOf('spec.render.helm.valueFiles[]'))
    .max(MAX_ITEMS)
    .meta(atomic)
    .optional()
    .describe(
      'Files with values, a later one wins: relative to the chart, /… from the root of the repository, $name/… of ' +
        'spec.sources. A name may hold * and **. Default: none but values.yaml of the chart.',
    ),
  ignoreMissingValueFiles: z
    .boolean()
    .default(false)
    .describe('Whether to leave out files with values that do not exist. Default: false.'),
  valuesFrom: z
    .array(valuesFromSchema)
    .max(MAX_ITEMS)
    .meta(atomic)
    .optional()
    .describe('Values from ConfigMaps and Secrets; they win over valueFiles. Default: none.'),
  values: z.record(z.string(), z.unknown()).optional().describe('Values; they win over valuesFrom. Default: none.'),
  parameters: z
    .array(parameterSchema)
    .max(MAX_ITEMS)
    .meta(atomic)
    .optional()
    .describe('Single values; they win over everything else. Default: none.'),
  skipCRDs: z.boolean().default(false).describe('Whether to leave out the folder crds of the chart. Default: false.'),
  skipTests: z.boolean().default(true).describe('Whether to leave out test hooks. Default: true.'),
  kubeVersion: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('Version of Kubernetes that the chart is told. Default: that of the cluster.'),
  apiVersions: z
    .array(z.string().min(1).max(317))
    .max(1000)
    .meta(atomic)
    .optional()
    .describe(
      'API versions that the chart is told: group/version, or group/version/Kind. Default: those of the cluster.',
    ),
});

const globs = (what: string): z.ZodOptional<z.ZodArray<z.ZodString>> =>
  z.array(z.string().min(1).max(MAX_PATH_CHARS)).max(MAX_ITEMS).meta(atomic).optional().describe(what);

const directorySchema = z.object({
  recurse: z.boolean().default(false).describe('Whether to read the folders below, too. Default: false.'),
  include: globs('Patterns of the files to read, relative to the folder. Default: all manifests.'),
  exclude: globs('Patterns of files that are not read; they win over include. Default: none.'),
});

const substituteFromSchema = z.object({
  kind: dataKind.describe("Kind of the object, which is in the Application's own namespace."),
  name: objectName.describe('Name of the ConfigMap or Secret; every key of its data is a variable.'),
  optional,
});

const decryptionSchema = z.object({
  secretRef: z
    .object({
      name: objectName.describe("Name of the Secret, which is in the Application's own namespace."),
    })
    .describe('The Secret with private keys of age, under keys that end in .agekey.'),
});

export const renderSchema = z.object({
  kustomize: kustomizeSchema
    .optional()
    .describe('Changes to the rendered objects, as an overlay of kustomize makes them. Default: none.'),
  helm: helmSchema.optional().describe('How a chart is rendered. Default: as helm template does it.'),
  directory: directorySchema.optional().describe('Files of a folder of plain manifests that are read. Default: all.'),
  substitute: texts(
    'Variables for ${NAME} in the rendered objects; they win over substituteFrom. Default: no substitution.',
  ).optional(),
  substituteFrom: z
    .array(substituteFromSchema)
    .max(50)
    .meta(atomic)
    .optional()
    .describe('Variables from ConfigMaps and Secrets, a later one wins. Default: none.'),
  decryption: decryptionSchema
    .optional()
    .describe('How files that SOPS has sealed are opened. Default: a sealed file is a problem.'),
});

export type RenderOptions = z.output<typeof renderSchema>;
export type HelmOptions = z.output<typeof helmSchema>;
export type KustomizeOptions = z.output<typeof kustomizeSchema>;
export type DirectoryOptions = z.output<typeof directorySchema>;
