/**
 * openapi: the schema that strategic merge goes by, given by version or as a file. The first kustomization that says
 * something decides for the whole build. What kustomize has built in counts beside a file if it was needed before.
 */
import { isYamlList, isYamlMap, textOf, type YamlMap, type YamlNode } from '../../object/yaml/node.ts';
import { fail } from '../fail.ts';
import { readDocuments } from '../manifest-text.ts';
import { atField, loadText, locateFile, type Build, type Layer } from './layer.ts';
import { readBuiltInSchema, type MergeSchema } from './merge-schema.ts';

/** The one version that kustomize has built in. */
const BUILT_IN = 'v1.21.2';

export function chooseSchema(build: Build, layer: Layer): void {
  if (layer.kustomization.openapi !== undefined) atField(layer, ['openapi'], () => readChoice(build, layer));
}

function readChoice(build: Build, layer: Layer): void {
  const { openapi } = layer.kustomization;
  const path = openapi?.get('path');
  const version = openapi?.get('version');
  const custom = path === undefined ? undefined : readSchema(layer, path);
  if (build.isSchemaChosen) return;
  if (custom !== undefined) {
    if (version !== undefined)
      fail('KustomizationInvalid', 'openapi has both version and path; only one of them may be there');
    build.schema = custom;
    build.isSchemaChosen = true;
  } else if (version !== undefined && version !== '') {
    if (version !== BUILT_IN)
      fail('KustomizationInvalid', `openapi.version ${version} is not built in; only ${BUILT_IN} is`);
    build.isSchemaChosen = true;
  }
}

function readSchema(layer: Layer, path: string): MergeSchema {
  const { limits } = layer.build.context;
  const source = { text: loadText(layer, path), file: locateFile(layer, path), limits };
  const [document] = readDocuments(source, { dialect: 'v2', duplicateKeys: 'last', nonTextKeys: 'text' });
  const definitions = isYamlMap(document?.root) ? document.root.get('definitions') : undefined;
  return compileSchema(isYamlMap(definitions) ? definitions : new Map(), builtInBeside(layer.build));
}

/** What a schema of one's own is laid over, or under: `wins` says which of two definitions of a name counts. */
interface Beside {
  readonly schema: MergeSchema;
  readonly wins: boolean;
}

/** A merge before has read the built-in schema; an object of a kind that it does not know has asked for it. */
function builtInBeside({ schema, kinds }: Build): Beside | undefined {
  if (schema !== undefined) return { schema, wins: false };
  if (kinds.size === 0) return undefined;
  const builtIn = readBuiltInSchema();
  return [...kinds].every((kind) => Object.hasOwn(builtIn.kinds, kind)) ? undefined : { schema: builtIn, wins: true };
}

type Child = string | [string, number] | number;

/** Compiles definitions into the table that merging reads; one type for each definition and each inline object. */
function compileSchema(definitions: YamlMap, beside: Beside | undefined): MergeSchema {
  const types = [...(beside?.schema.types ?? [])] as Record<string, Child>[];
  const names = Object.entries(beside?.schema.names ?? {});
  const numbers = new Map<string, number>(names.filter(([name]) => beside?.wins === true || !definitions.has(name)));

  const typeOf = (schema: YamlMap): number | undefined => {
    const ref = textOf(schema.get('$ref')).replace('#/definitions/', '');
    const known = ref === '' ? undefined : numbers.get(ref);
    if (known !== undefined) return known;
    const target = ref === '' ? schema : definitions.get(ref);
    if (!isYamlMap(target) || (!target.has('properties') && !target.has('additionalProperties'))) return undefined;
    const fields: Record<string, Child> = Object.create(null) as Record<string, Child>;
    const number = types.push(fields) - 1;
    // Known before its fields are looked at, since a definition may refer to itself.
    if (ref !== '') numbers.set(ref, number);
    const properties = target.get('properties');
    if (isYamlMap(properties)) for (const [name, property] of properties) put(fields, name, property);
    put(fields, '*', target.get('additionalProperties'));
    return number;
  };

  const put = (fields: Record<string, Child>, name: string, property: YamlNode | undefined): void => {
    const child = isYamlMap(property) ? childOf(property) : undefined;
    if (child !== undefined) fields[name] = child;
  };

  const childOf = (property: YamlMap): Child | undefined => {
    if (textOf(property.get('type')) !== 'array') return typeOf(property);
    if (!textOf(property.get('x-kubernetes-patch-strategy')).split(',').includes('merge')) return undefined;
    const mapKeys = property.get('x-kubernetes-list-map-keys');
    const keys = isYamlList(mapKeys)
      ? mapKeys.map(textOf).join(' ')
      : textOf(property.get('x-kubernetes-patch-merge-key'));
    const items = property.get('items');
    const element = isYamlMap(items) ? typeOf(items) : undefined;
    return element === undefined ? keys : [keys, element];
  };

  const kinds = Object.assign(Object.create(null) as Record<string, number>, beside?.schema.kinds);
  for (const [name, definition] of definitions) {
    const gvks = isYamlMap(definition) ? definition.get('x-kubernetes-group-version-kind') : undefined;
    const number = isYamlList(gvks) ? typeOf(new Map([['$ref', `#/definitions/${name}`]])) : undefined;
    if (number === undefined || !isYamlList(gvks)) continue;
    for (const gvk of gvks) if (isYamlMap(gvk)) kinds[kindKey(gvk)] = number;
  }
  return { kinds, types, names: Object.fromEntries(numbers) };
}

function kindKey(gvk: YamlMap): string {
  const group = textOf(gvk.get('group'));
  return `${group === '' ? '' : `${group}/`}${textOf(gvk.get('version'))}/${textOf(gvk.get('kind'))}`;
}
