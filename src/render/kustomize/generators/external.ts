/** generators: configurations of the generators that kustomize has built in; anything else would be a plugin. */
import { fail } from '../../fail.ts';
import type { Layer } from '../layer.ts';
import type { Resource } from '../resource.ts';

export function externalGenerators(layer: Layer): Resource[] {
  const [first] = layer.kustomization.generators;
  if (first === undefined) return [];
  return fail('Unsupported', 'the field generators is not supported: plugins are not run');
}
