/**
 * All transformers in the order in which kustomize runs them. A new one is a file beside this one and a line here.
 */
import { builtInOrigin, type Layer } from '../layer.ts';
import type { ResourceSet } from '../resource-set.ts';
import { annotationsTransformer } from './annotations.ts';
import { externalTransforms } from './external.ts';
import { imageTransformer } from './images.ts';
import { jsonPatchTransformer } from './patches-json6902.ts';
import { labelTransformer } from './labels.ts';
import { namespaceTransformer } from './namespace.ts';
import { patchTransformer } from './patches.ts';
import { strategicMergeTransformer } from './patches-strategic-merge.ts';
import { prefixTransformer, suffixTransformer } from './name-affixes.ts';
import { noteTransformation } from '../origins.ts';
import { replacementTransformer } from './replacements.ts';
import { replicaTransformer } from './replicas.ts';
import type { Transformer } from './transformer.ts';

const TRANSFORMERS: readonly Transformer[] = [
  strategicMergeTransformer,
  patchTransformer,
  namespaceTransformer,
  prefixTransformer,
  suffixTransformer,
  labelTransformer,
  annotationsTransformer,
  jsonPatchTransformer,
  replicaTransformer,
  imageTransformer,
  replacementTransformer,
];

/** Runs everything that one kustomization asks for; all of it is configured before the first change is made. */
export function transformAll(layer: Layer, set: ResourceSet): void {
  const transforms = TRANSFORMERS.flatMap(({ name, configure }) => {
    const origin = layer.build.tracksOrigin ? builtInOrigin(layer, name) : undefined;
    return configure(layer).map((run) => ({ run, origin }));
  });
  transforms.push(...externalTransforms(layer, 'transformers'));
  for (const { run, origin } of transforms) {
    run(set);
    if (origin !== undefined) noteTransformation(set, origin);
  }
}
