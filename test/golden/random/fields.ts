/** Random fields of a kustomization: each transformer and generator has its own probability. */
import type { Chance } from '../../support/chance.ts';
import { makePatches } from './patches.ts';
import { NAMES, NAMESPACES, oddText, type MadeObject } from './objects.ts';
import { makeReplacements } from './replacements.ts';
import { writeYamlText, type Written } from './yaml-text.ts';

export interface Layer {
  readonly chance: Chance;
  /** Decides how texts are written, and what is in few cases. */
  readonly dressing: Chance;
  readonly folder: string;
  readonly files: Record<string, string>;
  readonly kustomizations: Record<string, Fields>;
  readonly uses: Set<string>;
  /** All objects of the layers so far. */
  readonly objects: MadeObject[];
  /** Targets of the replacements of the layers so far. */
  readonly replacedPaths: Set<string>;
  /** Probability of each field, before its weight. */
  readonly density: number;
}

export type Fields = Record<string, Written>;

export function makeFields(layer: Layer): Fields {
  const fields: Fields = {};
  for (const [name, make] of Object.entries(MAKERS)) {
    if (!layer.chance.may(layer.density * (WEIGHTS[name] ?? 1))) continue;
    const made = make(layer);
    if (made === undefined) continue;
    layer.uses.add(name);
    Object.assign(fields, made);
  }
  return fields;
}

/** Factors on the probability, 1 by default: fields that seldom have an effect appear more often. */
const WEIGHTS: Readonly<Record<string, number>> = {
  vars: 1,
  sortOptions: 1.5,
  patchesStrategicMerge: 2,
  patches: 1.5,
  replacements: 1.3,
  replicas: 1.5,
  generatorOptions: 2,
  transformers: 3,
  generators: 2,
  configurations: 2,
};

const pairs = (chance: Chance): Record<string, Written> =>
  Object.fromEntries(
    chance.some(['app', 'team', 'env'], 2).map((key) => [key, chance.may(0.8) ? chance.pick(NAMES) : oddText(chance)]),
  );

function addFile(layer: Layer, name: string, text: string): string {
  layer.files[`${layer.folder}/${name}`] = text;
  return name;
}

/** A free name, which is taken from then on, or the name of an object to merge into or to replace. */
function generatedName({ chance, objects }: Layer, kind: string): { name: string; behavior?: string } {
  const known = objects.filter((one) => one.kind === kind);
  const isKnown = known.length > 0 && chance.may(0.4);
  if (isKnown) return { name: chance.pick(known).name, behavior: chance.pick(['merge', 'replace']) };
  const free = NAMES.filter((name) => known.every((one) => one.name !== name));
  const name = free.length > 0 ? chance.pick(free) : `made-${known.length}`;
  objects.push({ apiVersion: 'v1', kind, name, value: { metadata: { name } } });
  return { name };
}

function generator({ chance, ...layer }: Layer, kind: string): Written[] {
  const prefix = kind.toLowerCase();
  return Array.from({ length: 1 + chance.int(2) }, (_, index) => {
    const { name, behavior } = generatedName({ chance, ...layer }, kind);
    const file = `${prefix}-${index}.txt`;
    layer.files[`${layer.folder}/${file}`] = chance.pick([oddText(chance), 'plain\ntext\n', 'a=b\n']);
    layer.files[`${layer.folder}/${prefix}-${index}.env`] = chance.pick([
      'A=1\n# c\nB=two words\n',
      'X="q"\nEMPTY=\n',
      '\n',
    ]);
    return {
      name,
      ...(chance.may(0.1) ? { namespace: chance.pick(NAMESPACES) } : {}),
      ...(behavior === undefined ? {} : { behavior }),
      ...(chance.may(0.7) ? { literals: [`k=${oddText(chance)}`, 'q="quoted"'] } : {}),
      ...(chance.may(0.4) ? { files: [chance.pick([file, `renamed=${file}`])] } : {}),
      ...(chance.may(0.3) ? { envs: [`${prefix}-${index}.env`] } : {}),
      ...(chance.may(0.3)
        ? {
            options: {
              ...(chance.may(0.5) ? { disableNameSuffixHash: true } : {}),
              ...(chance.may(0.3) ? { immutable: true } : {}),
              labels: { g: 'l' },
              annotations: { n: oddText(chance) },
            },
          }
        : {}),
    };
  });
}

