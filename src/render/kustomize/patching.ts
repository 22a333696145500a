/** Applies one patch to one object; shared by all transformers that patch. */
import {
  copyNode,
  isYamlList,
  isYamlMap,
  settleClosingComment,
  textOf,
  type YamlMap,
  type YamlNode,
} from '../../object/yaml/node.ts';
import { formatNumber } from '../../object/yaml/write.ts';
import { fail, withPlace } from '../fail.ts';
import type { Value, ValueMap } from '../../object/value.ts';
import { applyJsonPatch, jsonValueOf, type JsonOperation } from './json-patch.ts';
import { placeOf, type Build } from './layer.ts';
import { ORIGIN_ANNOTATION, TRANSFORMATIONS_ANNOTATION } from './origins.ts';
import { readBuiltInSchema, type MergeSchema } from './merge-schema.ts';
import { change, type ResourceSet } from './resource-set.ts';
import { childMap, metadataOf, recordPreviousId, setName, setNamespace, type Resource } from './resource.ts';
import { mergeStrategically } from './strategic-merge.ts';
import { currentId } from './resource-id.ts';

export interface StrategicPatch {
  readonly node: YamlMap;
  readonly allowNameChange: boolean;
  readonly allowKindChange: boolean;
}

/** Merges a patch into an object. If the patch deletes the object, it is removed from the set. */
export function patchStrategically(build: Build, set: ResourceSet, resource: Resource, patch: StrategicPatch): void {
  const { name, namespace, kind } = currentId(resource.node);
  change(set, resource, () => {
    if (patch.allowNameChange || patch.allowKindChange) recordPreviousId(resource);
    const merged = withPlace(placeOf(resource), () => {
      const result = mergeStrategically(resource.node, copyNode(patch.node), schemaOf(build));
      if (result !== undefined) checkRepeated(result);
      return result;
    });
    // `$patch: replace` of a whole object has no effect in kustomize, because it drops a result that is another tree.
    if (merged !== undefined && merged !== resource.node) return;
    resource.node = merged ?? new Map();
    if (merged === undefined || merged.size === 0) return;
    if (!patch.allowKindChange && textOf(merged.get('kind')) !== kind) merged.set('kind', kind);
    if (!patch.allowNameChange) setName(resource, name);
    setNamespace(resource, namespace);
  });
}

/** Fails if a map with a repeated key has come from the patch into the object as a whole. */
function checkRepeated(node: YamlNode): void {
  if (isYamlList(node)) return node.forEach(checkRepeated);
  if (!isYamlMap(node)) return;
  const [key] = node.repeated?.keys() ?? [];
  if (key !== undefined) fail('KustomizationInvalid', `the key "${key}" occurs twice in one map of a patch`);
  for (const value of node.values()) checkRepeated(value);
}

function schemaOf(build: Build): MergeSchema {
  build.schema ??= readBuiltInSchema();
  return build.schema;
}

/** Applies the operations of a JSON patch to an object, which kustomize converts to JSON and back. */
export function patchByJson(set: ResourceSet, resource: Resource, operations: readonly JsonOperation[]): void {
  change(set, resource, () => {
    // kustomize keeps its notes in annotations, so a patch can add to the map of annotations even if the file has none.
    if (hasKustomizeAnnotations(resource)) childMap(metadataOf(resource), 'annotations');
    addOriginMarks(resource);
    settleClosingComment(resource.node);
    const object = jsonValueOf(resource.node) as ValueMap;
    const patched = withPlace(placeOf(resource), () => applyJsonPatch(object, operations));
    resource.node = canonicalNode(patched) as YamlMap;
    takeOriginMarks(resource);
  });
}

/**
 * kustomize keeps origin and transformations in annotations, so a patch that removes these annotations removes them.
 * The annotations are added with empty values for the time of the patch.
 */
function addOriginMarks(resource: Resource): void {
  if (resource.origin === undefined && resource.transformations.length === 0) return;
  const annotations = childMap(metadataOf(resource), 'annotations');
  if (resource.origin !== undefined) annotations.set(ORIGIN_ANNOTATION, '');
  if (resource.transformations.length > 0) annotations.set(TRANSFORMATIONS_ANNOTATION, '');
}

function takeOriginMarks(resource: Resource): void {
  const metadata = resource.node.get('metadata');
  const annotations = isYamlMap(metadata) ? metadata.get('annotations') : undefined;
  const has = (name: string): boolean => isYamlMap(annotations) && annotations.delete(name);
  if (!has(ORIGIN_ANNOTATION)) delete resource.origin;
  if (!has(TRANSFORMATIONS_ANNOTATION)) resource.transformations = [];
}

/** Whether kustomize would have written internal annotations into the object before this patch. */
function hasKustomizeAnnotations(resource: Resource): boolean {
  const { previous, prefixes, suffixes, isGenerated, origin } = resource;
  return previous.length + prefixes.length + suffixes.length > 0 || isGenerated || origin !== undefined;
}

/** The tree of a value as Go reads it from JSON: every number is a double, and is printed as one. */
export function canonicalNode(value: Value): YamlNode {
  if (typeof value === 'number' || typeof value === 'bigint') {
    const number = Number(value);
    return { text: goNumber(number), value: number };
  }
  if (typeof value === 'string') return value;
  if (value === null || typeof value === 'boolean') return { text: String(value), value };
  if (Array.isArray(value)) return value.map(canonicalNode);
  return new Map(Object.keys(value).map((key) => [key, canonicalNode(value[key] as Value)]));
}

/** A double in Go's format `%v`, which writes integers from 1e6 on with an exponent. */
function goNumber(value: number): string {
  if (!Number.isInteger(value) || Math.abs(value) < 1e6) return formatNumber(value);
  const [mantissa = '', exponent = ''] = value.toExponential().split('e+');
  return `${mantissa}e+${exponent.padStart(2, '0')}`;
}
