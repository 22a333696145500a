/** transformers: configurations of the transformers that kustomize has built in; anything else would be a plugin. */
import { fail } from '../../fail.ts';
import type { Layer } from '../layer.ts';
import type { Origin } from '../resource.ts';
import type { Transform } from './transformer.ts';

export interface TracedTransform {
  readonly run: Transform;
  readonly origin: Origin | undefined;
}

export function externalTransformers(layer: Layer): TracedTransform[] {
  const [first] = layer.kustomization.transformers;
  if (first === undefined) return [];
  return fail('Unsupported', 'the field transformers is not supported: plugins are not run');
}
