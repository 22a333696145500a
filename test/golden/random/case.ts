/** One random case: a stack of three kustomizations, at times with a component or a second base, and what it uses. */
import { newChance } from './chance.ts';
import { makeFields, type Layer } from './fields.ts';
import { makeObject, type MadeObject } from './objects.ts';
import { writeYamlText, type Written } from './yaml-text.ts';

export interface RandomCase {
  /** By path; `top` is the folder to build. */
  readonly files: Readonly<Record<string, string>>;
  /** Names of the transformers and generators that it asks for. */
  readonly uses: readonly string[];
}

export function makeCase(seed: number): RandomCase {
  const chance = newChance(seed);
  const files: Record<string, string> = {};
  const uses = new Set<string>();
  const objects: MadeObject[] = [];
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
    const layer: Layer = { chance, folder, files, uses, objects, density: chance.may(0.3) ? 0.3 : 0.12 };
    const own = folder === 'base' || chance.may(0.3) ? writeObjects(layer, folder === 'base' ? 4 : 1) : [];
    const components = folder !== 'base' && chance.may(0.15) ? [writeComponent(layer)] : [];
    const fields = makeFields(layer);
    const kustomization: Written = {
      ...(chance.may(0.5) ? { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' } : {}),
      resources: [...bases, ...own],
      ...(components.length > 0 ? { components } : {}),
      ...fields,
    };
    files[`${folder}/kustomization.yaml`] = writeYamlText(chance, kustomization);
  }
  return { files, uses: [...uses] };
}

/** Writes objects into one file or two, and returns their names. */
function writeObjects(layer: Layer, most: number): string[] {
  const { chance, folder, files, objects } = layer;
  const made = Array.from({ length: 1 + chance.int(most) }, () => makeObject(chance)).filter(
    (one) => !isKnown(objects, one),
  );
  objects.push(...made);
  const texts = made.map(({ value }) => writeYamlText(chance, value));
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
    files[`${folder}/${name}`] = part.join('---\n');
    return name;
  });
}

function isKnown(objects: readonly MadeObject[], { kind, name }: MadeObject): boolean {
  return objects.some((one) => one.kind === kind && one.name === name);
}

function writeComponent(layer: Layer): string {
  const { chance, folder, files, uses } = layer;
  uses.add('components');
  const name = `component-of-${folder}`;
  const inner: Layer = { ...layer, folder: name, density: 0.15 };
  files[`${name}/kustomization.yaml`] = writeYamlText(chance, {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    ...{ commonAnnotations: { component: 'yes' }, ...makeFields(inner) },
  });
  return `../${name}`;
}
