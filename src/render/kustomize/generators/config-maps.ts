/** Generates ConfigMaps and Secrets from literals, files and env files. */
import type { YamlMap, YamlNode } from '../../../object/yaml/node.ts';
import { fail } from '../../fail.ts';
import { decodeUtf8 } from '../../file-loader.ts';
import type { Layer } from '../layer.ts';
import { checkWrittenKey, childMap, newResource, type Behavior, type Resource } from '../resource.ts';
import { loadPairs } from './key-values.ts';

export type ConfigMapArgs = Layer['kustomization']['configMapGenerator'][number];
export type SecretArgs = Layer['kustomization']['secretGenerator'][number];

/** `global`: the generatorOptions of the kustomization; undefined for the entries of `generators`. */
export function generateConfigMap(layer: Layer, args: ConfigMapArgs, global: ConfigMapArgs['options']): Resource {
  const options = mergeOptions(global, args.options);
  const node = baseNode('ConfigMap', args);
  for (const [key, bytes] of sorted(loadPairs(layer, args))) {
    const text = decodeUtf8(bytes);
    if (text === undefined) childMap(node, 'binaryData').set(key, toBase64(bytes));
    else childMap(node, 'data').set(key, text);
  }
  return finish(layer, args, options, node);
}

export function generateSecret(layer: Layer, args: SecretArgs, global: ConfigMapArgs['options']): Resource {
  const options = mergeOptions(global, args.options);
  const node = baseNode('Secret', args);
  node.set('type', args.type || 'Opaque');
  const data = childMap(node, 'data');
  for (const [key, bytes] of sorted(loadPairs(layer, args))) data.set(key, toBase64(bytes));
  return finish(layer, args, options, node);
}

interface GeneratorOptions {
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly disableNameSuffixHash: boolean;
  readonly immutable: boolean;
}

/** The options of an entry win over generatorOptions. A flag is set if it is set in either. */
function mergeOptions(global: ConfigMapArgs['options'], own: ConfigMapArgs['options']): GeneratorOptions {
  return {
    labels: new Map([...(global?.labels ?? []), ...(own?.labels ?? [])]),
    annotations: new Map([...(global?.annotations ?? []), ...(own?.annotations ?? [])]),
    disableNameSuffixHash: (own?.disableNameSuffixHash ?? false) || (global?.disableNameSuffixHash ?? false),
    immutable: (own?.immutable ?? false) || (global?.immutable ?? false),
  };
}

function baseNode(kind: string, args: { readonly name: string; readonly namespace: string }): YamlMap {
  if (args.name === '') fail('KustomizationInvalid', `a generator of a ${kind} needs a name`);
  const metadata: YamlMap = new Map([['name', args.name]]);
  if (args.namespace !== '') metadata.set('namespace', args.namespace);
  return new Map<string, YamlNode>([
    ['apiVersion', 'v1'],
    ['kind', kind],
    ['metadata', metadata],
  ]);
}

const BEHAVIORS = new Set<string>(['create', 'replace', 'merge'] satisfies Behavior[]);

function finish(layer: Layer, args: ConfigMapArgs, options: GeneratorOptions, node: YamlMap): Resource {
  const metadata = childMap(node, 'metadata');
  if (options.labels.size > 0) metadata.set('labels', new Map(options.labels));
  if (options.annotations.size > 0) metadata.set('annotations', new Map(options.annotations));
  if (options.immutable) node.set('immutable', { text: 'true', value: true });
  const place = { file: layer.kustomization.file, line: 1 };
  for (const texts of [options.labels, options.annotations, node.get('data'), node.get('binaryData')]) {
    if (texts instanceof Map) for (const key of texts.keys()) checkWrittenKey(key, place);
  }
  const resource = newResource(node, place);
  resource.isGenerated = true;
  resource.shouldHashName = !options.disableNameSuffixHash;
  resource.behavior = BEHAVIORS.has(args.behavior) ? (args.behavior as Behavior) : 'unspecified';
  return resource;
}

function sorted(pairs: ReadonlyMap<string, Uint8Array>): [string, Uint8Array][] {
  return [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Base64. From 70 characters on it is written in lines of 70 characters, each with a line end. */
function toBase64(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('base64');
  return text.length < 70 ? text : text.replace(/.{1,70}/g, '$&\n');
}
