/** Applies one patch to one object: what all kinds of patches have in common. */
import { copyNode, isYamlMap, textOf, type YamlMap, type YamlNode } from '../../object/yaml/node.ts';
import { formatNumber } from '../../object/yaml/write.ts';
import { within } from '../fail.ts';
import type { Value, ValueMap } from '../../object/value.ts';
import { applyJsonPatch, jsonValueOf, type JsonOperation } from './json-patch.ts';
import { placeOf, type Build } from './layer.ts';
import { ORIGIN_ANNOTATION, TRANSFORMATIONS_ANNOTATION } from './origins.ts';
import { readBuiltInSchema, type MergeSchema } from './merge-schema.ts';
import { change, type ResourceSet } from './resource-set.ts';
import { childMap, metadataOf, rememberId, setName, setNamespace, type Resource } from './resource.ts';
import { mergeStrategically } from './strategic-merge.ts';
import { currentId } from './resource-id.ts';

export interface StrategicPatch {
  readonly node: YamlMap;
  readonly allowNameChange: boolean;
  readonly allowKindChange: boolean;
}

/** Merges a patch into an object; one that the patch deletes leaves the set. */
export function patchStrategically(build: Build, set: ResourceSet, resource: Resource, patch: StrategicPatch): void {
  const { name, namespace, kind } = currentId(resource.node);
  change(set, resource, () => {
    if (patch.allowNameChange || patch.allowKindChange) rememberId(resource);
    const merged = within(placeOf(resource), () => {
      return mergeStrategically(resource.node, copyNode(patch.node), schemaOf(build));
    });
    // `$patch: replace` of a whole object does nothing in kustomize: the result is another tree, which it drops.
    if (merged !== undefined && merged !== resource.node) return;
    resource.node = merged ?? new Map();
    if (merged === undefined || merged.size === 0) return;
    if (!patch.allowKindChange && textOf(merged.get('kind')) !== kind) merged.set('kind', kind);
    if (!patch.allowNameChange) setName(resource, name);
    setNamespace(resource, namespace);
  });
}

function schemaOf(build: Build): MergeSchema {
  build.schema ??= readBuiltInSchema();
  return build.schema;
}

/** Applies JSON operations to an object, which passes through JSON on the way. */
export function patchByJson(set: ResourceSet, resource: Resource, operations: readonly JsonOperation[]): void {
  change(set, resource, () => {
    // What kustomize remembers stands in annotations, so that there is a map to add to.
    if (hasMemory(resource)) childMap(metadataOf(resource), 'annotations');
    markTraces(resource);
    const object = jsonValueOf(resource.node) as ValueMap;
    const patched = within(placeOf(resource), () => applyJsonPatch(object, operations));
    resource.node = canonicalNode(patched) as YamlMap;
    takeTraces(resource);
  });
}

/** Where it came from and what changed it stand in annotations, and are gone with them if the patch removes those. */
function markTraces(resource: Resource): void {
  if (resource.origin === undefined && resource.transformations.length === 0) return;
  const annotations = childMap(metadataOf(resource), 'annotations');
  if (resource.origin !== undefined) annotations.set(ORIGIN_ANNOTATION, '');
  if (resource.transformations.length > 0) annotations.set(TRANSFORMATIONS_ANNOTATION, '');
}

function takeTraces(resource: Resource): void {
  const metadata = resource.node.get('metadata');
  const annotations = isYamlMap(metadata) ? metadata.get('annotations') : undefined;
  const has = (name: string): boolean => isYamlMap(annotations) && annotations.delete(name);
  if (!has(ORIGIN_ANNOTATION)) delete resource.origin;
  if (!has(TRANSFORMATIONS_ANNOTATION)) resource.transformations = [];
}

/** Whether kustomize would have written annotations of its own into the object by now. */
function hasMemory(resource: Resource): boolean {
  const { previous, prefixes, suffixes, isGenerated, origin } = resource;
  return previous.length + prefixes.length + suffixes.length > 0 || isGenerated || origin !== undefined;
}

/** A tree as Go reads it out of JSON: every number is a double, and is written as one. */
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

/** Go's `%v` of a double: from 1e6 on with an exponent. */
function goNumber(value: number): string {
  if (!Number.isInteger(value) || Math.abs(value) < 1e6) return formatNumber(value);
  const [mantissa = '', exponent = ''] = value.toExponential().split('e+');
  return `${mantissa}e+${exponent.padStart(2, '0')}`;
}
