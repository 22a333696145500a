/**
 * The tree into which a YAML text is read, before it becomes a value. Scalars keep the text that they were written
 * with, because kustomize compares, joins and prints that text (`1.10` in an annotation stays `1.10`).
 *
 * Invariants: a string is a `string`, or a `QuotedText` if it was written in quotes or as a block; every other scalar
 * is a `YamlScalar`, which is never changed. Maps are `Map`s, so that no key is special and keys keep their order. Only
 * a `SharedText` may occur in several places of a tree; aliases are copied when they are read.
 */
import { newMap, type Value } from '../value.ts';
import { refold } from './refold.ts';

export type YamlNode = string | YamlScalar | YamlList | YamlMap;

export type YamlMap = Map<string, YamlNode> & InFlow & Repeated;

export type YamlList = YamlNode[] & InFlow;

/** Collections written with brackets. kustomize writes no block inside them, so a folded text keeps its lines there. */
interface InFlow {
  isFlow?: boolean;
}

interface Repeated {
  /** The last values of keys that occur several times, if the first ones count. kustomize prints no such map. */
  repeated?: Map<string, YamlNode>;
}

/** A scalar that is not a string: null, boolean, number, or a timestamp (whose value is its RFC 3339 text). */
export interface YamlScalar {
  /** As written, without quotes. */
  readonly text: string;
  readonly value: null | boolean | number | bigint | string;
  /** The type was only guessed from the text; a strategic merge turns the scalar into a string. */
  readonly isUntyped?: boolean;
  /** A tag that does not fit the text; it is written out. Only in YAML inside a text. */
  readonly writtenTag?: string;
}

/**
 * One text in several places of a tree: an assignment to one of them changes all. Only the labels and annotations that
 * kustomize writes are shared like this; a copy of the tree has separate texts.
 */
interface SharedText {
  text: string;
  value: YamlScalar['value'];
  readonly isShared: true;
}

/** A text written in quotes or as a block. A merge that replaces it writes the new scalar in quotes too, as a text. */
interface QuotedText extends YamlScalar {
  readonly value: string;
  readonly isQuoted: true;
  /** Written with `>`. kustomize folds its lines again when it writes the object, which can change the text. */
  readonly isFolded?: true;
  /** It keeps empty lines at its end, and a comment follows that closes the document (`settleClosingComment`). */
  readonly isBeforeClosingComment?: true;
}

export function isUntyped(node: YamlNode | undefined): node is YamlScalar {
  return typeof node === 'object' && 'isUntyped' in node && node.isUntyped === true;
}

export function quotedText(text: string): QuotedText {
  return { text, value: text, isQuoted: true };
}

export function foldedText(text: string): QuotedText {
  return { text, value: text, isQuoted: true, isFolded: true };
}

export function beforeClosingComment(text: QuotedText): QuotedText {
  return { ...text, isBeforeClosingComment: true };
}

/**
 * Repeats what kustomize does to a comment that closes a document when it writes the object: it puts an empty line
 * before the comment, which then belongs to the text. It does so only if the text is still the last scalar of the
 * object.
 */
export function settleClosingComment(object: YamlMap): void {
  let parent: YamlMap | YamlList = object;
  for (;;) {
    const [key, last]: readonly [string | number, YamlNode | undefined] = isYamlMap(parent)
      ? (Array.from(parent).at(-1) ?? ['', undefined])
      : [parent.length - 1, parent.at(-1)];
    if (isYamlMap(last) || isYamlList(last)) {
      parent = last;
      continue;
    }
    if (!isQuotedText(last) || !last.isBeforeClosingComment) return;
    const text = `${last.text}\n`;
    const settled = last.isFolded ? foldedText(text) : quotedText(text);
    if (isYamlMap(parent)) parent.set(String(key), settled);
    else parent[Number(key)] = settled;
    return;
  }
}

export function isFoldedText(node: YamlNode | undefined): node is QuotedText {
  return isQuotedText(node) && node.isFolded === true;
}

/** A text in the style of the scalar that it replaces: folded, in quotes, or without quotes. */
export function styledAs(found: YamlNode | undefined, text: string): string | YamlScalar {
  if (isFoldedText(found)) return foldedText(text);
  return isQuotedText(found) ? quotedText(text) : text;
}

export function isQuotedText(node: YamlNode | undefined): node is QuotedText {
  return typeof node === 'object' && 'isQuoted' in node;
}

export function shareText(text: string): SharedText {
  return { text, value: text, isShared: true };
}

export function isSharedText(node: YamlNode | undefined): node is SharedText & YamlScalar {
  return typeof node === 'object' && 'isShared' in node;
}

