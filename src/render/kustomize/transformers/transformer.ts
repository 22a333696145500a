/** The interface of transformers: each reads one kustomization and returns the changes to make, in order. */
import type { YamlPath } from '../../../object/yaml/locate.ts';
import { atField, type Layer } from '../layer.ts';
import type { ResourceSet } from '../resource-set.ts';

export type Transform = (set: ResourceSet) => void;

export interface Transformer {
  /** The name of the transformer in kustomize, for origin annotations. */
  readonly name: string;
  /** The changes for the entries of the kustomization. Fails if an entry is wrong. */
  readonly configure: (layer: Layer) => readonly Transform[];
}

/** A change whose problems get the line of the field or entry in the kustomization. */
export function placed(layer: Pick<Layer, 'kustomization'>, path: YamlPath, configure: () => Transform): Transform {
  const run = atField(layer, path, configure);
  return (set) => atField(layer, path, () => run(set));
}
