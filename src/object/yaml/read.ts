/**
 * Reads YAML (and so JSON) texts into trees, as go-yaml does for kustomize, in linear time and within given bounds.
 * Reports the offset of an error; `explain.ts` finds the cause.
 *
 * Invariant: the result depends on the text and the options alone. A text is either read completely, or refused with
 * one offset.
 */
import { getScalarValue, parseEvents, YAMLException, type Event, type ScalarEvent } from 'js-yaml';
import { StageError } from '../stage-error.ts';
import { indentFlow } from './indent-flow.ts';
import {
  beforeClosingComment,
  copyNode,
  EMPTY,
  EMPTY_IN_FLOW,
  isText,
  isYamlList,
  isYamlMap,
  foldedText,
  quotedText,
  textOf,
  type YamlList,
  type YamlMap,
  type YamlNode,
} from './node.ts';
import { resolvePlain, resolveTagged, type YamlDialect } from './scalar.ts';

export interface YamlOptions {
  /** Nodes of one text; every use of an alias counts at its full size. */
  readonly maxNodes: number;
  /** Nesting of collections. */
  readonly maxDepth: number;
  /** Default `v3`. */
  readonly dialect?: YamlDialect;
  /**
   * A key that occurs twice in one map is an error, or the last one counts: always, or in annotations of objects. Or
   * the first one counts, and the map keeps the last one too (`repeated`).
   */
  readonly duplicateKeys?: 'error' | 'last' | 'last in annotations' | 'first';
  /**
   * A key below the top level that is not a string (`1: a`) is an error, as in kustomize, or is taken as text. Default
   * `error`.
   */
  readonly nonTextKeys?: 'error' | 'text';
  /** Whether texts in quotes and blocks, and collections in brackets, are kept apart from others. Default false. */
  readonly shouldMarkStyles?: boolean;
}

export interface YamlDocument {
  /** Undefined for an empty document. */
  readonly root: YamlNode | undefined;
  /** 1-based line of its first node. */
  readonly line: number;
}

export interface YamlFailure {
  readonly code: 'YamlSyntax' | 'LimitExceeded';
  readonly message: string;
  /** Offset of the error in the text. */
  readonly offset: number;
  /** The words and the place are those of the parser, and may be far behind the cause. */
  readonly isVague?: boolean;
}

export type YamlResult =
  | { readonly ok: true; readonly documents: readonly YamlDocument[] }
  | { readonly ok: false; readonly failure: YamlFailure };

/** Characters that libyaml refuses everywhere in a text, and the parser accepts. */
const CONTROLS = /[\x7f-\x84\x86-\x9f]/;

