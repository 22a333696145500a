/** patches: strategic merge or JSON 6902, in a file or inline, with a target or by the id inside the patch. */
import { isYamlMap, textOf } from '../../../object/yaml/node.ts';
import { fail, problemOf, withoutPlace } from '../../fail.ts';
import type { Problem } from '../../../object/problem.ts';
import { readDocuments, readObjects, type TextObject, type TextSource } from '../../manifest-text.ts';
import { readOperations, type JsonOperation } from '../json-patch.ts';
import { loadText, locateFile, type Layer } from '../layer.ts';
import { patchByJson, patchStrategically, type StrategicPatch } from '../patching.ts';
import { currentId, formatResourceId } from '../resource-id.ts';
import { checkUnique, findByAnyId, type ResourceSet } from '../resource-set.ts';
import { newResource, rememberId, setTextMap, textMap, type Resource } from '../resource.ts';
import { select } from '../selector.ts';
import { placed, type Transform, type Transformer } from './transformer.ts';

export const patchTransformer: Transformer = {
  name: 'PatchTransformer',
  configure: (layer: Layer) => {
    const { patches } = layer.kustomization;
    return patches.map((entry, index) => placed(layer, ['patches', index], () => configurePatch(layer, entry)));
  },
};

export type PatchEntry = Layer['kustomization']['patches'][number];

export function configurePatch(layer: Layer, entry: PatchEntry): Transform {
  const source = patchSource(layer, entry);
  const { objects, operations } = entry.path === '' ? withoutPlace(() => readPatch(source)) : readPatch(source);
  if (objects.length > 0) return (set) => applyStrategic(layer, set, entry, objects);
  if (operations.length === 0) return () => undefined;
  const { target } = entry;
  if (target === undefined)
    return () => fail('KustomizationInvalid', `the JSON patch in ${source.file} needs a target`);
  return (set) => {
    for (const resource of select(set, target)) {
      rememberAndPatch(set, resource, operations);
    }
  };
}

function rememberAndPatch(set: ResourceSet, resource: Resource, operations: readonly JsonOperation[]): void {
  rememberId(resource);
  patchByJson(set, resource, operations);
}

/** The text of a patch: given inline or in a file, one of the two. */
export function patchSource(layer: Layer, entry: { readonly patch: string; readonly path: string }): TextSource {
  const { limits } = layer.build.context;
  const inline = entry.patch.trim();
  if (inline === '' && entry.path === '') fail('KustomizationInvalid', 'a patch needs patch or path');
  if (inline !== '' && entry.path !== '')
    fail('KustomizationInvalid', `a patch has both patch and path (${entry.path})`);
  if (inline !== '') return { text: inline, file: layer.kustomization.file, limits };
  return { text: loadText(layer, entry.path), file: locateFile(layer, entry.path), limits };
}

interface ReadPatch {
  readonly objects: readonly TextObject[];
  readonly operations: readonly JsonOperation[];
}

/** Reads a patch of either sort; which it is shows in the text. */
function readPatch(source: TextSource): ReadPatch {
  const strategic = attempt(() => readObjects(source));
  const json = attempt(() => readJsonPatch(source));
  const [objects, operations] = [strategic.value ?? [], json.value ?? []];
  if (objects.length > 0 && operations.length > 0) {
    fail('KustomizationInvalid', `the patch in ${source.file} is both an object and a list of operations`);
  }
  if (strategic.problem && json.problem) {
    const { message, ...place } = strategic.problem;
    fail('KustomizationInvalid', `the patch is neither an object nor a list of JSON operations: ${message}`, place);
  }
  return { objects, operations };
}

/** The operations of a JSON patch. Fails where the text is none. */
export function readJsonPatch(source: TextSource): JsonOperation[] {
  if (source.text === '') fail('KustomizationInvalid', `the JSON patch ${source.file} is empty`, { file: source.file });
  // What begins as JSON must be JSON; only then is YAML tried.
  if (source.text.startsWith('[')) checkJson(source);
  const documents = readDocuments(source, { dialect: 'v2', duplicateKeys: 'last', nonTextKeys: 'text' });
  return (
    readOperations(documents[0]?.root) ??
    fail('KustomizationInvalid', 'a JSON patch is a list of operations', {
      file: source.file,
      line: documents[0]?.line ?? 1,
    })
  );
}

function checkJson({ text, file }: TextSource): void {
  try {
    JSON.parse(text);
  } catch {
    fail('KustomizationInvalid', 'a JSON patch that begins with [ must be JSON', {
      file,
      hint: 'Put its keys and texts in double quotes, or write it as a YAML list with dashes.',
    });
  }
}

function applyStrategic(layer: Layer, set: ResourceSet, entry: PatchEntry, objects: readonly TextObject[]): void {
  const options = {
    allowNameChange: entry.options?.allowNameChange ?? false,
    allowKindChange: entry.options?.allowKindChange ?? false,
  };
  if (entry.target === undefined) {
    // kustomize notes such an option in an annotation of the patch, which writes all of them anew.
    const isNoted = options.allowNameChange || options.allowKindChange;
    for (const { node } of objects) {
      const patch = isNoted ? withTextual(node, ['annotations']) : node;
      patchStrategically(layer.build, set, findOne(set, node), { node: patch, ...options });
    }
    return;
  }
  const [first, second] = objects;
  if (first === undefined) return;
  if (second !== undefined) fail('KustomizationInvalid', 'a patch with a target may hold one object only');
  patchSelected(layer, set, select(set, entry.target), { node: first.node, ...options });
}

/** Applies a patch to what has been selected for it. */
export function patchSelected(
  layer: Layer,
  set: ResourceSet,
  selected: readonly Resource[],
  patch: StrategicPatch,
): void {
  const textual = { ...patch, node: withTextual(patch.node, ['labels', 'annotations']) };
  for (const resource of selected) patchStrategically(layer.build, set, resource, retarget(textual, resource));
  checkUnique(set);
}

/**
 * The patch as it is once these fields of its metadata have gone through maps of texts, as both do where it has a
 * target: what they say is text, `null` too, and a field that says nothing is left out.
 */
function withTextual(
  node: StrategicPatch['node'],
  fields: readonly ('labels' | 'annotations')[],
): StrategicPatch['node'] {
  const copy = new Map(node);
  const metadata = node.get('metadata');
  if (!isYamlMap(metadata)) return copy;
  const texts = newResource(copy, { file: '', line: 0 });
  copy.set('metadata', new Map(metadata));
  for (const field of fields) setTextMap(texts, field, textMap(texts, field));
  return copy;
}

/** The patch with the apiVersion of what it is applied to. */
function retarget(patch: StrategicPatch, resource: Resource): StrategicPatch {
  const apiVersion = textOf(resource.node.get('apiVersion'));
  if (apiVersion === '') return patch;
  return { ...patch, node: new Map(patch.node).set('apiVersion', apiVersion) };
}

/** The one object that has or had the id of a patch. */
export function findOne(set: ResourceSet, patch: StrategicPatch['node']): Resource {
  const id = currentId(patch);
  const found = findByAnyId(set, id);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const why = found.length === 0 ? 'there is no such object' : `${found.length} objects have or had that id`;
  return fail('KustomizationInvalid', `a patch is for ${formatResourceId(id)}: ${why}`);
}

function attempt<T>(run: () => T): { readonly value?: T; readonly problem?: Problem } {
  try {
    return { value: run() };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}
