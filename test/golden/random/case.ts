/** One random case: a stack of three or four kustomizations, sometimes with a component, and the uses in it. */
import { newChance } from '../../support/chance.ts';
import { makeFields, type Fields, type Layer } from './fields.ts';
import { makeObject, type MadeObject } from './objects.ts';
import { dressDocuments } from './dress.ts';
import { writeYamlText, type Written } from './yaml-text.ts';

export interface RandomCase {
  /** Text by path; `top` is the folder to build. */
  readonly files: Readonly<Record<string, string>>;
  /** Content of the kustomizations among the files, by path. */
  readonly kustomizations: Readonly<Record<string, Fields>>;
  /** Names of the fields, transformers and generators in the case. */
  readonly uses: readonly string[];
}

export function makeCase(seed: number): RandomCase {
  const chance = newChance(seed);
  // A stream of its own keeps the structure of the cases of a seed.
  const dressing = newChance(seed + 1_000_000_007);
  const files: Record<string, string> = {};
  const kustomizations: Record<string, Fields> = {};
  const uses = new Set<string>();
  const objects: MadeObject[] = [];
  const replacedPaths = new Set<string>();
  const layers: readonly (readonly [string, readonly string[]])[] = chance.may(0.2)
    ? [
        ['base', []],
        ['left', ['../base']],
        ['right', ['../base']],
        ['top', ['../left', '../right']],
      ]
    : [
        ['base', []],
        ['middle', ['../base']],
        ['top', ['../middle']],
      ];
  for (const [folder, bases] of layers) {
    const layer: Layer = {
      chance,
      dressing,
      folder,
      files,
      kustomizations,
      uses,
      objects,
      replacedPaths,
      density: chance.may(0.3) ? 0.3 : 0.12,
    };
    const own = folder === 'base' || chance.may(0.3) ? writeObjects(layer, folder === 'base' ? 4 : 1) : [];
    const components = folder !== 'base' && chance.may(0.15) ? [writeComponent(layer)] : [];
    const fields = makeFields(layer);
    const kustomization: Fields = {
      ...(chance.may(0.5) ? { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' } : {}),
      resources: [...bases, ...own],
      ...(components.length > 0 ? { components } : {}),
      ...fields,
      ...schemaFields(layer),
    };
    writeKustomization(layer, kustomization);
  }
  return { files: withoutDoubtfulComments(files), kustomizations, uses: [...uses] };
}

/**
 * docs/kustomize.md names the difference of a comment that closes a document to whose end a patch adds kept lines. Such
 * a text looks like this in a patch.
 */
function withoutDoubtfulComments(files: Readonly<Record<string, string>>): Record<string, string> {
  const mayAddKeptLines = Object.entries(files).some(([path, text]) => !/objects-/.test(path) && /[|>]\+\n/.test(text));
  const change = (text: string): string => (mayAddKeptLines ? text.replace(/(\r?\n) *# the end(?=\r?\n)/g, '$1') : text);
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path, change(text)]));
}

/** The files of the case without one use. If they render to the same text, the use has no effect. */
export function withoutUse({ files, kustomizations }: RandomCase, use: string): Readonly<Record<string, string>> {
  const [field = '', kind] = use.split('/');
  const changed = Object.entries(kustomizations).map(([path, fields]): [string, string] => {
    const { [field]: entries, ...rest } = fields;
    const folder = path.slice(0, path.lastIndexOf('/'));
    const isKept = (entry: Written): boolean =>
      !isOfKind(entry, kind ?? '', (name) => files[`${folder}/${name}`] ?? name);
    const kept = kind !== undefined && Array.isArray(entries) ? entries.filter(isKept) : [];
    return [path, JSON.stringify(kept.length > 0 ? { ...rest, [field]: kept } : rest)];
  });
  return { ...files, ...Object.fromEntries(changed) };
}

/** Whether an entry is a patch of this kind (`merge`, `json`) or configures this built-in. `load` returns a file. */
function isOfKind(entry: Written, kind: string, load: (name: string) => string): boolean {
  if (typeof entry === 'string') return new RegExp(`\\b${kind}\\b`).test(load(entry));
  const { patch, path } = entry as { patch?: string; path?: string };
  const isJson = /^\s*[-[]/.test(patch ?? load(path ?? ''));
  return kind === (isJson ? 'json' : 'merge');
}

function writeKustomization({ chance, folder, files, kustomizations }: Layer, fields: Fields): void {
  const path = `${folder}/kustomization.yaml`;
  kustomizations[path] = fields;
  files[path] = writeYamlText(chance, fields);
}

/** Writes objects into one file or two. Returns the names of the files. */
function writeObjects(layer: Layer, most: number): string[] {
  const { chance, folder, files, objects } = layer;
  const made = Array.from({ length: 1 + chance.int(most) }, () => makeObject(chance)).filter(
    (one) => !isKnown(objects, one),
  );
  objects.push(...made);
  const texts = made.map(({ value }) => ({ text: writeYamlText(chance, value), value }));
  if (texts.length === 0) return [];
  if (chance.may(0.1)) {
    files[`${folder}/list.yaml`] = writeYamlText(chance, {
      apiVersion: 'v1',
      kind: 'List',
      items: made.map(({ value }) => value),
    });
    return ['list.yaml'];
  }
  const split = chance.int(texts.length);
  const parts = [texts.slice(0, split), texts.slice(split)].filter((part) => part.length > 0);
  return parts.map((part, index) => {
    const name = `objects-${index}.yaml`;
    files[`${folder}/${name}`] = dressDocuments(layer.dressing, part);
    return name;
  });
}

function isKnown(objects: readonly MadeObject[], { kind, name }: MadeObject): boolean {
  return objects.some((one) => one.kind === kind && one.name === name);
}

/** The fields `openapi` and `crds`, which few kustomizations have. */
function schemaFields({ dressing, folder, files }: Layer): Fields {
  const fields: Record<string, Written> = {};
  if (dressing.may(0.06)) {
    const items = { $ref: '#/definitions/io.example.v1.Item' };
    const list = { type: 'array', items, 'x-kubernetes-patch-merge-key': 'name', 'x-kubernetes-patch-strategy': 'merge' };
    const kind = { group: 'example.com', version: 'v1', kind: 'Thing' };
    files[`${folder}/schema.json`] = JSON.stringify({
      definitions: {
        'io.example.v1.Item': { type: 'object', properties: { name: { type: 'string' } } },
        'io.example.v1.Thing': {
          type: 'object',
          properties: { spec: { type: 'object', properties: { list } } },
          'x-kubernetes-group-version-kind': [kind],
        },
      },
    });
    fields['openapi'] = { path: 'schema.json' };
  }
  if (dressing.may(0.06)) {
    const reference = { 'x-kubernetes-object-ref-api-version': 'v1', 'x-kubernetes-object-ref-kind': 'ConfigMap' };
    files[`${folder}/crds.json`] = JSON.stringify({
      'example.com/v1.Thing': { Schema: { properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' }, spec: { $ref: 'example.com/v1.ThingSpec' } } } },
      'example.com/v1.ThingSpec': { Schema: { properties: { more: { ...reference, $ref: 'example.com/v1.Ref' } } } },
      'example.com/v1.Ref': { Schema: { properties: { name: { type: 'string' } } } },
    });
    fields['crds'] = ['crds.json'];
  }
  return fields;
}

function writeComponent(layer: Layer): string {
  const { folder, uses } = layer;
  uses.add('components');
  const name = `component-of-${folder}`;
  const inner: Layer = { ...layer, folder: name, density: 0.15 };
  const isNested = layer.dressing.may(0.3) && !folder.startsWith('component');
  writeKustomization(inner, {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    ...(isNested ? { components: [writeComponent(inner)] } : {}),
    ...{ commonAnnotations: { component: 'yes' }, ...makeFields(inner) },
  });
  return `../${name}`;
}