function image(chance: Chance): Written {
  return {
    name: chance.pick(['nginx', 'redis', 'example.com:5000/team/app', 'busybox', 'ngin.', '.*app', 'nginx:1.7.9']),
    ...(chance.may(0.4) ? { newName: chance.pick(['mirror.io/x', 'y']) } : {}),
    ...chance.pick<Fields>([
      { newTag: '2' },
      { digest: 'sha256:ff' },
      { tagSuffix: '-x' },
      { newTag: 'v1', digest: 'sha256:00' },
    ]),
  };
}

function labels(chance: Chance): Written {
  return {
    pairs: pairs(chance),
    ...(chance.may(0.3) ? { includeSelectors: true } : {}),
    ...(chance.may(0.3) ? { includeTemplates: true } : {}),
    ...(chance.may(0.2) ? { includeVolumeClaimTemplates: true } : {}),
    ...(chance.may(0.2)
      ? { fields: [{ path: 'spec/extra/labels', kind: chance.pick(['Thing', 'Deployment']), create: chance.may(0.7) }] }
      : {}),
  };
}

const CONFIGURATION: Written = {
  images: [{ path: 'spec/image', kind: 'Thing' }],
  replicas: [{ path: 'spec/replicas', kind: 'Thing', create: true }],
  commonLabels: [{ path: 'spec/selector', kind: 'Thing', create: true }],
  nameReference: [{ kind: 'ConfigMap', version: 'v1', fieldSpecs: [{ path: 'spec/list/name', kind: 'Thing' }] }],
  varReference: [
    { path: 'data', kind: 'ConfigMap' },
    { path: 'spec/more/deep', kind: 'Thing' },
  ],
  namespace: [{ path: 'spec/ns', kind: 'Thing', create: true }],
  namePrefix: [{ path: 'spec/more/deep', kind: 'Thing' }],
};

const BUILT_INS: readonly ((chance: Chance) => Fields)[] = [
  (chance) => ({
    kind: 'NamespaceTransformer',
    metadata: { name: 'n', namespace: chance.pick(NAMESPACES) },
    unsetOnly: chance.may(0.5),
    setRoleBindingSubjects: chance.pick(['none', 'defaultOnly', 'allServiceAccounts']),
    fieldSpecs: [{ path: 'metadata/name', kind: 'Namespace', create: true }],
  }),
  (chance) => ({
    kind: 'PrefixTransformer',
    metadata: { name: 'n' },
    prefix: chance.pick(['x-', 'y-']),
    fieldSpecs: [{ path: 'metadata/name' }],
  }),
  () => ({ kind: 'SuffixTransformer', metadata: { name: 'n' }, suffix: '-z', fieldSpecs: [{ path: 'metadata/name' }] }),
  (chance) => ({
    kind: 'LabelTransformer',
    metadata: { name: 'n' },
    labels: pairs(chance),
    fieldSpecs: [{ path: 'metadata/labels', create: true }],
  }),
  (chance) => ({
    kind: 'AnnotationsTransformer',
    metadata: { name: 'n' },
    annotations: pairs(chance),
    fieldSpecs: [{ path: 'metadata/annotations', create: true }],
  }),
  (chance) => ({
    kind: 'ImageTagTransformer',
    metadata: { name: 'n' },
    imageTag: image(chance),
    fieldSpecs: [
      { path: 'spec/image' },
      { path: 'spec/template/spec/containers/image' },
      { path: 'spec/containers/image' },
    ],
  }),
  (chance) => ({
    kind: 'ReplicaCountTransformer',
    metadata: { name: 'n' },
    replica: { name: chance.pick(NAMES), count: 7 },
    fieldSpecs: [{ path: 'spec/replicas', create: true }],
  }),
  (chance) => ({
    kind: 'ValueAddTransformer',
    metadata: { name: 'n' },
    value: chance.pick(NAMES),
    targets: [
      {
        selector: { kind: 'ConfigMap' },
        fieldPath: chance.pick(['data/k', 'metadata/annotations/added']),
        filePathPosition: chance.int(3),
      },
    ],
  }),
  (chance) => ({
    kind: 'PatchTransformer',
    metadata: { name: 'n' },
    patch: '- op: add\n  path: /metadata/annotations\n  value: {p: q}\n',
    target: { kind: chance.pick(['ConfigMap', 'Service', 'Deployment']) },
  }),
];