/** A colon before a comma or a closing bracket, which may be the end of an unquoted text in a flow collection. */
const COLON_IN_FLOW = /[^\s"'\]},{[]:[,\]}]/;

/** Reads all documents of a text. Never throws because of the text. */
export function readYaml(text: string, options: YamlOptions): YamlResult {
  if (COLON_IN_FLOW.test(text)) {
    const result = readOnce(indentFlow(text), options);
    if (result.ok) return result;
  }
  return readOnce(text, options);
}

function readOnce(text: string, options: YamlOptions): YamlResult {
  try {
    const control = text.search(CONTROLS);
    if (control >= 0) refuse('control characters are not allowed', control);
    const events = parseEvents(text, { maxDepth: options.maxDepth });
    return {
      ok: true,
      documents: readDocuments({ text, events, options, at: 0, nodes: 0, trail: [], anchors: new Map() }),
    };
  } catch (error) {
    if (error instanceof YAMLException) {
      const indented = indentFlow(text);
      const result = indented === text ? undefined : readOnce(indented, options);
      if (result?.ok) return result;
    }
    if (error instanceof StageError) return { ok: false, failure: error.cause as YamlFailure };
    if (!(error instanceof YAMLException)) throw error;
    const code = /depth/i.test(error.reason) ? 'LimitExceeded' : 'YamlSyntax';
    const offset = error.mark?.position ?? 0;
    return { ok: false, failure: { code, message: error.reason, offset, isVague: code === 'YamlSyntax' } };
  }
}

const DOCUMENT = 1;
const SEQUENCE = 2;
const MAPPING = 3;
const SCALAR = 4;
const ALIAS = 5;
const POP = 6;
const FLOW = 2;
const PLAIN = 1;
const DOUBLE = 3;
const LITERAL = 4;
const FOLDED = 5;

interface Reader {
  readonly text: string;
  readonly events: readonly Event[];
  readonly options: YamlOptions;
  /** Index of the next event. */
  at: number;
  /** Nodes read so far. */
  nodes: number;
  /** The keys of the outer two maps that lead to the current node. */
  readonly trail: string[];
  /** Anchored nodes of the current document; undefined while the end of the node is not reached. */
  readonly anchors: Map<string, YamlNode | undefined>;
}

function readDocuments(reader: Reader): YamlDocument[] {
  const documents: YamlDocument[] = [];
  let line = 1;
  /** Offset up to which lines have been counted. */
  let counted = 0;
  while (reader.at < reader.events.length) {
    if (reader.events[reader.at]?.type !== DOCUMENT) refuse('document expected', counted);
    reader.at += 1;
    reader.anchors.clear();
    const first = reader.events[reader.at];
    const offset = first === undefined ? -1 : startOf(first);
    if (offset > counted) {
      for (let next = reader.text.indexOf('\n', counted); next >= 0 && next < offset;) {
        line += 1;
        next = reader.text.indexOf('\n', next + 1);
      }
      counted = offset;
    }
    const root = first === undefined || first.type === POP ? undefined : readNode(reader, 0, false);
    reader.at += 1;
    documents.push({ root: root === EMPTY ? undefined : root, line });
  }
  return documents;
}

function readNode(reader: Reader, depth: number, isInFlow: boolean): YamlNode {
  const event = reader.events[reader.at++] as Event;
  if (++reader.nodes > reader.options.maxNodes) tooManyNodes(reader, startOf(event));
  switch (event.type) {
    case SCALAR: {
      const node = readScalar(reader, event, isInFlow);
      if (event.anchorStart >= 0) reader.anchors.set(anchorOf(reader, event), node);
      return node;
    }
    case MAPPING: {
      const anchor = openAnchor(reader, event);
      const map = readMap(reader, depth, event.style === FLOW);
      if (anchor !== undefined) reader.anchors.set(anchor, map);
      return map;
    }
    case SEQUENCE: {
      const anchor = openAnchor(reader, event);
      const list: YamlList = [];
      if (event.style === FLOW && reader.options.shouldMarkStyles) list.isFlow = true;
      while (reader.events[reader.at]?.type !== POP) list.push(readNode(reader, depth + 1, event.style === FLOW));
      reader.at += 1;
      if (anchor !== undefined) reader.anchors.set(anchor, list);
      return list;
    }
    case ALIAS:
      return readAlias(reader, event);
    default:
      return refuse('node expected', 0);
  }
}

function readScalar(reader: Reader, event: ScalarEvent, isInFlow: boolean): YamlNode {
  const text = scalarText(reader.text, event);
  const tag = event.tagStart < 0 ? '' : coreTag(reader.text.slice(event.tagStart, event.tagEnd));
  if (tag === '' || (tag === '!' && event.style === PLAIN)) {
    if (event.style !== PLAIN) {
      if (!reader.options.shouldMarkStyles) return text;
      const node = event.style === FOLDED ? foldedText(text) : quotedText(text);
      return isBeforeClosingComment(reader.text, event, text) ? beforeClosingComment(node) : node;
    }
    if (isInFlow && text === '' && reader.options.dialect !== 'v2') return EMPTY_IN_FLOW;
    // kustomize reads the text that go-yaml writes. In flow style go-yaml puts a time in quotes, because of its colon,
    // which makes it a text.
    const isTimeInFlow = isInFlow && reader.options.dialect !== 'v2' && text.includes(':');
    return isTimeInFlow ? text : resolvePlain(text, reader.options.dialect);
  }
  if ((tag === '!' || tag === 'str') && event.style === FOLDED && reader.options.shouldMarkStyles) {
    return foldedText(text);
  }
  if (tag === '!') return text;
  const tagged = resolveTagged(text, tag, reader.options.dialect ?? 'v3');
  return tagged ?? refuse(`the text does not fit its tag !!${tag}`, event.tagStart);
}

/** Comments up to the end of the document, none of which is indented less than the first one. */
const CLOSING_COMMENT = /(?:[ \t]*\n)*( *)#[^\n]*(?:\n(?:[ \t]*|\1 *#[^\n]*))*(?:\n(?:---|\.\.\.)|$)/y;

/** Whether a text that keeps empty lines at its end is the last scalar of its document, and a comment follows it. */
function isBeforeClosingComment(source: string, event: ScalarEvent, text: string): boolean {
  if (event.style < LITERAL || !/(?:^|\n)\n$/.test(text)) return false;
  CLOSING_COMMENT.lastIndex = event.valueEnd;
  return CLOSING_COMMENT.test(source);
}

/** The text of a scalar. A block scalar at the end of a file without a last newline has no last newline either. */
function scalarText(source: string, event: ScalarEvent): string {
  const text = getScalarValue(source, event);
  if (!event.fast && event.style >= DOUBLE) checkAsLibyaml(source, event);
  if (!event.fast && !text.isWellFormed()) refuse('an escape does not name a character', event.valueStart);
  const isCut = event.style >= LITERAL && event.valueEnd === source.length && !source.endsWith('\n');
  return isCut && text.endsWith('\n') ? text.slice(0, -1) : text;
}

/** Refuses scalars that libyaml refuses and the parser accepts. */
function checkAsLibyaml(source: string, event: ScalarEvent): void {
  const written = source.slice(event.valueStart, event.valueEnd);
  if (event.style === DOUBLE) {
    if (/(?<!\\)(?:\\\\)*\\\//.test(written)) refuse('\\/ is not an escape in YAML; write /', event.valueStart);
    return;
  }
  if (!/^(?: *\n)* *\t/.test(written)) return;
  const header = source.slice(source.lastIndexOf('\n', event.valueStart - 2) + 1, event.valueStart);
  if (/[|>][-+]?\d/.test(header)) return;
  refuse('a text after | or > cannot begin with a tab unless its indentation is given, as in |2', event.valueStart);
}

const CORE_TAGS = new Set(['str', 'int', 'float', 'bool', 'null', 'timestamp', 'binary']);

/** The name of a tag of the YAML core schema. Every other tag makes a string, as kustomize prints it. */
function coreTag(tag: string): string {
  if (tag === '!') return tag;
  const name = tag.replace(/^!!|^!?<?tag:yaml\.org,2002:|>$/g, '');
  return CORE_TAGS.has(name) ? name : 'str';
}

function readMap(reader: Reader, depth: number, isInFlow: boolean): YamlMap {
  const map: YamlMap = new Map();
  if (isInFlow && reader.options.shouldMarkStyles) map.isFlow = true;
  let sources: YamlMap[] | undefined;
  while (reader.events[reader.at]?.type !== POP) {
    const event = reader.events[reader.at] as Event;
    const key = readKey(reader, depth, event);
    if (key === MERGE) {
      if (sources) refuse('<< occurs twice in one map', startOf(event));
      sources = mergeSources(readNode(reader, depth + 1, isInFlow), startOf(event));
      continue;
    }
    const isRepeated = map.has(key);
    if (isRepeated && !mayRepeat(reader, depth)) refuse(`the key "${key}" occurs twice in one map`, startOf(event));
    if (depth < 2) reader.trail[depth] = key;
    const value = readNode(reader, depth + 1, isInFlow);
    if (isRepeated && reader.options.duplicateKeys === 'first') (map.repeated ??= new Map()).set(key, value);
    else map.set(key, value);
  }
  reader.at += 1;
  if (sources) mergeInto(map, sources);
  return map;
}

/** Whether a key may occur twice in the map that is read now. kustomize writes all annotations of an object again. */
function mayRepeat({ options, trail }: Reader, depth: number): boolean {
  const { duplicateKeys = 'error' } = options;
  if (duplicateKeys !== 'last in annotations') return duplicateKeys !== 'error';
  return depth === 2 && trail[0] === 'metadata' && trail[1] === 'annotations';
}

/** The key `<<` without quotes. A symbol, because the text `<<` in quotes is an ordinary key. */
const MERGE = Symbol('merge');

function readKey(reader: Reader, depth: number, event: Event): string | typeof MERGE {
  reader.at += 1;
  if (++reader.nodes > reader.options.maxNodes) tooManyNodes(reader, startOf(event));
  if (event.type === ALIAS) {
    const name = reader.text.slice(event.anchorStart, event.anchorEnd);
    const node = reader.anchors.get(name);
    if (isText(node)) return textOf(node);
    return refuse(`the alias *${name} is not a text and cannot be a key`, event.anchorStart);
  }
  if (event.type !== SCALAR) return refuse('a map or list cannot be a key', startOf(event));
  if (event.fast && event.style === PLAIN && event.valueEnd - event.valueStart === 2) {
    if (reader.text.startsWith('<<', event.valueStart)) return MERGE;
  }
  const node = readScalar(reader, event, false);
  if (event.anchorStart >= 0) reader.anchors.set(anchorOf(reader, event), node);
  if (typeof node === 'string') return node;
  if (isText(node)) return textOf(node);
  if (isYamlMap(node) || isYamlList(node)) return refuse('a map or list cannot be a key', startOf(event));
  if (node.value === null) return refuse('null cannot be a key', startOf(event));
  if (depth > 0 && reader.options.nonTextKeys !== 'text') {
    refuse(`the key ${node.text} is not a string; put it in quotes`, startOf(event));
  }
  // Version 2 of go-yaml takes the value of a key, not its text: `n` becomes `false`.
  return reader.options.dialect === 'v2' ? String(node.value) : node.text;
}

function readAlias(reader: Reader, event: Event & { readonly type: typeof ALIAS }): YamlNode {
  const name = reader.text.slice(event.anchorStart, event.anchorEnd);
  if (!reader.anchors.has(name)) refuse(`the alias *${name} has no anchor before it`, event.anchorStart);
  const node = reader.anchors.get(name);
  if (node === undefined) return refuse(`the alias *${name} is inside the node that it names`, event.anchorStart);
  reader.nodes += sizeOf(node, reader.options.maxNodes);
  if (reader.nodes > reader.options.maxNodes) tooManyNodes(reader, event.anchorStart);
  return copyNode(node);
}

/** The number of nodes of a tree, its root included; counting stops beyond `max`. */
function sizeOf(node: YamlNode, max: number): number {
  let size = 1;
  const children = isYamlMap(node) ? node.values() : isYamlList(node) ? node : [];
  for (const child of children) {
    size += sizeOf(child, max);
    if (size > max) break;
  }
  return size;
}

function mergeSources(node: YamlNode, offset: number): YamlMap[] {
  const sources = isYamlList(node) ? node : [node];
  return sources.map((source) => (isYamlMap(source) ? source : refuse('<< needs a map or a list of maps', offset)));
}

/** The map's own keys win over those of the sources, and an earlier source over a later one. */
function mergeInto(map: YamlMap, sources: readonly YamlMap[]): void {
  for (const source of sources) {
    for (const [key, value] of source) if (!map.has(key)) map.set(key, value);
  }
}

/** Registers the anchor of a collection, so that an alias inside it can be refused; returns the name of the anchor. */
function openAnchor(reader: Reader, event: { anchorStart: number; anchorEnd: number }): string | undefined {
  if (event.anchorStart < 0) return undefined;
  const anchor = anchorOf(reader, event);
  reader.anchors.set(anchor, undefined);
  return anchor;
}

function anchorOf(reader: Reader, event: { anchorStart: number; anchorEnd: number }): string {
  const name = reader.text.slice(event.anchorStart, event.anchorEnd);
  return /^[\w-]+$/.test(name)
    ? name
    : refuse(`the anchor &${name} contains other characters than letters, digits, _ and -`, event.anchorStart);
}

function startOf(event: Event): number {
  if (event.type === SCALAR) return Math.max(event.valueStart, 0);
  if (event.type === ALIAS) return event.anchorStart;
  return event.type === MAPPING || event.type === SEQUENCE ? event.start : -1;
}

function tooManyNodes(reader: Reader, offset: number): never {
  return refuse(
    `more than ${reader.options.maxNodes} nodes; each use of an alias counts at its full size`,
    offset,
    'LimitExceeded',
  );
}

function refuse(message: string, offset: number, code: YamlFailure['code'] = 'YamlSyntax'): never {
  const failure: YamlFailure = { code, message, offset };
  throw new StageError({ stage: 'render', code, retry: 'never', message, cause: failure });
}
