/**
 * The field `openapi`: the schema of strategic merges, given as a version or as a file. The first kustomization with
 * the field decides for the whole build. If kustomize has already loaded its built-in schema when it reads the file,
 * the definitions of both are used.
 */
import { isYamlList, isYamlMap, textOf, type YamlMap, type YamlNode } from '../../object/yaml/node.ts';
import { fail } from '../fail.ts';
import { readDocuments } from '../manifest-text.ts';
import { atField, loadText, locateFile, type Build, type Layer } from './layer.ts';
import { readBuiltInSchema, type MergeSchema } from './merge-schema.ts';

/** The only version that kustomize has built in. */
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
    if (version !== undefined) fail('KustomizationInvalid', 'openapi has both version and path; only one is allowed');
    build.schema = custom;
    build.isSchemaChosen = true;
  } else if (version !== undefined && version !== '') {
    if (version !== BUILT_IN) fail('KustomizationInvalid', `openapi.version must be ${BUILT_IN}, but is ${version}`);
    build.isSchemaChosen = true;
  }
}

function readSchema(layer: Layer, path: string): MergeSchema {
  const { limits } = layer.build.context;
  const source = { text: loadText(layer, path), file: locateFile(layer, path), limits };
  const [document] = readDocuments(source, { dialect: 'v2', duplicateKeys: 'last', nonTextKeys: 'text' });
  const definitions = isYamlMap(document?.root) ? document.root.get('definitions') : undefined;
  return compileSchema(isYamlMap(definitions) ? definitions : new Map(), loadedSchema(layer.build));
}

/** The schema that was loaded before the file; `isPreferred`: its definitions win over those of the file. */
interface LoadedSchema {
  readonly schema: MergeSchema;
  readonly isPreferred: boolean;
}

/**
 * The schema that kustomize has loaded before it reads the file. It loads the built-in one for a strategic merge, and
 * when it reads an object of a kind that it does not know.
 */
function loadedSchema({ schema, kinds }: Build): LoadedSchema | undefined {
  if (schema !== undefined) return { schema, isPreferred: false };
  if (kinds.size === 0) return undefined;
  const builtIn = readBuiltInSchema();
  const isLoaded = [...kinds].some((kind) => !Object.hasOwn(builtIn.kinds, kind));
  return isLoaded ? { schema: builtIn, isPreferred: true } : undefined;
}

type Child = string | [string, number] | number;

/** Compiles definitions into the table that merges use, with one type for each definition and each inline object. */
function compileSchema(definitions: YamlMap, loaded: LoadedSchema | undefined): MergeSchema {
  const types = [...(loaded?.schema.types ?? [])] as Record<string, Child>[];
  const names = Object.entries(loaded?.schema.names ?? {}).filter(([name]) => {
    return loaded?.isPreferred === true || !definitions.has(name);
  });
  const typeIndexes = new Map<string, number>(names);

  const typeOf = (schema: YamlMap): number | undefined => {
    const ref = textOf(schema.get('$ref')).replace('#/definitions/', '');
    const known = ref === '' ? undefined : typeIndexes.get(ref);
    if (known !== undefined) return known;
    const target = ref === '' ? schema : definitions.get(ref);
    if (!isYamlMap(target) || (!target.has('properties') && !target.has('additionalProperties'))) return undefined;
    const fields: Record<string, Child> = Object.create(null) as Record<string, Child>;
    const index = types.push(fields) - 1;
    // Registered before its fields are compiled, because a definition may refer to itself.
    if (ref !== '') typeIndexes.set(ref, index);
    const properties = target.get('properties');
    if (isYamlMap(properties)) for (const [name, property] of properties) put(fields, name, property);
    put(fields, '*', target.get('additionalProperties'));
    return index;
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

  const kinds = Object.assign(Object.create(null) as Record<string, number>, loaded?.schema.kinds);
  for (const [name, definition] of definitions) {
    const gvks = isYamlMap(definition) ? definition.get('x-kubernetes-group-version-kind') : undefined;
    const index = isYamlList(gvks) ? typeOf(new Map([['$ref', `#/definitions/${name}`]])) : undefined;
    if (index === undefined || !isYamlList(gvks)) continue;
    for (const gvk of gvks) if (isYamlMap(gvk)) kinds[kindKey(gvk)] = index;
  }
  return { kinds, types, names: Object.fromEntries(typeIndexes) };
}

function kindKey(gvk: YamlMap): string {
  const group = textOf(gvk.get('group'));
  return `${group === '' ? '' : `${group}/`}${textOf(gvk.get('version'))}/${textOf(gvk.get('kind'))}`;
}
