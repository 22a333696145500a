/** The field `patches`: strategic merge or JSON 6902, in a file or inline, with a target or by the id in the patch. */
import { isYamlMap, textOf } from '../../../object/yaml/node.ts';
import { fail, problemOf, withoutPlace } from '../../fail.ts';
import type { Problem } from '../../../object/problem.ts';
import { readDocuments, readObjects, type TextObject, type TextSource } from '../../manifest-text.ts';
import { readOperations, type JsonOperation } from '../json-patch.ts';
import { loadText, locateFile, type Layer } from '../layer.ts';
import { patchByJson, patchStrategically, type StrategicPatch } from '../patching.ts';
import { currentId, formatResourceId } from '../resource-id.ts';
import { checkUnique, findByAnyId, type ResourceSet } from '../resource-set.ts';
import { newResource, recordPreviousId, setTextMap, textMap, type Resource } from '../resource.ts';
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
      recordAndPatch(set, resource, operations);
    }
  };
}

function recordAndPatch(set: ResourceSet, resource: Resource, operations: readonly JsonOperation[]): void {
  recordPreviousId(resource);
  patchByJson(set, resource, operations);
}

/** The text of a patch, which is either inline or in a file. */
export function patchSource(layer: Layer, entry: { readonly patch: string; readonly path: string }): TextSource {
  const { limits } = layer.build.context;
  const inline = entry.patch.trim();
  if (inline === '' && entry.path === '') fail('KustomizationInvalid', 'a patch needs patch or path');
  if (inline !== '' && entry.path !== '')
    fail('KustomizationInvalid', `a patch has both patch and path (${entry.path}); only one is allowed`);
  if (inline !== '') return { text: inline, file: layer.kustomization.file, limits };
  return { text: loadText(layer, entry.path), file: locateFile(layer, entry.path), limits };
}

interface ReadPatch {
  readonly objects: readonly TextObject[];
  readonly operations: readonly JsonOperation[];
}

/** Reads a patch of either type; the text shows the type. */
function readPatch(source: TextSource): ReadPatch {
  const strategic = resultOf(() => readPatches(source));
  const json = resultOf(() => readJsonPatch(source));
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

/** The strategic merge patches of a text. If a key occurs several times in a map, the first one counts. */
export function readPatches(source: TextSource): TextObject[] {
  return readObjects(source, 'error', 'first');
}

/** The operations of a JSON patch. Fails if the text is not a JSON patch. */
export function readJsonPatch(source: TextSource): JsonOperation[] {
  if (source.text === '') fail('KustomizationInvalid', `the JSON patch ${source.file} is empty`, { file: source.file });
  // As in kustomize a text that begins with [ must be JSON, although YAML accepts more.
  if (source.text.startsWith('[')) checkJson(source);
  const documents = readDocuments(source, { dialect: 'v2', duplicateKeys: 'last', nonTextKeys: 'text' });
  return (
    readOperations(documents[0]?.root) ??
    fail('KustomizationInvalid', 'a JSON patch must be a list of operations', {
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
      hint: 'Put its keys and texts into double quotes, or write it as a YAML list with dashes.',
    });
  }
}

function applyStrategic(layer: Layer, set: ResourceSet, entry: PatchEntry, objects: readonly TextObject[]): void {
  const options = {
    allowNameChange: entry.options?.allowNameChange ?? false,
    allowKindChange: entry.options?.allowKindChange ?? false,
  };
  if (entry.target === undefined) {
    // kustomize records these options in an annotation of the patch, which rewrites all annotations as texts.
    const hasOption = options.allowNameChange || options.allowKindChange;
    for (const { node } of objects) {
      const patch = hasOption ? withTextFields(node, ['annotations']) : node;
      patchStrategically(layer.build, set, findOne(set, node), { node: patch, ...options });
    }
    return;
  }
  const [first, second] = objects;
  if (first === undefined) return;
  if (second !== undefined) fail('KustomizationInvalid', 'a patch with a target must contain only one object');
  patchSelected(layer, set, select(set, entry.target), { node: first.node, ...options });
}

/** Applies a patch to the objects that were selected for it. */
export function patchSelected(
  layer: Layer,
  set: ResourceSet,
  selected: readonly Resource[],
  patch: StrategicPatch,
): void {
  const converted = { ...patch, node: withTextFields(patch.node, ['labels', 'annotations']) };
  for (const resource of selected) patchStrategically(layer.build, set, resource, retarget(converted, resource));
  checkUnique(set);
}

/**
 * The patch with these fields of its metadata converted to maps of texts: all values become texts, `null` too, and an
 * empty map is removed. kustomize does this to both fields if the patch has a target.
 */
function withTextFields(
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

/** The patch with the apiVersion of the object to which it is applied. */
function retarget(patch: StrategicPatch, resource: Resource): StrategicPatch {
  const apiVersion = textOf(resource.node.get('apiVersion'));
  if (apiVersion === '') return patch;
  return { ...patch, node: new Map(patch.node).set('apiVersion', apiVersion) };
}

/** The object that has or had the id of a patch. Fails if there is none, or more than one. */
export function findOne(set: ResourceSet, patch: StrategicPatch['node']): Resource {
  const id = currentId(patch);
  const found = findByAnyId(set, id);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const reason = found.length === 0 ? 'there is no such object' : `${found.length} objects have or had that id`;
  return fail('KustomizationInvalid', `a patch is for ${formatResourceId(id)}, but ${reason}`);
}

function resultOf<T>(run: () => T): { readonly value?: T; readonly problem?: Problem } {
  try {
    return { value: run() };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}
