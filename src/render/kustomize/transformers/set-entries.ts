/** Sets entries of maps in the fields of field specs; shared by labels and annotations. */
import { assign, isNothing, isYamlMap, shareText, styledAs, textOf, type YamlNode } from '../../../object/yaml/node.ts';
import { resolvePlain } from '../../../object/yaml/scalar.ts';
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
  // kustomize writes the same text node into all fields that lack the entry, so a later change of one changes them all.
  const isShared = fields.length > 1;
  const texts = new Map(Array.from(entries, ([key, text]) => [key, isShared ? shareText(text) : text] as const));
  const setAll = (found: YamlNode): YamlNode => {
    const map: YamlNode = isNothing(found) ? new Map<string, YamlNode>() : found;
    if (!isYamlMap(map)) return fail('InvalidObject', 'labels or annotations are not a map', placeOf(resource));
    for (const [key, text] of texts) {
      if (map.has(key)) assign(map, key, styledAs(map.get(key), textOf(text)));
      else if (typeof resolvePlain(key) === 'string') map.set(key, text);
      else fail('KustomizationInvalid', `the name of the label or annotation ${key} is not a text`, placeOf(resource));
    }
    return map;
  };
  for (const field of fields) visitField(resource.node, field, { create: 'map', set: setAll });
}
