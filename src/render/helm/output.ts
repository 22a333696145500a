/**
 * The objects in the output of `helm template`, each with the template that printed it. Documents are read as helm and
 * Kubernetes read them: YAML 1.1, of two equal keys the last one counts.
 *
 * Invariant: the output is read completely or not at all, so that nothing is pruned because of a part of it.
 */
import { digestValue } from '../../object/digest.ts';
import { GENERATED_NAME_ANNOTATION } from '../../object/hooks.ts';
import {
  isKubeObject,
  isMap,
  mapAt,
  newMap,
  own,
  stringAt,
  valueAt,
  type KubeObject,
  type Value,
} from '../../object/value.ts';
import { nodeToValue, type YamlMap } from '../../object/yaml/node.ts';
import { fail, problemOf } from '../fail.ts';
import type { RenderContext } from '../file-loader.ts';
import type { BuiltObject } from '../built-object.ts';
import { generatedStem } from '../generated-stem.ts';
import { readDocuments, readObjects } from '../manifest-text.ts';
import { checkSameOutput } from './compare-outputs.ts';

/** Gives the file of the chart that helm names, as `<chart>/templates/x.yaml`, a path for people. */
export type FileOf = (name: string) => string;

/** Fails with YamlSyntax, NotAnObject, ReservedField or LimitExceeded, and names the template. */
export function readOutput(context: Pick<RenderContext, 'limits'>, text: string, fileOf: FileOf): BuiltObject[] {
  const objects: BuiltObject[] = [];
  for (const part of splitOutput(text)) {
    const file = fileOf(part.name);
    const source = { text: part.text, file, limits: context.limits };
    const options = { dialect: 'v2', duplicateKeys: 'last', nonTextKeys: 'text' } as const;
    for (const { root } of readDocuments(source, options)) {
      if (root !== undefined) addObjects(objects, nodeToValue(root), file);
      if (objects.length > context.limits.maxObjects) {
        fail('LimitExceeded', `more than ${context.limits.maxObjects} objects are rendered`);
      }
    }
  }
  return objects;
}

interface Part {
  /** As helm names the template; '' for output without a name. */
  readonly name: string;
  readonly text: string;
}

/** helm writes the name of its template before each document. A CRD file with several documents has only one name. */
export function* splitOutput(text: string): Generator<Part> {
  const header = /^---[ \t]*\n# Source: (.*)\n/gm;
  let name = '';
  let from = 0;
  for (const found of text.matchAll(header)) {
    yield { name, text: text.slice(from, found.index) };
    name = found[1] ?? '';
    from = found.index + found[0].length;
  }
  yield { name, text: text.slice(from) };
}

/** Lists of every kind are taken apart; empty documents are dropped. */
function addObjects(objects: BuiltObject[], value: Value, file: string): void {
  if (value === null || (isMap(value) && Object.keys(value).length === 0)) return;
  const place = { file, line: 1 };
  if (!isMap(value)) return fail('NotAnObject', 'the template prints a document that is not an object', place);
  const items = own(value, 'items');
  const kind = stringAt(value, 'kind') ?? '';
  if (kind.endsWith('List') && Array.isArray(items)) {
    for (const item of items) addObjects(objects, item, file);
    return;
  }
  if (!isKubeObject(value)) {
    return fail('NotAnObject', 'the template prints an object without apiVersion, kind or metadata', place);
  }
  const name = valueAt(value, 'metadata', 'name');
  if (typeof name !== 'string' || name === '') {
    const stem = generatedStem(value.metadata);
    if (stem !== undefined) {
      const object = withGeneratedStem(value, stem);
      objects.push({ object, digest: digestValue(object), ...place });
      return;
    }
    const isGenerated = valueAt(value, 'metadata', 'generateName') !== undefined;
    if (!isGenerated) return fail('NotAnObject', `an object of kind ${kind} has no metadata.name`, place);
    return fail('ReservedField', `a ${kind} has metadata.generateName: every sync would create another object`, place);
  }
  objects.push({ object: value, digest: digestValue(value), ...place });
}

function withGeneratedStem(object: KubeObject, name: string): KubeObject {
  const { metadata } = object;
  const annotations = newMap([
    ...Object.entries(mapAt(metadata, 'annotations') ?? {}),
    [GENERATED_NAME_ANNOTATION, 'true'],
  ]);
  const named = newMap([...Object.entries(metadata), ['name', name], ['annotations', annotations]]);
  return newMap([...Object.entries(object), ['metadata', named]]) as KubeObject;
}

/** The same for a kustomization, which reads the output as it reads its resources. */
export function readForKustomize(
  context: Pick<RenderContext, 'limits'>,
  text: string,
  fileOf: FileOf,
): { readonly node: YamlMap; readonly file: string }[] {
  const names = namesByLine(text);
  try {
    const objects = readObjects({ text, file: OUTPUT, limits: context.limits }, 'error', 'last in annotations');
    return objects.map(({ node, line }) => ({ node, file: fileOf(nameAt(names, line)) }));
  } catch (error) {
    const { code, message, file, line = 1, hint } = problemOf(error);
    if (file !== OUTPUT) throw error;
    return fail(code, message, { file: fileOf(nameAt(names, line)), ...(hint === undefined ? {} : { hint }) });
  }
}

/** Stands for the output of helm, which is no file. */
const OUTPUT = 'the output of helm';

interface NamedLine {
  /** 1-based line at which the documents of the template begin. */
  readonly line: number;
  readonly name: string;
}

function namesByLine(text: string): readonly NamedLine[] {
  const names: NamedLine[] = [];
  let line = 1;
  for (const part of splitOutput(text)) {
    names.push({ line, name: part.name });
    // The two lines of the next header follow the text of a part.
    line += part.text.split('\n').length - 1 + 2;
  }
  return names.map(({ name, line: first }, index) => ({ name, line: index === 0 ? first : first - 2 }));
}

/** By bisection, since an output may have thousands of documents. */
function nameAt(names: readonly NamedLine[], line: number): string {
  let [low, high] = [0, names.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((names[middle]?.line ?? 0) <= line) low = middle;
    else high = middle - 1;
  }
  return names[low]?.name ?? '';
}

/** Fails with NonDeterministic if a second run printed something else. */
export function checkSameText(
  context: Pick<RenderContext, 'limits'>,
  { text, again }: { readonly text: string; readonly again?: string },
  fileOf: FileOf,
): void {
  if (again === undefined || again === text) return;
  checkSameOutput(readOutput(context, text, fileOf), readOutput(context, again, fileOf));
}
