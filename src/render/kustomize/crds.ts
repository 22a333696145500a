/**
 * crds: OpenAPI definitions of custom kinds, whose extensions say which fields are names, selectors or references.
 */
import { isYamlMap, textOf, type YamlMap, type YamlNode } from '../../object/yaml/node.ts';
import { fail, within } from '../fail.ts';
import { readDocuments } from '../manifest-text.ts';
import { mergeFieldSpecs } from './config.ts';
import type { FieldSpec } from './field-spec.ts';
import { NO_FIELD_SPECS, type FieldSpecs } from './field-specs/defaults.ts';
import type { NameReference } from './field-specs/name-references.ts';
import { spec } from './field-specs/pod-paths.ts';
import { entriesOf, loadText, locateFile, type Layer } from './layer.ts';

export function loadCrds(layer: Layer): FieldSpecs {
  const atEntry = entriesOf(layer, 'crds');
  return layer.kustomization.crds.reduce((specs, path, index) => {
    const file = atEntry(index, () => locateFile(layer, path));
    const { limits } = layer.build.context;
    return within({ file }, () => {
      const source = { text: loadText(layer, path), file, limits };
      const [document] = readDocuments(source, { dialect: 'v2', duplicateKeys: 'last', nonTextKeys: 'text' });
      if (!isYamlMap(document?.root)) return fail('KustomizationInvalid', 'crds names a file of OpenAPI definitions');
      return mergeFieldSpecs(specs, readDefinitions(document.root, limits.maxNodes));
    });
  }, NO_FIELD_SPECS);
}

interface Found {
  readonly commonAnnotations: FieldSpec[];
  readonly commonLabels: FieldSpec[];
  readonly namePrefix: FieldSpec[];
  readonly nameReference: NameReference[];
}

function readDefinitions(definitions: YamlMap, maxProperties: number): FieldSpecs {
  const found: Found = { commonAnnotations: [], commonLabels: [], namePrefix: [], nameReference: [] };
  const left = { properties: maxProperties };
  for (const [name, definition] of definitions) {
    const properties = propertiesOf(definition);
    if (!['kind', 'apiVersion', 'metadata'].every((field) => properties.has(field))) continue;
    const kind = name.slice(name.lastIndexOf('.') + 1);
    collect({ definitions, kind, found, open: new Set([name]), left }, properties, []);
  }
  return { ...NO_FIELD_SPECS, ...found };
}

interface Collecting {
  readonly definitions: YamlMap;
  readonly kind: string;
  readonly found: Found;
  /** Definitions on the way here, so that one that refers to itself ends. */
  readonly open: Set<string>;
  /** What may still be looked at: definitions that each name another twice unfold without end. */
  readonly left: { properties: number };
}

function collect(collecting: Collecting, properties: YamlMap, path: readonly string[]): void {
  const { definitions, kind, found, open, left } = collecting;
  for (const [name, property] of properties) {
    if (!isYamlMap(property)) continue;
    left.properties -= 1;
    if (left.properties < 0) fail('LimitExceeded', 'the definitions refer to each other too often');
    const at = [...path, name];
    const here = spec(at.join('/'), kind);
    if (property.has('x-kubernetes-annotation')) found.commonAnnotations.push(here);
    if (property.has('x-kubernetes-label-selector')) found.commonLabels.push(here);
    if (property.has('x-kubernetes-identity')) found.namePrefix.push(here);
    const reference = referenceOf(property, at, kind);
    if (reference !== undefined) found.nameReference.push(reference);
    const ref = textOf(property.get('$ref'));
    if (ref === '' || open.has(ref)) continue;
    open.add(ref);
    collect(collecting, propertiesOf(definitions.get(ref)), at);
    open.delete(ref);
  }
}

function referenceOf(property: YamlMap, path: readonly string[], kind: string): NameReference | undefined {
  const version = property.get('x-kubernetes-object-ref-api-version');
  const target = property.get('x-kubernetes-object-ref-kind');
  if (version === undefined || target === undefined) return undefined;
  const key = property.get('x-kubernetes-object-ref-name-key');
  const field = [...path, key === undefined ? 'name' : textOf(key)].join('/');
  return { group: '', version: textOf(version), kind: textOf(target), fieldSpecs: [spec(field, kind)] };
}

function propertiesOf(definition: YamlNode | undefined): YamlMap {
  const schema = isYamlMap(definition) ? (definition.get('Schema') ?? definition.get('schema')) : undefined;
  const properties = isYamlMap(schema) ? schema.get('properties') : undefined;
  return isYamlMap(properties) ? properties : new Map();
}