const BUILT_INS_FOR_OBJECTS: readonly ((chance: Chance, objects: readonly MadeObject[]) => Fields)[] = [
  (chance) => ({
    kind: 'PrefixSuffixTransformer',
    metadata: { name: 'n' },
    prefix: chance.pick(['b-', '']),
    suffix: '-e',
    fieldSpecs: [{ path: 'metadata/name' }],
  }),
  () => ({ kind: 'HashTransformer', metadata: { name: 'n' } }),
  (chance, objects) => {
    const { apiVersion, kind, name } = chance.pick(objects);
    const patches = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}, labels: {smp: "1"}}\n`;
    return { kind: 'PatchStrategicMergeTransformer', metadata: { name: 'n' }, patches };
  },
  (chance, objects) => {
    const { apiVersion, kind, name } = chance.pick(objects);
    const [version = '', group = ''] = apiVersion.split('/').reverse();
    const target = { ...(group ? { group } : {}), version, kind, name };
    const jsonOp = '[{"op": "add", "path": "/metadata/labels", "value": {"j": "6902"}}]';
    return { kind: 'PatchJson6902Transformer', metadata: { name: 'n' }, target, jsonOp };
  },
  (chance, objects) => ({
    kind: 'ReplacementTransformer',
    metadata: { name: 'n' },
    replacements: [
      {
        sourceValue: chance.pick(['text', '7']),
        targets: [
          {
            select: { kind: chance.pick(objects).kind },
            fieldPaths: ['metadata.annotations.external'],
            options: { create: true },
          },
        ],
      },
    ],
  }),
];

const MAKERS: Readonly<Record<string, (layer: Layer) => Fields | undefined>> = {
  namespace: ({ chance }) => ({ namespace: chance.pick(NAMESPACES) }),
  namePrefix: ({ chance }) => ({ namePrefix: chance.pick(['a-', 'b-', 'long-prefix-']) }),
  nameSuffix: ({ chance }) => ({ nameSuffix: chance.pick(['-v1', '-x']) }),
  commonLabels: ({ chance }) => ({ commonLabels: pairs(chance) }),
  labels: ({ chance }) => ({ labels: [labels(chance)] }),
  commonAnnotations: ({ chance }) => ({ commonAnnotations: pairs(chance) }),
  images: ({ chance }) => ({ images: [image(chance), image(chance)].slice(chance.int(2)) }),
  replicas: ({ chance, objects }) => {
    const known = objects.filter(({ kind }) => ['Deployment', 'StatefulSet', 'ReplicaSet'].includes(kind));
    return known.length === 0 ? undefined : { replicas: [{ name: chance.pick(known).name, count: chance.int(9) }] };
  },
  configMapGenerator: (layer) => ({ configMapGenerator: generator(layer, 'ConfigMap') }),
  secretGenerator: (layer) => ({ secretGenerator: generator(layer, 'Secret') }),
  generatorOptions: ({ chance }) => ({
    generatorOptions: { ...(chance.may(0.5) ? { disableNameSuffixHash: true } : {}), labels: pairs(chance) },
  }),
  patches: (layer) => {
    const patches = makePatches(layer);
    return patches.length === 0 ? undefined : { patches };
  },
  patchesStrategicMerge: (layer) => {
    const paths = makePatches(layer).flatMap((patch) =>
      'patch' in patch && typeof patch.patch === 'string' && !('target' in patch) ? [patch.patch] : [],
    );
    return paths.length === 0 ? undefined : { patchesStrategicMerge: paths };
  },
  patchesJson6902: ({ chance, objects }) => {
    if (objects.length === 0) return undefined;
    const { apiVersion, kind, name } = chance.pick(objects);
    const [version = '', group = ''] = apiVersion.split('/').reverse();
    const patch = '- {op: add, path: /metadata/labels, value: {j: "1"}}\n';
    return { patchesJson6902: [{ target: { ...(group ? { group } : {}), version, kind, name }, patch }] };
  },
  replacements: (layer) => {
    const replacements = makeReplacements(layer);
    return replacements.length === 0 ? undefined : { replacements };
  },
  vars: ({ chance, objects }) => {
    if (objects.length === 0) return undefined;
    const { apiVersion, kind, name } = chance.pick(objects);
    return {
      vars: [
        {
          name: chance.pick(['HOST', 'NAME_VAR', 'OTHER']),
          objref: { apiVersion, kind, name },
          ...(chance.may(0.5)
            ? { fieldref: { fieldpath: chance.pick(['metadata.name', 'metadata.labels.app', 'kind']) } }
            : {}),
        },
      ],
    };
  },
  configurations: (layer) => ({
    configurations: [addFile(layer, 'configuration.yaml', writeYamlText(layer.chance, CONFIGURATION))],
  }),
  transformers: (layer) => {
    const makers = layer.objects.length > 0 ? [...BUILT_INS, ...BUILT_INS_FOR_OBJECTS] : BUILT_INS;
    const transformers = Array.from({ length: 1 + layer.chance.int(3) }, (_, index) => {
      const made: Fields = layer.chance.pick(makers)(layer.chance, layer.objects);
      const config: Fields = {
        apiVersion: 'builtin',
        ...made,
        metadata: { ...(made['metadata'] as Fields), name: `n${index}` },
      };
      layer.uses.add(`transformers/${String(config['kind'])}`);
      const text = writeYamlText(layer.chance, config);
      return layer.chance.may(0.5) ? addFile(layer, `transformer-${index}.yaml`, text) : text;
    });
    return { transformers };
  },
  generators: ({ chance, ...layer }) => {
    if (chance.may(0.3)) {
      const policy = {
        apiVersion: 'builtin',
        kind: 'IAMPolicyGenerator',
        metadata: { name: 'iam' },
        cloud: 'gke',
        kubernetesService: { name: `account-of-${layer.folder}` },
        serviceAccount: { name: 'a', projectId: 'p' },
      };
      layer.uses.add('generators/IAMPolicyGenerator');
      return { generators: [addFile({ chance, ...layer }, 'generator.yaml', writeYamlText(chance, policy))] };
    }
    const kind = chance.pick(['ConfigMap', 'Secret']);
    layer.uses.add(`generators/${kind}Generator`);
    const { name, behavior } = generatedName({ chance, ...layer }, kind);
    const config = {
      apiVersion: 'builtin',
      kind: `${kind}Generator`,
      metadata: { name },
      ...(behavior === undefined ? {} : { behavior }),
      literals: [`k=${oddText(chance)}`],
    };
    return { generators: [addFile({ chance, ...layer }, 'generator.yaml', writeYamlText(chance, config))] };
  },
  buildMetadata: ({ chance }) => ({
    buildMetadata: chance.some(['originAnnotations', 'transformerAnnotations', 'managedByLabel'], 3),
  }),
  sortOptions: ({ chance }) => ({
    sortOptions: chance.pick<Fields>([
      { order: 'fifo' },
      { order: 'legacy' },
      { order: 'legacy', legacySortOptions: { orderFirst: ['Service'], orderLast: ['ConfigMap'] } },
    ]),
  }),
};
