/**
 * One object during a build: its tree, and notes beside it (its previous names, its prefixes and suffixes, whether its
 * name gets a hash).
 *
 * Invariant: kustomize keeps these notes in annotations of the object; here they are never part of the tree.
 */
import {
  isNothing,
  isQuotedText,
  isSharedText,
  isUntyped,
  isYamlMap,
  textOf,
  type YamlMap,
  type YamlNode,
} from '../../object/yaml/node.ts';
import { resolvePlain } from '../../object/yaml/scalar.ts';
import { fail } from '../fail.ts';
import { currentId, effectiveNamespace, gvkOf, keyOf, type ResourceId } from './resource-id.ts';

export type Behavior = 'unspecified' | 'create' | 'replace' | 'merge';

/** The name of an object before a transformer changed it; the namespace is the effective one. */
export interface PreviousName {
  readonly namespace: string;
  readonly name: string;
  readonly kind: string;
}

/** The origin of an object, or a transformer that changed it, with the fields of kustomize's origin annotation. */
export interface Origin {
  readonly path?: string;
  /** Address and revision of the other repository in which the path is; the revision is '' if the address has none. */
  readonly repo?: string;
  readonly ref?: string;
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
  /** Path, in the tree, of the file that the object comes from. */
  file: string;
  /** 1-based. */
  line: number;
  /** Oldest first. */
  previous: PreviousName[];
  prefixes: string[];
  suffixes: string[];
  behavior: Behavior;
  /** Made by a generator, so kustomize has written internal annotations into it from the start. */
  isGenerated: boolean;
  /** Printed by helm for a chart of a kustomization: the namespace of the kustomization is not set. */
  readonly isFromHelm?: boolean;
  /** Whether the hash of the content is appended to the name. */
  shouldHashName: boolean;
  /** Names of the vars that read a field of this object. */
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
    shouldHashName: false,
    varNames: [],
    transformations: [],
  };
}

export function previousIds(resource: Resource): ResourceId[] {
  const { group, version } = gvkOf(resource.node);
  return resource.previous.map(({ namespace, name, kind }) => ({ group, version, kind, name, namespace }));
}

/** The id before all changes. */
export function originalId(resource: Resource): ResourceId {
  const first = resource.previous[0];
  if (first === undefined) return currentId(resource.node);
  const { group, version } = gvkOf(resource.node);
  return { group, version, kind: first.kind, name: first.name, namespace: first.namespace };
}

/**
 * Keys of the current and all previous ids. The namespace of a previous id is used as it is, because it is the
 * effective one already.
 */
export function anyKeys(resource: Resource): Set<string> {
  const { group, version } = gvkOf(resource.node);
  const keys = new Set<string>([keyOf(currentId(resource.node))]);
  for (const { namespace, name, kind } of resource.previous)
    keys.add(`${group}/${version}/${kind}/${namespace || 'default'}/${name}`);
  return keys;
}

/** The current and all previous names. */
export function anyNames(resource: Resource): Set<string> {
  return new Set([currentId(resource.node).name, ...resource.previous.map(({ name }) => name)]);
}

/** Records the current id as a previous one, before a step changes it. */
export function recordPreviousId(resource: Resource): void {
  const id = currentId(resource.node);
  resource.previous.push({ namespace: effectiveNamespace(id), name: id.name, kind: id.kind });
}

/**
 * Repeats the effect of kustomize rewriting all annotations: they no longer share texts with the annotations of
 * templates, lose their style, and values with a guessed type become texts.
 */
export function normalizeAnnotations(resource: Resource): void {
  const metadata = resource.node.get('metadata');
  const annotations = isYamlMap(metadata) ? metadata.get('annotations') : undefined;
  if (!isYamlMap(annotations)) return;
  for (const [key, text] of annotations) {
    if (isSharedText(text) || isQuotedText(text) || isUntyped(text)) annotations.set(key, textOf(text));
  }
}

/** Fails for a key that kustomize writes without quotes, if it is not a text without quotes. */
export function checkWrittenKey(key: string, place: { readonly file: string; readonly line: number }): void {
  if (typeof resolvePlain(key) === 'string' && key !== '<<') return;
  fail('InvalidObject', `the key ${key} is written without quotes by kustomize, and then is not a text`, place);
}

/** The metadata map, created if it is missing. */
export function metadataOf(resource: Resource): YamlMap {
  return childMap(resource.node, 'metadata');
}

export function childMap(map: YamlMap, key: string): YamlMap {
  const found = map.get(key);
  if (isYamlMap(found)) return found;
  const created: YamlMap = new Map();
  map.set(key, created);
  return created;
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

/** The labels or annotations of an object, with the texts of their values. */
export function textMap(resource: Resource, field: 'labels' | 'annotations'): Map<string, string> {
  const metadata = resource.node.get('metadata');
  return textsOf(isYamlMap(metadata) ? metadata.get(field) : undefined);
}

export function textsOf(node: YamlNode | undefined): Map<string, string> {
  const texts = new Map<string, string>();
  if (isYamlMap(node)) for (const [key, value] of [...node, ...(node.repeated ?? [])]) texts.set(key, textOf(value));
  return texts;
}

/** Replaces the labels or annotations of an object. All values are strings; an empty map is removed. */
export function setTextMap(
  resource: Resource,
  field: 'labels' | 'annotations',
  texts: ReadonlyMap<string, string>,
): void {
  const metadata = metadataOf(resource);
  metadata.delete(field);
  if (texts.size > 0) metadata.set(field, new Map(texts));
}

export function isDeleted(resource: Resource): boolean {
  return resource.node.size === 0 || isNothing(resource.node);
}
