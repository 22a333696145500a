/**
 * Reads YAML (and so JSON) texts into trees, as go-yaml does for kustomize: fast, linear, and within the bounds it is
 * given. Says where a text is wrong; `explain.ts` says why.
 *
 * Invariant: nothing here depends on anything but the text and the options; a text is read whole or refused at one
 * offset.
 */
import { getScalarValue, parseEvents, YAMLException, type Event, type ScalarEvent } from 'js-yaml';
import { StageError } from '../stage-error.ts';
import { indentFlow } from './indent-flow.ts';
import {
  copyNode,
  EMPTY,
  EMPTY_IN_FLOW,
  isText,
  isYamlList,
  isYamlMap,
  quotedText,
  textOf,
  type YamlMap,
  type YamlNode,
} from './node.ts';
import { refold } from './refold.ts';
import { resolvePlain, resolveTagged, type YamlDialect } from './scalar.ts';

export interface YamlOptions {
  /** Nodes of one text, every use of an alias counted at its full size. */
  readonly maxNodes: number;
  /** Nesting of collections. */
  readonly maxDepth: number;
  /** Default `v3`. */
  readonly dialect?: YamlDialect;
  /** What a key that stands twice in one map does. Default `error`. */
  readonly duplicateKeys?: 'error' | 'last';
  /** What a key that is no string does below the top level (`1: a`); kustomize refuses it. Default `error`. */
  readonly otherKeys?: 'error' | 'text';
  /** Whether texts in quotes and blocks are told from others. Default false. */
  readonly keepsQuotes?: boolean;
}

export interface YamlDocument {
  /** Undefined for a document that holds nothing. */
  readonly root: YamlNode | undefined;
  /** 1-based line at which its first node stands. */
  readonly line: number;
}

export interface YamlFailure {
  readonly code: 'YamlSyntax' | 'LimitExceeded';
  readonly message: string;
  /** Offset into the text at which it went wrong. */
  readonly offset: number;
}

export type YamlResult =
  | { readonly ok: true; readonly documents: readonly YamlDocument[] }
  | { readonly ok: false; readonly failure: YamlFailure };

/** Characters that libyaml refuses wherever they stand, and the parser does not. */
const CONTROLS = /[\x7f-\x84\x86-\x9f]/;

