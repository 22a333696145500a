/**
 * Strategic merge as kustomize does it: maps field by field, lists by the keys of its schema, `null` deletes, and
 * `$patch: delete | replace | merge` is obeyed; other directives are copied.
 *
 * Invariant: the target is changed in place and the patch is used up; callers hand in a copy of the patch.
 */
import {
  assign,
  isNothing,
  isQuotedText,
  isSharedText,
  isUntyped,
  isYamlList,
  isYamlMap,
  isYamlScalar,
  quotedText,
  textOf,
  type YamlMap,
  type YamlNode,
} from '../../object/yaml/node.ts';
import { resolvePlain } from '../../object/yaml/scalar.ts';
import { fail } from '../fail.ts';
import { fieldSchema, typeOfObject, UNKNOWN, type FieldSchema, type MergeSchema } from './merge-schema.ts';
import { mergeKeyedList } from './strategic-merge-list.ts';

/** Merges a patch into an object; undefined if the patch deletes the object. */
export function mergeStrategically(target: YamlMap, patch: YamlMap, schema: MergeSchema): YamlMap | undefined {
  const merged = mergeNodes(schema, target, patch, UNKNOWN);
  return isYamlMap(merged) ? merged : undefined;
}

/** What a merge comes to: undefined clears the field. */
function mergeNodes(
  schema: MergeSchema,
  target: YamlNode | undefined,
  patch: YamlNode | undefined,
  field: FieldSchema,
): YamlNode | undefined {
  const leading = isNothing(target) ? patch : target;
  checkKinds(target, patch);
  if (isNothing(leading)) return mergeNothing(target, patch);
  if (isYamlMap(leading)) return mergeMaps(schema, target, patch, field);
  if (isYamlList(leading)) {
    return field.keys === undefined ? (patch ?? target) : mergeLists(schema, target, patch, field);
  }
  return patch ?? target;
}

/** A null that the target writes out stays where the patch says nothing; everything else goes. */
function mergeNothing(target: YamlNode | undefined, patch: YamlNode | undefined): YamlNode | undefined {
  return patch === undefined && textOf(target) !== '' ? target : undefined;
}

function mergeMaps(
  schema: MergeSchema,
  target: YamlNode | undefined,
  patch: YamlNode | undefined,
  field: FieldSchema,
): YamlNode | undefined {
  const patchMap = isYamlMap(patch) ? patch : undefined;
  const type = field.type ?? typeOfFirst(schema, target, patchMap);
  const directive = patchMap === undefined ? 'merge' : takeMapDirective(patchMap);
  if (directive === 'delete' || (patch !== undefined && isNothing(patch))) return undefined;
  // A map that only the patch brings is merged with itself: so nulls and directives inside it take effect.
  const result = isYamlMap(target) && directive !== 'replace' ? target : patchMap;
  if (result === undefined) return undefined;
  const left = result;
  const right = patchMap;
  for (const name of fieldNames(left, right)) {
    const merged = mergeNodes(schema, left.get(name), right?.get(name), fieldSchema(schema, type, name));
    // A null is what the patch says, and clears the field, or what the target has kept.
    if (merged === undefined || (isNothing(merged) && right?.has(name))) left.delete(name);
    else assign(left, name, inPlaceOf(left.get(name), typedByMerge(merged)));
  }
  return left;
}

function mergeLists(
  schema: MergeSchema,
  target: YamlNode | undefined,
  patch: YamlNode | undefined,
  field: FieldSchema,
): YamlNode | undefined {
  const patchList = isYamlList(patch) ? patch : undefined;
  if (patch !== undefined && isNothing(patch) && isYamlList(target)) return undefined;
  const isNew = !isYamlList(target);
  const directive = patchList === undefined || isNew ? 'merge' : takeListDirective(patchList);
  if (directive === 'delete') return undefined;
  const result = isNew || directive === 'replace' ? patchList : target;
  if (result === undefined) return undefined;
  return mergeKeyedList({
    mergeElements: (left, right) => mergeNodes(schema, left, right, { keys: undefined, type: field.type }),
    target: result,
    patch: patchList,
    keys: field.keys ?? [],
  });
}

function typeOfFirst(
  schema: MergeSchema,
  target: YamlNode | undefined,
  patch: YamlMap | undefined,
): FieldSchema['type'] {
  return (
    (isYamlMap(target) ? typeOfObject(schema, target) : undefined) ?? (patch ? typeOfObject(schema, patch) : undefined)
  );
}

/** Fields of both, in byte order, so that the result does not hang on how the texts are written. */
function fieldNames(target: YamlMap, patch: YamlMap | undefined): string[] {
  return [...new Set([...target.keys(), ...(patch?.keys() ?? [])])].sort();
}

/** A scalar whose type nobody has said is a string once it has been merged. */
function typedByMerge(node: YamlNode): YamlNode {
  return isUntyped(node) ? node.text : node;
}

/** A scalar is written as the one whose place it takes: in quotes, which makes a text of it, or without. */
function inPlaceOf(found: YamlNode | undefined, node: YamlNode): YamlNode {
  if (node === found || !isYamlScalar(node) || !isYamlScalar(found) || isSharedText(found)) return node;
  const isQuoted = isQuotedText(found) || (typeof found === 'string' && typeof resolvePlain(found) !== 'string');
  if (isQuoted) return quotedText(textOf(node));
  return isQuotedText(node) ? node.text : node;
}

type Directive = 'merge' | 'replace' | 'delete';

const DIRECTIVE = '$patch';

function takeMapDirective(patch: YamlMap): Directive {
  if (!patch.has(DIRECTIVE)) return 'merge';
  const directive = directiveOf(patch.get(DIRECTIVE));
  patch.delete(DIRECTIVE);
  return directive;
}

/** A directive of a list is an element that holds nothing else. */
function takeListDirective(patch: YamlNode[]): Directive {
  const carrier = patch.find((item) => isYamlMap(item) && item.has(DIRECTIVE));
  if (!isYamlMap(carrier) || carrier.size > 1) return 'merge';
  const text = textOf(carrier.get(DIRECTIVE));
  const directive = directiveOf(carrier.get(DIRECTIVE));
  const rest = patch.filter((item) => !isYamlMap(item) || textOf(item.get(DIRECTIVE)) !== text);
  patch.splice(0, patch.length, ...rest);
  return directive;
}

function directiveOf(node: YamlNode | undefined): Directive {
  const text = textOf(node);
  if (text === 'merge' || text === 'replace' || text === 'delete') return text;
  return fail('KustomizationInvalid', `unknown patch directive $patch: ${text}`);
}

function checkKinds(target: YamlNode | undefined, patch: YamlNode | undefined): void {
  if (isNothing(target) || isNothing(patch)) return;
  const [wanted, found] = [shapeOf(target), shapeOf(patch)];
  if (wanted !== found) {
    fail('KustomizationInvalid', `a patch has a ${found} where the object has a ${wanted}`);
  }
}

function shapeOf(node: YamlNode | undefined): 'map' | 'list' | 'scalar' {
  return isYamlMap(node) ? 'map' : isYamlList(node) ? 'list' : 'scalar';
}
