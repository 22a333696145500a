/**
 * Reads the objects of one YAML or JSON text, which may have several documents. Lists are expanded, empty documents are
 * dropped, and each object must have a kind and a name, as in kustomize.
 *
 * Invariant: the objects have the order of kustomize, which puts the items of a list after the other documents of the
 * file.
 */
import { GENERATED_NAME_ANNOTATION } from '../object/hooks.ts';
import { explainYaml } from '../object/yaml/explain.ts';
import { isNothing, isYamlList, isYamlMap, nodeToValue, textOf, valueToNode } from '../object/yaml/node.ts';
import type { YamlMap, YamlNode } from '../object/yaml/node.ts';
import { readYaml, type YamlDocument, type YamlOptions } from '../object/yaml/read.ts';
import { fail, problemOf } from './fail.ts';
import { generatedStem } from './generated-stem.ts';
import type { RenderLimits } from './manifests.ts';

export interface TextObject {
  readonly node: YamlMap;
  /** 1-based first line of its document. */
  readonly line: number;
}

export interface TextSource {
  readonly text: string;
  /** For messages. */
  readonly file: string;
  readonly limits: RenderLimits;
}

export function readObjects(
  source: TextSource,
  nonTextKeys: 'error' | 'text' = 'error',
  duplicateKeys: YamlOptions['duplicateKeys'] = 'error',
): TextObject[] {
  const { text, file } = source;
  const separator = /\n---[ \t]*[^\s#][^\n]*\n/.exec(text);
  if (separator) {
    const line = text.slice(0, separator.index + 1).split('\n').length;
    fail('YamlSyntax', 'a document must begin on the line after ---', { file, line });
  }
  const shouldMarkStyles = nonTextKeys === 'error';
  const documents = readParts(source, { dialect: 'v3', nonTextKeys, duplicateKeys, shouldMarkStyles });
  const isAlone = documents.length === 1;
  const queue: TextObject[] = [];
  for (const { root, line } of documents) {
    if (root === undefined || isNothing(root)) continue;
    queue.push(
      ...itemsOfOnlyList(root, isAlone)
        .map((node) => checkObject(node, { file, line }))
        .filter(isObject),
    );
  }
  const objects: TextObject[] = [];
  for (let at = 0; at < queue.length; at += 1) {
    const object = queue[at] as TextObject;
    const items = embeddedItems(object, file);
    if (items === undefined) objects.push(object);
    else queue.push(...items);
    if (queue.length > source.limits.maxObjects) {
      fail('LimitExceeded', `more than ${source.limits.maxObjects} objects in one file`, { file });
    }
  }
  return objects;
}

/**
 * The documents that kustomize reads: it splits the text at lines of `---`, and reads only the first document of each
 * part. A document may also end with `...`, or with the bracket that closes it. The rest of the part is left out,
 * except its line ends, so that every line keeps its number. A byte order mark at the beginning of a part is dropped.
 */
function readParts(source: TextSource, options: Parameters<typeof readDocuments>[1]): readonly YamlDocument[] {
  const text = mapParts(source.text, (part) => cut(part, endOfDocument(part)));
  try {
    return readDocuments({ ...source, text }, options);
  } catch (error) {
    // Two JSON values without a separator are not YAML, and only the first one counts.
    const firstOnly = mapParts(text, (part) => cut(part, endOfBrackets(part)));
    if (firstOnly === text || problemOf(error).code !== 'YamlSyntax') throw error;
    return readDocuments({ ...source, text: firstOnly }, options);
  }
}

function mapParts(text: string, change: (part: string) => string): string {
  const separators = /\n---[^\n]*\n/g;
  const parts: string[] = [];
  let from = 0;
  for (const { 0: separator, index } of text.matchAll(separators)) {
    parts.push(change(text.slice(from, index)), separator);
    from = index + separator.length;
  }
  parts.push(change(text.slice(from)));
  return parts.join('');
}

function cut(part: string, end: number | undefined): string {
  const text = end === undefined ? part : part.slice(0, end) + part.slice(end).replace(/[^\n]+/g, '');
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** The line that ends a document. It stays, because the empty lines behind it would otherwise belong to a `|+`. */
const END_LINE = '\n...';

/** The end of the line `...` that ends the document; undefined if there is none behind its content. */
function endOfDocument(text: string): number | undefined {
  for (const { index } of text.matchAll(/\n\.\.\.(?=[ \t\n]|$)/g)) {
    if (/^(?!#|---|\.\.\.)[ \t]*[^\s#]/m.test(text.slice(0, index))) return index + END_LINE.length;
  }
  return undefined;
}

/** Where the JSON value ends that is the whole document; undefined if the document is not JSON. */
function endOfBrackets(text: string): number | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  let depth = 0;
  for (const { 0: found, index } of text.matchAll(/"(?:[^"\\]|\\.)*(?:"|$)|[{}[\]]/gs)) {
    if (found === '{' || found === '[') depth += 1;
    else if (found === '}' || found === ']') depth -= 1;
    if (depth === 0) return index + 1;
  }
  return undefined;
}

/**
 * Words that show that a text may be a Secret or a patch of a Secret. A JSON patch names neither kind nor object, so
 * the paths of its operations count too.
 */
const MAY_HOLD_SECRET = /secret|passw|token|credential|private.?key|\/(data|stringData)\//i;

/** Reads the documents of a text. If it is not YAML, fails with the line of the error, but never shows a Secret. */
export function readDocuments(
  source: TextSource,
  options: Pick<YamlOptions, 'dialect' | 'duplicateKeys' | 'nonTextKeys' | 'shouldMarkStyles'>,
): readonly YamlDocument[] {
  const { text, file, limits } = source;
  const result = readYaml(text, { ...options, maxNodes: limits.maxNodes, maxDepth: limits.maxDepth });
  if (result.ok) return result.documents;
  const { message, mayQuote, line, column, excerpt, hint } = explainYaml(text, result.failure);
  const place = { file, line, column, ...(hint === undefined ? {} : { hint }) };
  // The document cannot be parsed, so words in the text decide whether it may be a Secret. For such a text the lines
  // are left out, and so is a message of the explanation that may repeat parts of the text.
  const mayHoldSecret = MAY_HOLD_SECRET.test(text) || MAY_HOLD_SECRET.test(file);
  if (mayHoldSecret) fail(result.failure.code, mayQuote ? result.failure.message : message, place);
  fail(result.failure.code, message, { ...place, excerpt });
}

function itemsOfOnlyList(root: YamlNode, isAlone: boolean): YamlNode[] {
  if (!isAlone || !isYamlMap(root)) return [root];
  const kind = textOf(root.get('kind'));
  const isList = kind === 'List' || kind === 'ResourceList';
  if (!isList || (!root.has('items') && !root.has('functionConfig'))) return [root];
  const items = root.get('items');
  return isYamlList(items) ? items : [];
}

function checkObject(node: YamlNode, place: { file: string; line: number }): TextObject | undefined {
  if (isNothing(node) || (isYamlMap(node) && node.size === 0) || (isYamlList(node) && node.length === 0))
    return undefined;
  if (!isYamlMap(node)) return fail('NotAnObject', 'a document is not an object with apiVersion and kind', place);
  const metadata = node.get('metadata');
  const kind = textOf(node.get('kind'));
  if (kind === '') return fail('NotAnObject', 'an object has no kind', place);
  if (
    !kind.endsWith('List') &&
    (!isYamlMap(metadata) || isNothing(metadata.get('name')) || textOf(metadata.get('name')) === '')
  ) {
    if (!nameGenerated(metadata)) return unnamed(kind, metadata, place);
  }
  return { node, line: place.line };
}

/**
 * Gives a hook with a `generateName` a name, to which bind adds the run. Returns false for an object that is no hook,
 * of which every sync would create another one.
 */
function nameGenerated(metadata: YamlNode | undefined): boolean {
  const annotations = isYamlMap(metadata) ? metadata.get('annotations') : undefined;
  if (!isYamlMap(metadata) || !isYamlMap(annotations)) return false;
  const stem = generatedStem(nodeToValue(metadata));
  if (stem === undefined) return false;
  metadata.set('name', valueToNode(stem));
  annotations.set(GENERATED_NAME_ANNOTATION, valueToNode('true'));
  return true;
}

function unnamed(kind: string, metadata: YamlNode | undefined, place: { file: string; line: number }): never {
  if (isYamlMap(metadata) && !isNothing(metadata.get('generateName'))) {
    fail('ReservedField', `a ${kind} has metadata.generateName: every sync would create another object`, {
      ...place,
      hint: 'Give it a metadata.name instead. A Job or hook with a name runs again when its manifest changes.',
    });
  }
  const hint = 'Give it a metadata.name.';
  return fail('NotAnObject', `an object of kind ${kind} has no metadata.name`, { ...place, hint });
}

function isObject(object: TextObject | undefined): object is TextObject {
  return object !== undefined;
}

/** The items of an object of a kind such as `ConfigMapList`; undefined for any other object. */
function embeddedItems(object: TextObject, file: string): TextObject[] | undefined {
  const { node, line } = object;
  if (!textOf(node.get('kind')).endsWith('List') || !node.has('items')) return undefined;
  const items = node.get('items');
  if (isNothing(items)) return [];
  if (!isYamlList(items)) {
    return fail('NotAnObject', `the items of a ${textOf(node.get('kind'))} are not a list`, { file, line });
  }
  // kustomize converts items to JSON and back, which writes scalars in their canonical form.
  return items.map((item) => checkObject(valueToNode(nodeToValue(item)), { file, line })).filter(isObject);
}
