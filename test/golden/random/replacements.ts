/** Random replacements between objects of the case. */
import type { Layer } from './fields.ts';
import { NAMES } from './objects.ts';
import { writeYamlText, type Written } from './yaml-text.ts';

const METADATA_PATHS = ['metadata.annotations.replaced', 'metadata.annotations.[a.b/c]', 'metadata.labels.app'];
const DATA_PATHS = ['data.k', 'data.[file.txt]', 'data.[a.json].x.y'];
const POD_PATHS = [
  'spec.template.spec.containers.[name=main].image',
  'spec.template.spec.containers.*.image',
  'spec.template.spec.containers.0.env.[name=NEW].value',
  'spec.replicas',
];
const THING_PATHS = ['spec.list.[name=a].v', 'spec.list.2', 'spec.more.deep', 'spec.template.spec.containers.*.image'];
const EVERY_PATH = [...METADATA_PATHS, ...DATA_PATHS, ...POD_PATHS, ...THING_PATHS];

/** Paths that exist, or can be created, in most objects of the kind. */
function pathsOf(kind: string): readonly string[] {
  if (kind === 'ConfigMap') return [...METADATA_PATHS, ...DATA_PATHS];
  if (kind === 'Thing') return [...METADATA_PATHS, ...THING_PATHS];
  return /^(Deployment|StatefulSet|DaemonSet|Job)$/.test(kind) ? [...METADATA_PATHS, ...POD_PATHS] : METADATA_PATHS;
}

export function makeReplacements(layer: Layer): Written[] {
  const { chance, objects } = layer;
  if (objects.length === 0) return [];
  const from = chance.pick(objects);
  const to = chance.pick(objects);
  const sourcePath = chance.pick([
    'metadata.name',
    'metadata.name',
    'kind',
    ...pathsOf(from.kind).filter((path) => !/\*|NEW|a\.b|replaced/.test(path)),
    'metadata.labels',
  ]);
  const source: Written = {
    kind: from.kind,
    name: from.name,
    ...(chance.may(0.6) ? { fieldPath: sourcePath } : {}),
    ...(chance.may(0.2)
      ? { options: { delimiter: chance.pick(['-', ':', '/']), index: chance.may(0.2) ? 1 : 0 } }
      : {}),
  };
  const select = chance.pick<Written>([
    { kind: to.kind, name: to.name },
    { kind: to.kind },
    { name: chance.pick(NAMES) },
    { kind: to.kind, labelSelector: 'app' },
  ]);
  const fieldPath = chance.pick(chance.may(0.9) ? pathsOf(to.kind) : EVERY_PATH);
  const options = chance.may(0.8)
    ? {
        create: chance.may(0.9),
        ...(chance.may(0.3) ? { delimiter: chance.pick([':', '-']), index: chance.int(4) - 1 } : {}),
      }
    : undefined;
  const replacement: Written = {
    ...(chance.may(0.1) ? { sourceValue: chance.pick(['text', '7', 'true']) } : { source }),
    targets: [
      {
        select,
        fieldPaths: [fieldPath],
        ...(chance.may(0.1) ? { reject: [{ name: chance.pick(NAMES) }] } : {}),
        ...(options ? { options } : {}),
      },
    ],
  };
  // docs/kustomize.md names the difference of a number that one replacement makes a text, and the next one a number.
  if (layer.replacedPaths.has(fieldPath)) return [];
  layer.replacedPaths.add(fieldPath);
  if (chance.may(0.7)) return [replacement];
  const path = `replacement.yaml`;
  layer.files[`${layer.folder}/${path}`] = writeYamlText(chance, chance.may(0.5) ? replacement : [replacement]);
  return [{ path }];
}
