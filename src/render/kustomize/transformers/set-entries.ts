/** Sets entries of the maps at field specs: what labels and annotations have in common. */
import { isNothing, isYamlMap, type YamlMap, type YamlNode } from '../../../object/yaml/node.ts';
import { fail } from '../../fail.ts';
import { visitField, type FieldSpec } from '../field-spec.ts';
import { placeOf } from '../layer.ts';
import type { ResourceSet } from '../resource-set.ts';
import type { Resource } from '../resource.ts';

export function setEntries(set: ResourceSet, entries: ReadonlyMap<string, string>, specs: readonly FieldSpec[]): void {
  if (entries.size === 0) return;
  for (const resource of set.all) setEntriesOf(resource, entries, specs);
}

export function setEntriesOf(
  resource: Resource,
  entries: ReadonlyMap<string, string>,
  specs: readonly FieldSpec[],
): void {
  const setAll = (found: YamlNode): YamlNode => {
    if (isNothing(found)) return new Map(entries);
    if (!isYamlMap(found)) fail('InvalidObject', 'labels or annotations are no map', placeOf(resource));
    const map: YamlMap = found;
    for (const [key, value] of entries) map.set(key, value);
    return map;
  };
  for (const spec of specs) visitField(resource.node, spec, { create: 'map', set: setAll });
}