/** Reads every document of a text. Never throws, whatever the text. */
export function readYaml(text: string, options: YamlOptions): YamlResult {
  try {
    const control = text.search(CONTROLS);
    if (control >= 0) refuse('control characters are not allowed', control);
    const events = parseEvents(text, { maxDepth: options.maxDepth });
    return { ok: true, documents: readDocuments({ text, events, options, at: 0, nodes: 0, anchors: new Map() }) };
  } catch (error) {
    if (error instanceof YAMLException) {
      const indented = indentFlow(text);
      const result = indented === text ? undefined : readYaml(indented, options);
      if (result?.ok) return result;
    }
    if (error instanceof StageError) return { ok: false, failure: error.cause as YamlFailure };
    if (!(error instanceof YAMLException)) throw error;
    const code = /depth/i.test(error.reason) ? 'LimitExceeded' : 'YamlSyntax';
    return { ok: false, failure: { code, message: error.reason, offset: error.mark?.position ?? 0 } };
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

interface Reading {
  readonly text: string;
  readonly events: readonly Event[];
  readonly options: YamlOptions;
  /** Index of the next event. */
  at: number;
  nodes: number;
  /** Anchored nodes of the document under way; undefined while the node is still open. */
  readonly anchors: Map<string, YamlNode | undefined>;
}

function readDocuments(reading: Reading): YamlDocument[] {
  const documents: YamlDocument[] = [];
  let line = 1;
  let seen = 0;
  while (reading.at < reading.events.length) {
    if (reading.events[reading.at]?.type !== DOCUMENT) refuse('document expected', seen);
    reading.at += 1;
    reading.anchors.clear();
    const first = reading.events[reading.at];
    const offset = first === undefined ? -1 : startOf(first);
    if (offset > seen) {
      for (let next = reading.text.indexOf('\n', seen); next >= 0 && next < offset;) {
        line += 1;
        next = reading.text.indexOf('\n', next + 1);
      }
      seen = offset;
    }
    const root = first === undefined || first.type === POP ? undefined : readNode(reading, 0, false);
    reading.at += 1;
    documents.push({ root: root === EMPTY ? undefined : root, line });
  }
  return documents;
}

function readNode(reading: Reading, depth: number, inFlow: boolean): YamlNode {
  const event = reading.events[reading.at++] as Event;
  if (++reading.nodes > reading.options.maxNodes) tooManyNodes(reading, startOf(event));
  switch (event.type) {
    case SCALAR: {
      const node = readScalar(reading, event, inFlow);
      if (event.anchorStart >= 0) reading.anchors.set(anchorOf(reading, event), node);
      return node;
    }
    case MAPPING: {
      const anchor = open(reading, event);
      const map = readMap(reading, depth, event.style === FLOW);
      if (anchor !== undefined) reading.anchors.set(anchor, map);
      return map;
    }
    case SEQUENCE: {
      const anchor = open(reading, event);
      const list: YamlNode[] = [];
      while (reading.events[reading.at]?.type !== POP) list.push(readNode(reading, depth + 1, event.style === FLOW));
      reading.at += 1;
      if (anchor !== undefined) reading.anchors.set(anchor, list);
      return list;
    }
    case ALIAS:
      return readAlias(reading, event);
    default:
      return refuse('node expected', 0);
  }
}

function readScalar(reading: Reading, event: ScalarEvent, inFlow: boolean): YamlNode {
  const text = scalarText(reading.text, event);
  const tag = event.tagStart < 0 ? '' : coreTag(reading.text.slice(event.tagStart, event.tagEnd));
  if (tag === '' || (tag === '!' && event.style === PLAIN)) {
    if (event.style !== PLAIN) {
      const written = event.style === FOLDED && reading.options.dialect !== 'v2' ? refold(text) : text;
      return reading.options.keepsQuotes ? quotedText(written) : written;
    }
    if (inFlow && text === '') return EMPTY_IN_FLOW;
    // go-yaml writes a time in flow in quotes, because of its colon, and so it comes back as a text.
    const isTimeInFlow = inFlow && reading.options.dialect !== 'v2' && text.includes(':');
    return isTimeInFlow ? text : resolvePlain(text, reading.options.dialect);
  }
  if (tag === '!') return text;
  const tagged = resolveTagged(text, tag, reading.options.dialect ?? 'v3');
  return tagged ?? refuse(`the text does not fit its tag !!${tag}`, event.tagStart);
}

/** The line that a text ends in without a newline has none in a block scalar either. */
function scalarText(source: string, event: ScalarEvent): string {
  const text = getScalarValue(source, event);
  if (!event.fast && event.style >= DOUBLE) checkAsLibyaml(source, event);
  if (!event.fast && !text.isWellFormed()) refuse('an escape stands for no character', event.valueStart);
  const isCut = event.style >= LITERAL && event.valueEnd === source.length && !source.endsWith('\n');
  return isCut && text.endsWith('\n') ? text.slice(0, -1) : text;
}

/** What libyaml refuses and the parser takes. */
function checkAsLibyaml(source: string, event: ScalarEvent): void {
  const written = source.slice(event.valueStart, event.valueEnd);
  if (event.style === DOUBLE) {
    if (/(?<!\\)(?:\\\\)*\\\//.test(written)) refuse('\\/ is no escape here; write /', event.valueStart);
    return;
  }
  if (!/^(?: *\n)* *\t/.test(written)) return;
  const header = source.slice(source.lastIndexOf('\n', event.valueStart - 2) + 1, event.valueStart);
  if (/[|>][-+]?\d/.test(header)) return;
  refuse('a text after | or > cannot begin with a tab unless its indentation is given, as in |2', event.valueStart);
}

const CORE_TAGS = new Set(['str', 'int', 'float', 'bool', 'null', 'timestamp', 'binary']);

/** The name of a tag of the YAML core; tags of others make a string, as kustomize prints it. */
function coreTag(tag: string): string {
  if (tag === '!') return tag;
  const name = tag.replace(/^!!|^!?<?tag:yaml\.org,2002:|>$/g, '');
  return CORE_TAGS.has(name) ? name : 'str';
}

function readMap(reading: Reading, depth: number, inFlow: boolean): YamlMap {
  const map: YamlMap = new Map();
  let merged: YamlMap[] | undefined;
  while (reading.events[reading.at]?.type !== POP) {
    const event = reading.events[reading.at] as Event;
    const key = readKey(reading, depth, event);
    if (key === MERGE) {
      if (merged) refuse('<< stands twice in one map', startOf(event));
      merged = mergeSources(readNode(reading, depth + 1, inFlow), startOf(event));
      continue;
    }
    if (map.has(key) && reading.options.duplicateKeys !== 'last') {
      refuse(`the key "${key}" stands twice in one map`, startOf(event));
    }
    map.set(key, readNode(reading, depth + 1, inFlow));
  }
  reading.at += 1;
  if (merged) mergeInto(map, merged);
  return map;
}

/** Stands for a plain `<<`; no text can be equal to it by accident, since it is compared by identity of a symbol. */
const MERGE = Symbol('merge');

function readKey(reading: Reading, depth: number, event: Event): string | typeof MERGE {
  reading.at += 1;
  if (++reading.nodes > reading.options.maxNodes) tooManyNodes(reading, startOf(event));
  if (event.type === ALIAS) {
    const name = reading.text.slice(event.anchorStart, event.anchorEnd);
    const node = reading.anchors.get(name);
    return isText(node) ? textOf(node) : refuse(`the alias *${name} is no text and cannot be a key`, event.anchorStart);
  }
  if (event.type !== SCALAR) return refuse('a map or list cannot be a key', startOf(event));
  if (event.fast && event.style === PLAIN && event.valueEnd - event.valueStart === 2) {
    if (reading.text.startsWith('<<', event.valueStart)) return MERGE;
  }
  const node = readScalar(reading, event, false);
  if (event.anchorStart >= 0) reading.anchors.set(anchorOf(reading, event), node);
  if (typeof node === 'string') return node;
  if (isText(node)) return textOf(node);
  if (isYamlMap(node) || isYamlList(node)) return refuse('a map or list cannot be a key', startOf(event));
  if (node.value === null) return refuse('null cannot be a key', startOf(event));
  if (depth > 0 && reading.options.otherKeys !== 'text') {
    refuse(`the key ${node.text} is no string; put it in quotes`, startOf(event));
  }
  // Version 2 hands keys on by their value: `n` is `false` there.
  return reading.options.dialect === 'v2' ? String(node.value) : node.text;
}

function readAlias(reading: Reading, event: Event & { readonly type: typeof ALIAS }): YamlNode {
  const name = reading.text.slice(event.anchorStart, event.anchorEnd);
  if (!reading.anchors.has(name)) refuse(`the alias *${name} has no anchor before it`, event.anchorStart);
  const node = reading.anchors.get(name);
  if (node === undefined) return refuse(`the alias *${name} stands inside the node that it names`, event.anchorStart);
  reading.nodes += sizeOf(node, reading.options.maxNodes);
  if (reading.nodes > reading.options.maxNodes) tooManyNodes(reading, event.anchorStart);
  return copyNode(node);
}

/** Nodes below and including one; stops counting once there are more than `max`. */
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

/** A map's own keys win, and of two sources the earlier. */
function mergeInto(map: YamlMap, sources: readonly YamlMap[]): void {
  for (const source of sources) {
    for (const [key, value] of source) if (!map.has(key)) map.set(key, value);
  }
}

function open(reading: Reading, event: { anchorStart: number; anchorEnd: number }): string | undefined {
  if (event.anchorStart < 0) return undefined;
  const anchor = anchorOf(reading, event);
  reading.anchors.set(anchor, undefined);
  return anchor;
}

function anchorOf(reading: Reading, event: { anchorStart: number; anchorEnd: number }): string {
  const name = reading.text.slice(event.anchorStart, event.anchorEnd);
  return /^[\w-]+$/.test(name)
    ? name
    : refuse(`the anchor &${name} holds more than letters and digits`, event.anchorStart);
}

function startOf(event: Event): number {
  if (event.type === SCALAR) return Math.max(event.valueStart, 0);
  if (event.type === ALIAS) return event.anchorStart;
  return event.type === MAPPING || event.type === SEQUENCE ? event.start : -1;
}

function tooManyNodes(reading: Reading, offset: number): never {
  return refuse(
    `more than ${reading.options.maxNodes} nodes, aliases counted at their full size`,
    offset,
    'LimitExceeded',
  );
}

function refuse(message: string, offset: number, code: YamlFailure['code'] = 'YamlSyntax'): never {
  const failure: YamlFailure = { code, message, offset };
  throw new StageError({ stage: 'render', code, retry: 'never', message, cause: failure });
}
