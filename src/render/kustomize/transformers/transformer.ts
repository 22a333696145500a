/** What every transformer is: it looks at one kustomization and gives back the changes to make, in order. */
import type { YamlPath } from '../../../object/yaml/locate.ts';
import { atField, type Layer } from '../layer.ts';
import type { ResourceSet } from '../resource-set.ts';

export type Transform = (set: ResourceSet) => void;

export interface Transformer {
  /** As kustomize calls it; origin annotations name it so. */
  readonly name: string;
  /** One change for each entry of the kustomization. Fails where the entry is wrong. */
  readonly configure: (layer: Layer) => readonly Transform[];
}

/** A change whose problems are placed at the entry of the kustomization that asks for it. */
export function placed(layer: Pick<Layer, 'kustomization'>, path: YamlPath, configure: () => Transform): Transform {
  const run = atField(layer, path, configure);
  return (set) => atField(layer, path, () => run(set));
}
