/** configMapGenerator and secretGenerator, in the order in which kustomize runs them, and what `generators` names. */
import { atField, builtInOrigin, type Layer } from '../layer.ts';
import type { Resource } from '../resource.ts';
import { generateConfigMap, generateSecret } from './config-maps.ts';
import { externalGenerators } from './external.ts';

/** Everything that one kustomization generates; lazily: a later entry fails only after an earlier one is taken in. */
export function* generateAll(layer: Layer): Generator<Resource> {
  const { configMapGenerator, secretGenerator, generatorOptions } = layer.kustomization;
  for (const [index, args] of configMapGenerator.entries()) {
    yield atField(layer, ['configMapGenerator', index], () => {
      return traced(layer, generateConfigMap(layer, args, generatorOptions), 'ConfigMapGenerator');
    });
  }
  for (const [index, args] of secretGenerator.entries()) {
    yield atField(layer, ['secretGenerator', index], () => {
      return traced(layer, generateSecret(layer, args, generatorOptions), 'SecretGenerator');
    });
  }
  yield* externalGenerators(layer);
}

function traced(layer: Layer, resource: Resource, kind: string): Resource {
  if (layer.build.tracksOrigin) resource.origin = builtInOrigin(layer, kind);
  return resource;
}
