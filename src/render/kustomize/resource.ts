/**
 * One object on its way through kustomize: its tree, and what kustomize remembers beside it (the names it had, the
 * prefixes and suffixes it got, whether its name wants a hash).
 *
 * Invariant: kustomize keeps this memory in annotations of the object; here it never enters the tree.
 */
import {
  isNothing,
  isSharedText,
  isUntyped,
  isYamlMap,
  textOf,
  type YamlMap,
  type YamlNode,
} from '../../object/yaml/node.ts';
import { currentId, effectiveNamespace, gvkOf, keyOf, type ResourceId } from './resource-id.ts';

export type Behavior = 'unspecified' | 'create' | 'replace' | 'merge';

/** A name that an object had before a transformer changed it; the namespace is the effective one. */
export interface PreviousName {
  readonly namespace: string;
  readonly name: string;
  readonly kind: string;
}

/** Where an object came from, or what changed it, in the words of kustomize's origin annotation. */
export interface Origin {
  readonly path?: string;
  readonly configuredIn?: string;
  readonly configuredBy?: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name?: string;
    readonly namespace?: string;
  };
}

export interface Resource {
  node: YamlMap;
  /** Path in the tree of the file that it came from, and the 1-based line. */
  file: string;
  line: number;
  previous: PreviousName[];
  prefixes: string[];
  suffixes: string[];
  behavior: Behavior;
  /** Made by a generator: kustomize has written annotations into it from the start. */
  isGenerated: boolean;
  needsHash: boolean;
  /** Names of the vars that read a field of it. */
  varNames: string[];
  origin?: Origin;
  transformations: Origin[];
}

export function newResource(node: YamlMap, place: { file: string; line: number }): Resource {
  return {
    node,
    file: place.file,
    line: place.line,
    previous: [],
    prefixes: [],
    suffixes: [],
    behavior: 'unspecified',
    isGenerated: false,
    needsHash: false,
    varNames: [],
    transformations: [],
  };
}

export function previousIds(resource: Resource): ResourceId[] {
  const { group, version } = gvkOf(resource.node);
  return resource.previous.map(({ namespace, name, kind }) => ({ group, version, kind, name, namespace }));
}

/** The id that it had first. */
export function originalId(resource: Resource): ResourceId {
  const first = resource.previous[0];
  if (first === undefined) return currentId(resource.node);
  const { group, version } = gvkOf(resource.node);
  return { group, version, kind: first.kind, name: first.name, namespace: first.namespace };
}

/**
 * Keys of all ids that it has and had. A previous id does not know whether its kind is cluster-scoped: it holds the
 * effective namespace already.
 */
export function anyKeys(resource: Resource): Set<string> {
  const { group, version } = gvkOf(resource.node);
  const keys = new Set<string>([keyOf(currentId(resource.node))]);
  for (const { namespace, name, kind } of resource.previous)
    keys.add(`${group}/${version}/${kind}/${namespace || 'default'}/${name}`);
  return keys;
}

/** All names that it has and had. */
export function anyNames(resource: Resource): Set<string> {
  return new Set([currentId(resource.node).name, ...resource.previous.map(({ name }) => name)]);
}

/** Notes the present id before something changes it. */
export function rememberId(resource: Resource): void {
  const id = currentId(resource.node);
  resource.previous.push({ namespace: effectiveNamespace(id), name: id.name, kind: id.kind });
}

/**
 * What kustomize does to annotations where it writes them all anew: they share no text with those of templates any
 * more, and whose type nobody has said is a text.
 */
export function partAnnotations(resource: Resource): void {
  const metadata = resource.node.get('metadata');
  const annotations = isYamlMap(metadata) ? metadata.get('annotations') : undefined;
  if (!isYamlMap(annotations)) return;
  for (const [key, text] of annotations) if (isSharedText(text) || isUntyped(text)) annotations.set(key, textOf(text));
}

/** The metadata map, made if it is missing. */
export function metadataOf(resource: Resource): YamlMap {
  return childMap(resource.node, 'metadata');
}

export function childMap(map: YamlMap, key: string): YamlMap {
  const found = map.get(key);
  if (isYamlMap(found)) return found;
  const made: YamlMap = new Map();
  map.set(key, made);
  return made;
}

export function setName(resource: Resource, name: string): void {
  const metadata = metadataOf(resource);
  if (textOf(metadata.get('name')) !== name || !metadata.has('name')) metadata.set('name', name);
}

export function setNamespace(resource: Resource, namespace: string): void {
  const metadata = metadataOf(resource);
  if (namespace === '') metadata.delete('namespace');
  else if (textOf(metadata.get('namespace')) !== namespace) metadata.set('namespace', namespace);
}

/** Labels or annotations with the texts of their values; empty where there are none. */
export function textMap(resource: Resource, field: 'labels' | 'annotations'): Map<string, string> {
  const metadata = resource.node.get('metadata');
  return textsOf(isYamlMap(metadata) ? metadata.get(field) : undefined);
}

export function textsOf(node: YamlNode | undefined): Map<string, string> {
  const texts = new Map<string, string>();
  if (isYamlMap(node)) for (const [key, value] of node) texts.set(key, textOf(value));
  return texts;
}

/** Sets labels or annotations; all become strings, and an empty map is left out. */
export function setTextMap(
  resource: Resource,
  field: 'labels' | 'annotations',
  texts: ReadonlyMap<string, string>,
): void {
  const metadata = metadataOf(resource);
  metadata.delete(field);
  if (texts.size > 0) metadata.set(field, new Map(texts));
}

export function isGone(resource: Resource): boolean {
  return resource.node.size === 0 || isNothing(resource.node);
}
