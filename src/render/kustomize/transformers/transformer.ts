/** What every transformer is: it looks at one kustomization and gives back the changes to make, in order. */
import type { Layer } from '../layer.ts';
import type { ResourceSet } from '../resource-set.ts';

export type Transform = (set: ResourceSet) => void;

export interface Transformer {
  /** As kustomize calls it; origin annotations name it so. */
  readonly name: string;
  /** One change for each entry of the kustomization. Fails where the entry is wrong. */
  readonly configure: (layer: Layer) => readonly Transform[];
}
