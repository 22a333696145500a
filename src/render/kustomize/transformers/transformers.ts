/**
 * All transformers in the order in which kustomize runs them. To add one, add a file to this folder and a line here.
 */
import { builtInOrigin, type Layer } from '../layer.ts';
import type { ResourceSet } from '../resource-set.ts';
import { annotationsTransformer } from './annotations.ts';
import { configuredTransforms } from './configured.ts';
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

/** Runs all transformers of one kustomization. All of them are configured before the first one changes an object. */
export function transformAll(layer: Layer, set: ResourceSet): void {
  const transforms = TRANSFORMERS.flatMap(({ name, configure }) => {
    const origin = layer.build.shouldTrackOrigin ? builtInOrigin(layer, name) : undefined;
    return configure(layer).map((run) => ({ run, origin }));
  });
  transforms.push(...configuredTransforms(layer, 'transformers'));
  for (const { run, origin } of transforms) {
    run(set);
    if (origin !== undefined) noteTransformation(set, origin);
  }
}
