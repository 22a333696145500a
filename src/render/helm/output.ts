/**
 * The objects in the output of `helm template`, each with the template that printed it. Documents are read as helm and
 * Kubernetes read them: YAML 1.1, of two equal keys the last one counts.
 *
 * Invariant: the output is read completely or not at all, so that nothing is pruned because of a part of it.
 */
import { digestValue } from '../../object/digest.ts';
import { isKubeObject, isMap, own, stringAt, valueAt, type Value } from '../../object/value.ts';
import { nodeToValue } from '../../object/yaml/node.ts';
import { fail } from '../fail.ts';
import type { RenderContext } from '../file-loader.ts';
import type { BuiltObject } from '../kustomize/build.ts';
import { readDocuments } from '../manifest-text.ts';

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
    const isGenerated = valueAt(value, 'metadata', 'generateName') !== undefined;
    if (!isGenerated) return fail('NotAnObject', `an object of kind ${kind} has no metadata.name`, place);
    return fail('ReservedField', `a ${kind} has metadata.generateName: every sync would create another object`, place);
  }
  objects.push({ object: value, digest: digestValue(value), ...place });
}
