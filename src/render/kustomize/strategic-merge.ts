/**
 * Strategic merge as in kustomize: maps are merged field by field, lists by the keys of the schema, `null` deletes a
 * field, and `$patch: delete | replace | merge` is obeyed. Other directives are copied like fields.
 *
 * Invariant: the target and the patch are changed in place; callers pass in a copy of the patch.
 */
import {
  assign,
  foldedText,
  inFlowOf,
  isFoldedText,
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
import { fieldSchema, typeOfObject, UNKNOWN_FIELD, type FieldSchema, type MergeSchema } from './merge-schema.ts';
import { mergeKeyedList } from './strategic-merge-list.ts';

/** Merges a patch into an object; returns undefined if the patch deletes the object. */
export function mergeStrategically(target: YamlMap, patch: YamlMap, schema: MergeSchema): YamlMap | undefined {
  const merged = mergeNodes(schema, target, patch, UNKNOWN_FIELD);
  return isYamlMap(merged) ? merged : undefined;
}

/** The result of a merge; undefined removes the field. */
function mergeNodes(
  schema: MergeSchema,
  target: YamlNode | undefined,
  patch: YamlNode | undefined,
  field: FieldSchema,
): YamlNode | undefined {
  const leading = isNothing(target) ? patch : target;
  checkShapes(target, patch);
  if (isNothing(leading)) return mergeNothing(target, patch);
  if (isYamlMap(leading)) return mergeMaps(schema, target, patch, field);
  if (isYamlList(leading)) {
    // As in kustomize, the brackets of an empty list do not stay around the elements of the patch.
    if (isYamlList(patch) && leading.length === 0) inFlowOf(leading, patch);
    return field.keys === undefined ? (patch ?? target) : mergeLists(schema, target, patch, field);
  }
  return patch ?? target;
}

/** A null that is written out in the target stays if the patch has no value; otherwise the field is removed. */
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
  // A map that is only in the patch is merged with itself, so that nulls and directives inside it take effect.
  const result = isYamlMap(target) && directive !== 'replace' ? target : patchMap;
  if (result === undefined) return undefined;
  const left = result;
  const right = patchMap;
  if (left.size === 0 && right !== undefined) inFlowOf(left, right);
  for (const name of fieldNames(left, right)) {
    const merged = mergeNodes(schema, left.get(name), right?.get(name), fieldSchema(schema, type, name));
    // A null of the patch removes the field; a null of the target is kept.
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

/** The fields of both maps, sorted, so that the result does not depend on their order in the files. */
function fieldNames(target: YamlMap, patch: YamlMap | undefined): string[] {
  return [...new Set([...target.keys(), ...(patch?.keys() ?? [])])].sort();
}

/** A merge turns a scalar with a guessed type into a string. */
function typedByMerge(node: YamlNode): YamlNode {
  return isUntyped(node) ? node.text : node;
}

/** A new node takes over the style of the one that it replaces; a scalar in quotes or a block is a text. */
function inPlaceOf(found: YamlNode | undefined, node: YamlNode): YamlNode {
  if (node === found || found === undefined) return node;
  if (!isYamlScalar(node)) return inFlowOf(node, found);
  if (!isYamlScalar(found) || isSharedText(found)) return node;
  if (isFoldedText(found)) return foldedText(textOf(node));
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

/** A directive of a list is an element with the directive as its only field. */
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

function checkShapes(target: YamlNode | undefined, patch: YamlNode | undefined): void {
  if (isNothing(target) || isNothing(patch)) return;
  const [wanted, found] = [shapeOf(target), shapeOf(patch)];
  if (wanted !== found) {
    fail('KustomizationInvalid', `a patch has a ${found} where the object has a ${wanted}`);
  }
}

function shapeOf(node: YamlNode | undefined): 'map' | 'list' | 'scalar' {
  return isYamlMap(node) ? 'map' : isYamlList(node) ? 'list' : 'scalar';
}
