/**
 * Finds the line of a member in the first document of a text. Used for messages, so only after an error was found.
 */
import { getScalarValue, parseEvents, YAMLException, type Event } from 'js-yaml';

/** Keys of maps and indices of lists, from the root. */
export type YamlPath = readonly (string | number)[];

export interface YamlLine {
  /** 1-based. */
  readonly line: number;
  /** The text of the line, cut at 200 characters. */
  readonly excerpt: string;
}

/** The line of a member, or of its nearest existing parent; undefined if the text is not YAML. */
export function locateLine(text: string, path: YamlPath): YamlLine | undefined {
  const events = eventsOf(text);
  return events === undefined || events.length < 2 ? undefined : lineAt(text, offsetOf({ text, events, at: 1 }, path));
}

export interface LocatedMember {
  /** 1-based. */
  readonly line: number;
  /** The text of the member if it is a scalar and was found itself. */
  readonly scalar?: string;
}

/**
 * A member of the document whose first node is at a line, or its nearest existing parent. The document may also be an
 * item of a list. undefined: there is no such line, it is not YAML, or `isWanted` refuses the document.
 */
export function locateMember(
  text: string,
  { line, path, isWanted }: { readonly line: number; readonly path: YamlPath; readonly isWanted: MemberTest },
): LocatedMember | undefined {
  const start = startOfLine(text, line);
  const rest = start === undefined ? '' : documentAt(text, start);
  const events = eventsOf(rest);
  if (events === undefined || events.length < 2) return undefined;
  const first = events[1]?.type === SEQUENCE ? 2 : 1;
  const scalarAt = (member: YamlPath): string | undefined => {
    const walk: Walk = { text: rest, events, at: first };
    return reach(walk, member).isFound ? scalarOf(walk) : undefined;
  };
  if (!isWanted(scalarAt)) return undefined;
  const { offset } = reach({ text: rest, events, at: first }, path);
  const scalar = scalarAt(path);
  return { line: line - 1 + lineAt(rest, offset).line, ...(scalar === undefined ? {} : { scalar }) };
}

/** Gets a function that reads a scalar of a document. */
export type MemberTest = (scalarAt: (path: YamlPath) => string | undefined) => boolean;

function startOfLine(text: string, line: number): number | undefined {
  let start = 0;
  for (let at = 1; at < line; at++) {
    start = text.indexOf('\n', start) + 1;
    if (start === 0) return undefined;
  }
  return start;
}

/** The rest of the document in which an offset lies. */
function documentAt(text: string, start: number): string {
  const end = /^(?:---|\.\.\.)(?=\s|$)/m.exec(text.slice(start + 1))?.index;
  return text.slice(start, end === undefined ? undefined : start + 1 + end);
}

function scalarOf({ text, events, at }: Walk): string | undefined {
  const event = events[at];
  return event?.type === SCALAR ? getScalarValue(text, event) : undefined;
}

/** The 1-based lines of the items of a list at a top-level key, in one pass; empty if there is no such list. */
export function locateItems(text: string, key: string): readonly number[] {
  const events = eventsOf(text);
  if (events === undefined || events.length < 2) return [];
  const walk: Walk = { text, events, at: 1 };
  if (events[1]?.type !== MAPPING || enterKey(walk, key) === undefined) return [];
  if (events[walk.at]?.type !== SEQUENCE) return [];
  const lines: number[] = [];
  let [line, counted] = [1, 0];
  for (walk.at += 1; walk.at < events.length && events[walk.at]?.type !== POP; skip(walk)) {
    const offset = startOf(events[walk.at]);
    for (let next = text.indexOf('\n', counted); next >= 0 && next < offset; next = text.indexOf('\n', counted)) {
      line += 1;
      counted = next + 1;
    }
    lines.push(line);
  }
  return lines;
}

function eventsOf(text: string): readonly Event[] | undefined {
  try {
    return parseEvents(text, { maxDepth: 100 });
  } catch (error) {
    if (error instanceof YAMLException) return undefined;
    throw error;
  }
}

/** Splits `metadata.labels[0].a` into its keys and indices. */
export function parsePath(path: string): YamlPath {
  return path
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

interface Walk {
  readonly text: string;
  readonly events: readonly Event[];
  at: number;
}

const SEQUENCE = 2;
const MAPPING = 3;
const SCALAR = 4;
const POP = 6;
const LITERAL = 4;

/** The offset of the member at a path; `walk` must be at the node where the path begins. */
function offsetOf(walk: Walk, path: YamlPath): number {
  return reach(walk, path).offset;
}

/** Moves to the value of a member; without it, to somewhere behind its nearest parent, whose offset it returns. */
function reach(walk: Walk, path: YamlPath): { readonly offset: number; readonly isFound: boolean } {
  let deepest = startOf(walk.events[walk.at]);
  for (const part of path) {
    const event = walk.events[walk.at];
    const offset =
      event?.type === MAPPING ? enterKey(walk, part) : event?.type === SEQUENCE ? enterItem(walk, part) : undefined;
    if (offset === undefined) return { offset: deepest, isFound: false };
    deepest = offset;
  }
  return { offset: deepest, isFound: true };
}

/** Moves to the value of a key, ignoring case; returns the offset of the key. */
function enterKey(walk: Walk, part: string | number): number | undefined {
  walk.at += 1;
  for (let key = walk.events[walk.at]; key !== undefined && key.type !== POP; key = walk.events[walk.at]) {
    const name = key.type === SCALAR ? getScalarValue(walk.text, key) : '';
    if (name.toLowerCase() === String(part).toLowerCase()) {
      walk.at += 1;
      return startOf(key);
    }
    skip(walk);
    skip(walk);
  }
  return undefined;
}

function enterItem(walk: Walk, part: string | number): number | undefined {
  walk.at += 1;
  for (let index = 0; walk.events[walk.at]?.type !== POP && walk.at < walk.events.length; index += 1) {
    if (index === part) return startOf(walk.events[walk.at]);
    skip(walk);
  }
  return undefined;
}

/** Moves behind the current node. */
function skip(walk: Walk): void {
  let open = 0;
  do {
    const type = walk.events[walk.at]?.type;
    if (type === MAPPING || type === SEQUENCE) open += 1;
    if (type === POP) open -= 1;
    walk.at += 1;
  } while (open > 0 && walk.at < walk.events.length);
}

function startOf(event: Event | undefined): number {
  // The value of a block scalar begins on the line after its header.
  if (event?.type === SCALAR) return Math.max(event.style >= LITERAL ? event.valueStart - 1 : event.valueStart, 0);
  return event?.type === MAPPING || event?.type === SEQUENCE ? event.start : 0;
}

function lineAt(text: string, offset: number): YamlLine {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', start);
  return {
    line: text.slice(0, start).split('\n').length,
    excerpt: text.slice(start, end < 0 ? undefined : end).slice(0, 200),
  };
}