/** Sets a member of a map. If it is a shared text, a scalar replaces it in all places, any other node only here. */
export function assign(map: YamlMap, key: string, node: YamlNode): void {
  const found = map.get(key);
  if (!isSharedText(found) || !isYamlScalar(node)) map.set(key, node);
  else
    Object.assign(
      found,
      typeof node === 'string' ? { text: node, value: node } : { text: node.text, value: node.value },
    );
}

/** Whether a node is a string, of any of the three forms. */
export function isText(node: YamlNode | undefined): boolean {
  return typeof node === 'string' || isQuotedText(node) || (isSharedText(node) && typeof node.value === 'string');
}

/** A null that is written out as `null`. */
export const NULL: YamlScalar = Object.freeze({ text: 'null', value: null });

/** A missing value after a colon in block style: null, and dropped by every merge. */
export const EMPTY: YamlScalar = Object.freeze({ text: '', value: null });

/** A missing value in flow style: null while kustomize works on it, and the empty string when kustomize prints it. */
export const EMPTY_IN_FLOW: YamlScalar = Object.freeze({ text: '', value: null });

export function isYamlMap(node: YamlNode | undefined): node is YamlMap {
  return node instanceof Map;
}

export function isYamlList(node: YamlNode | undefined): node is YamlList {
  return Array.isArray(node);
}

export function isYamlScalar(node: YamlNode | undefined): node is string | YamlScalar {
  return node !== undefined && !isYamlMap(node) && !isYamlList(node);
}

/** Whether a node is missing, or null in any spelling. */
export function isNothing(node: YamlNode | undefined): boolean {
  return (
    node === undefined || (typeof node === 'object' && !isYamlMap(node) && !isYamlList(node) && node.value === null)
  );
}

/** The text of a scalar; the empty string for a map, a list or a missing node. */
export function textOf(node: YamlNode | undefined): string {
  if (typeof node === 'string') return node;
  if (node === undefined || isYamlMap(node) || isYamlList(node)) return '';
  return node.text;
}

export function copyNode<T extends YamlNode>(node: T): T {
  if (isYamlMap(node)) {
    const copy: YamlMap = new Map();
    node.forEach((value, key) => copy.set(key, copyNode(value)));
    if (node.repeated !== undefined) copy.repeated = node.repeated;
    return inFlowOf(copy, node) as T;
  }
  if (isYamlList(node)) {
    const copy = node.map((item) => copyNode(item));
    return inFlowOf(copy, node) as T;
  }
  return (isSharedText(node) ? plainScalar(node) : node) as T;
}

/** Marks a collection as written with brackets if another one is. */
export function inFlowOf<T extends YamlList | YamlMap>(node: T, other: YamlNode | undefined): T {
  const isFlow = (isYamlMap(other) || isYamlList(other)) && other.isFlow === true;
  if ((node.isFlow === true) !== isFlow) node.isFlow = isFlow;
  return node;
}

function plainScalar({ text, value }: YamlScalar): YamlNode {
  return typeof value === 'string' ? text : { text, value };
}

/** The value of a node as kustomize prints it; maps of the result have no prototype. */
export function nodeToValue(node: YamlNode, isInFlow = false): Value {
  if (typeof node === 'string') return node;
  if (isYamlMap(node)) {
    const map = newMap();
    const isFlow = isInFlow || node.isFlow === true;
    for (const [key, value] of node) map[key] = nodeToValue(value, isFlow);
    return map;
  }
  if (isYamlList(node)) {
    const isFlow = isInFlow || node.isFlow === true;
    return node.map((item) => nodeToValue(item, isFlow));
  }
  if (!isInFlow && isFoldedText(node)) return refold(node.text);
  // kustomize reads an empty scalar in brackets, such as one that a replacement has emptied, as an empty text.
  const isEmptied = isInFlow && node.value === null && node.text === '';
  return isEmptied || node === EMPTY_IN_FLOW ? '' : node.value;
}

/** The tree of a value that was read from JSON, where every text is in quotes and every collection in brackets. */
export function valueToNode(value: Value): YamlNode {
  if (typeof value === 'string') return quotedText(value);
  if (value === null) return NULL;
  if (Array.isArray(value)) {
    const list: YamlList = value.map(valueToNode);
    list.isFlow = true;
    return list;
  }
  if (typeof value !== 'object') return { text: String(value), value };
  const map: YamlMap = new Map();
  map.isFlow = true;
  for (const key of Object.keys(value)) map.set(key, valueToNode(value[key] as Value));
  return map;
}
