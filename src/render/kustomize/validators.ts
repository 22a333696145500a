/** The field `validators`: built-in transformers that may change no object, except for its label `validated-by`. */
import { nodeToValue, isYamlMap } from '../../object/yaml/node.ts';
import { writeYaml } from '../../object/yaml/write.ts';
import { fail } from '../fail.ts';
import { placeOf, type Layer } from './layer.ts';
import type { ResourceSet } from './resource-set.ts';
import type { Resource } from './resource.ts';
import { configuredTransforms } from './transformers/configured.ts';

const VALIDATED_BY = 'validated-by';

export function validate(layer: Layer, set: ResourceSet): void {
  for (const { run } of configuredTransforms(layer, 'validators')) {
    const before = [...set.all].map((resource) => ({ resource, text: textWithout(resource) }));
    run(set);
    for (const { resource, text } of before) {
      if (set.all.has(resource) && textWithout(resource) === text) continue;
      fail('KustomizationInvalid', 'a validator changes an object; it may only check objects', placeOf(resource));
    }
  }
}

/** The object as text, without the label that validators may set. */
function textWithout(resource: Resource): string {
  const metadata = resource.node.get('metadata');
  const labels = isYamlMap(metadata) ? metadata.get('labels') : undefined;
  if (!isYamlMap(metadata) || !isYamlMap(labels) || !labels.has(VALIDATED_BY))
    return writeYaml(nodeToValue(resource.node));
  const left = new Map(labels);
  left.delete(VALIDATED_BY);
  const bare = new Map(metadata);
  if (left.size === 0) bare.delete('labels');
  else bare.set('labels', left);
  return writeYaml(nodeToValue(new Map(resource.node).set('metadata', bare)));
}
