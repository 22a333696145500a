/** All generators of a kustomization in the order of kustomize: configMapGenerator, secretGenerator, `generators`. */
import { atField, builtInOrigin, type Layer } from '../layer.ts';
import type { Resource } from '../resource.ts';
import { generateConfigMap, generateSecret } from './config-maps.ts';
import { configuredGenerators } from './configured.ts';

/**
 * Yields the generated objects one by one, so that the caller adds each of them before a later entry can fail. So the
 * problem of the earlier entry is the one that is reported.
 */
export function* generateAll(layer: Layer): Generator<Resource> {
  const { configMapGenerator, secretGenerator, generatorOptions } = layer.kustomization;
  for (const [index, args] of configMapGenerator.entries()) {
    yield atField(layer, ['configMapGenerator', index], () => {
      return withOrigin(layer, generateConfigMap(layer, args, generatorOptions), 'ConfigMapGenerator');
    });
  }
  for (const [index, args] of secretGenerator.entries()) {
    yield atField(layer, ['secretGenerator', index], () => {
      return withOrigin(layer, generateSecret(layer, args, generatorOptions), 'SecretGenerator');
    });
  }
  yield* configuredGenerators(layer);
}

function withOrigin(layer: Layer, resource: Resource, kind: string): Resource {
  if (layer.build.shouldTrackOrigin) resource.origin = builtInOrigin(layer, kind);
  return resource;
}
