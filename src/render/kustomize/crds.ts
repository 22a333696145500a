/**
 * The field `crds`: OpenAPI definitions of custom kinds. Their extensions say which fields are names, selectors or
 * references.
 */
import { isNothing, isYamlMap, textOf, type YamlMap, type YamlNode } from '../../object/yaml/node.ts';
import { fail, withPlace } from '../fail.ts';
import { readDocuments } from '../manifest-text.ts';
import { mergeFieldSpecs } from './merge-field-specs.ts';
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
    return withPlace({ file }, () => {
      const source = { text: loadText(layer, path), file, limits };
      const [document] = readDocuments(source, { dialect: 'v2', duplicateKeys: 'last', nonTextKeys: 'text' });
      if (!isYamlMap(document?.root)) {
        return fail('KustomizationInvalid', 'a file of crds must be a map of OpenAPI definitions');
      }
      for (const [name, definition] of document.root) checkDefinition(name, definition);
      return mergeFieldSpecs(specs, readDefinitions(document.root, limits.maxNodes));
    });
  }, NO_FIELD_SPECS);
}

/** Refuses above all the manifest of a CustomResourceDefinition, whose place is `resources`. */
function checkDefinition(name: string, definition: YamlNode): void {
  const schemas = isYamlMap(definition)
    ? [...definition].filter(([key]) => /^schema$/i.test(key)).map(([, schema]) => schema)
    : [definition];
  if (schemas.every((schema) => isNothing(schema) || isYamlMap(schema))) return;
  fail('KustomizationInvalid', `a file of crds maps names to OpenAPI definitions, but "${name}" is none`, {
    hint: 'Name the manifest of a CustomResourceDefinition under resources.',
  });
}

interface CrdFieldSpecs {
  readonly commonAnnotations: FieldSpec[];
  readonly commonLabels: FieldSpec[];
  readonly namePrefix: FieldSpec[];
  readonly nameReference: NameReference[];
}

function readDefinitions(definitions: YamlMap, maxProperties: number): FieldSpecs {
  const specs: CrdFieldSpecs = { commonAnnotations: [], commonLabels: [], namePrefix: [], nameReference: [] };
  const budget = { properties: maxProperties };
  for (const [name, definition] of definitions) {
    const properties = propertiesOf(definition);
    if (!['kind', 'apiVersion', 'metadata'].every((field) => properties.has(field))) continue;
    const kind = name.slice(name.lastIndexOf('.') + 1);
    collectSpecs({ definitions, kind, specs, openRefs: new Set([name]), budget }, properties, []);
  }
  return { ...NO_FIELD_SPECS, ...specs };
}

interface Collecting {
  readonly definitions: YamlMap;
  readonly kind: string;
  /** The result. */
  readonly specs: CrdFieldSpecs;
  /** Definitions on the current path; a definition that refers to itself is not entered again. */
  readonly openRefs: Set<string>;
  /** Properties that may still be visited. Definitions that each refer to two others can expand exponentially. */
  readonly budget: { properties: number };
}

function collectSpecs(collecting: Collecting, properties: YamlMap, path: readonly string[]): void {
  const { definitions, kind, specs, openRefs, budget } = collecting;
  for (const [name, property] of properties) {
    if (!isYamlMap(property)) continue;
    budget.properties -= 1;
    if (budget.properties < 0) fail('LimitExceeded', 'the definitions refer to each other too often');
    const propertyPath = [...path, name];
    const fieldSpec = spec(propertyPath.join('/'), kind);
    if (property.has('x-kubernetes-annotation')) specs.commonAnnotations.push(fieldSpec);
    if (property.has('x-kubernetes-label-selector')) specs.commonLabels.push(fieldSpec);
    if (property.has('x-kubernetes-identity')) specs.namePrefix.push(fieldSpec);
    const reference = referenceOf(property, propertyPath, kind);
    if (reference !== undefined) specs.nameReference.push(reference);
    const ref = textOf(property.get('$ref'));
    if (ref === '' || openRefs.has(ref)) continue;
    openRefs.add(ref);
    collectSpecs(collecting, propertiesOf(definitions.get(ref)), propertyPath);
    openRefs.delete(ref);
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
