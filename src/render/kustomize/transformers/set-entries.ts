/** Sets entries of the maps at field specs: what labels and annotations have in common. */
import { isNothing, isYamlMap, type YamlMap, type YamlNode } from '../../../object/yaml/node.ts';
import { fail } from '../../fail.ts';
import { fieldsByKind, visitField, type Field, type FieldSpec } from '../field-spec.ts';
import { placeOf } from '../layer.ts';
import type { ResourceSet } from '../resource-set.ts';
import type { Resource } from '../resource.ts';

export function setEntries(set: ResourceSet, entries: ReadonlyMap<string, string>, specs: readonly FieldSpec[]): void {
  if (entries.size === 0) return;
  const fieldsOf = fieldsByKind(specs);
  for (const resource of set.all) setEntriesOf(resource, entries, fieldsOf(resource.node));
}

function setEntriesOf(resource: Resource, entries: ReadonlyMap<string, string>, fields: readonly Field[]): void {
  const setAll = (found: YamlNode): YamlNode => {
    if (isNothing(found)) return new Map(entries);
    if (!isYamlMap(found)) fail('InvalidObject', 'labels or annotations are no map', placeOf(resource));
    const map: YamlMap = found;
    for (const [key, value] of entries) map.set(key, value);
    return map;
  };
  for (const field of fields) visitField(resource.node, field, { create: 'map', set: setAll });
}
