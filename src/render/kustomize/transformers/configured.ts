/** The fields `transformers` and `validators`: configurations of the built-in transformers of kustomize. */
import { fail, withPlace } from '../../fail.ts';
import { embedded, flag, list, optional, struct, text, texts } from '../decode.ts';
import { hashNames } from '../hash.ts';
import { FIELD_SPEC, IMAGE, REPLACEMENT, SELECTOR, REPLICA } from '../kustomization.ts';
import { placeOf, type Layer } from '../layer.ts';
import { builtInKind, configOrigin, decodeConfig, readConfigs } from '../plugin-configs.ts';
import type { Origin, Resource } from '../resource.ts';
import { setImages } from './images.ts';
import { affixNames } from './name-affixes.ts';
import { setNamespaces } from './namespace.ts';
import { configureJsonPatch } from './patches-json6902.ts';
import { configureStrategicMerge } from './patches-strategic-merge.ts';
import { configurePatch } from './patches.ts';
import { configureReplacements } from './replacements.ts';
import { setReplicas } from './replicas.ts';
import { setEntries } from './set-entries.ts';
import type { Transform } from './transformer.ts';
import { configureValueAdd, VALUE_ADD } from './value-add.ts';

/** A change, and the origin to record for it; undefined if origins are not recorded. */
export interface TracedTransform {
  readonly run: Transform;
  readonly origin: Origin | undefined;
}

export function configuredTransforms(layer: Layer, field: 'transformers' | 'validators'): TracedTransform[] {
  if (layer.kustomization[field].length === 0) return [];
  return readConfigs(layer, field).map((config) => {
    const kind = builtInKind(config);
    const configure = Object.hasOwn(BUILT_IN, kind) ? BUILT_IN[kind] : undefined;
    if (configure === undefined) fail('Unsupported', `there is no built-in transformer ${kind}`, placeOf(config));
    const run = withPlace(placeOf(config), () => configure(layer, config));
    return { run: (set) => withPlace(placeOf(config), () => run(set)), origin: configOrigin(config) };
  });
}

const FIELD_SPECS = list(FIELD_SPEC);

const ANNOTATIONS = struct({ annotations: texts, fieldSpecs: FIELD_SPECS });
const LABELS = struct({ labels: texts, fieldSpecs: FIELD_SPECS });
const NAMESPACE = struct({
  metadata: struct({ namespace: text }),
  fieldSpecs: FIELD_SPECS,
  unsetOnly: flag,
  setRoleBindingSubjects: text,
});
const AFFIXES = struct({ prefix: text, suffix: text, fieldSpecs: FIELD_SPECS });
const IMAGE_TAG = struct({ imageTag: IMAGE, fieldSpecs: FIELD_SPECS });
const REPLICA_COUNT = struct({ replica: REPLICA, fieldSpecs: FIELD_SPECS });
const STRATEGIC = struct({ paths: list(text), patches: text });
const REPLACEMENTS = struct({ replacements: list(embedded(REPLACEMENT)) });
const PATCH_FIELDS = struct({
  path: text,
  patch: text,
  jsonOp: text,
  target: optional(SELECTOR),
  options: optional(struct({ allowNameChange: flag, allowKindChange: flag })),
});

type Configure = (layer: Layer, config: Resource) => Transform;

function configureAffixes(affix: 'prefix' | 'suffix' | 'both'): Configure {
  return (_layer, config) => {
    const { prefix, suffix, fieldSpecs } = decodeConfig(AFFIXES, config);
    if (fieldSpecs.length === 0) fail('KustomizationInvalid', 'fieldSpecs are missing');
    return (set) => {
      if (affix !== 'suffix') affixNames(set, { prefix, suffix: '' }, fieldSpecs);
      if (affix !== 'prefix') affixNames(set, { prefix: '', suffix }, fieldSpecs);
    };
  };
}

const BUILT_IN: Readonly<Record<string, Configure>> = {
  AnnotationsTransformer: (_layer, config) => {
    const { annotations, fieldSpecs } = decodeConfig(ANNOTATIONS, config);
    return (set) => setEntries(set, annotations ?? new Map(), fieldSpecs);
  },
  HashTransformer: () => hashNames,
  ImageTagTransformer: (_layer, config) => {
    const { imageTag, fieldSpecs } = decodeConfig(IMAGE_TAG, config);
    return (set) => setImages(set, imageTag, fieldSpecs);
  },
  LabelTransformer: (_layer, config) => {
    const { labels, fieldSpecs } = decodeConfig(LABELS, config);
    return (set) => setEntries(set, labels ?? new Map(), fieldSpecs);
  },
  NamespaceTransformer: (_layer, config) => {
    const { metadata, fieldSpecs, unsetOnly, setRoleBindingSubjects } = decodeConfig(NAMESPACE, config);
    const subjects = setRoleBindingSubjects || 'defaultOnly';
    if (subjects !== 'defaultOnly' && subjects !== 'allServiceAccounts' && subjects !== 'none') {
      return fail(
        'KustomizationInvalid',
        `setRoleBindingSubjects must be defaultOnly, allServiceAccounts or none, but is ${subjects}`,
      );
    }
    if (metadata.namespace === '') return () => undefined;
    const options = {
      namespace: metadata.namespace,
      specs: fieldSpecs,
      shouldKeepExisting: unsetOnly,
      subjects,
    } as const;
    return (set) => setNamespaces(set, options);
  },
  PatchTransformer: (layer, config) => configurePatch(layer, decodeConfig(PATCH_FIELDS, config)),
  PatchJson6902Transformer: (layer, config) => {
    const { target, path, jsonOp } = decodeConfig(PATCH_FIELDS, config);
    return configureJsonPatch(layer, { target, path, patch: jsonOp });
  },
  PatchStrategicMergeTransformer: (layer, config) => {
    const { paths, patches } = decodeConfig(STRATEGIC, config);
    return configureStrategicMerge(layer, { paths, inline: patches });
  },
  PrefixTransformer: configureAffixes('prefix'),
  SuffixTransformer: configureAffixes('suffix'),
  PrefixSuffixTransformer: configureAffixes('both'),
  ReplacementTransformer: (layer, config) =>
    configureReplacements(layer, decodeConfig(REPLACEMENTS, config).replacements),
  ValueAddTransformer: (layer, config) => configureValueAdd(layer, decodeConfig(VALUE_ADD, config)),
  ReplicaCountTransformer: (_layer, config) => {
    const { replica, fieldSpecs } = decodeConfig(REPLICA_COUNT, config);
    return (set) => setReplicas(set, replica, fieldSpecs);
  },
};
