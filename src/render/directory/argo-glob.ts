/**
 * Patterns of `directory.include` and `directory.exclude`, as Argo CD reads them: `*` and `**` match any characters,
 * slashes included, `?` matches one; `[abc]`, `[a-z]`, `[!abc]`, `{a,b}`, and `\` before any character. A bracket holds
 * one range or single characters, only braces are choices, and a malformed pattern is a problem.
 */
import { fail } from '../fail.ts';
import { ANY, charPiece, compileMatcher, type Matcher, type Piece } from '../matcher.ts';

/** Fails with Unsupported if the pattern is malformed. `field` is the field that it stands in. */
export function compileGlob(pattern: string, field: string): Matcher {
  const reader: Reader = { chars: Array.from(pattern), at: 0, depth: 0 };
  const pieces = readSequence(reader);
  if (pieces === undefined || reader.at < reader.chars.length) {
    return fail('Unsupported', `the pattern ${pattern} of ${field} is malformed`, {
      hint: 'A bracket is not closed, or holds more than one range: write [a-z], [abc] or {a,b}.',
    });
  }
  return compileMatcher(pieces);
}

interface Reader {
  readonly chars: readonly string[];
  at: number;
  /** Braces that are open. */
  depth: number;
}

/** Braces within braces. */
const MAX_DEPTH = 20;

/** Up to the end, or inside braces up to a comma or the closing brace. undefined: malformed. */
function readSequence(reader: Reader): Piece[] | undefined {
  const pieces: Piece[] = [];
  for (; reader.at < reader.chars.length; reader.at += 1) {
    const char = reader.chars[reader.at] as string;
    if (reader.depth > 0 && (char === ',' || char === '}')) return pieces;
    const piece = readPiece(reader, char);
    if (piece === undefined) return undefined;
    pieces.push(piece);
  }
  return reader.depth > 0 ? undefined : pieces;
}

/** Reads one piece and stops at its last character. */
function readPiece(reader: Reader, char: string): Piece | undefined {
  if (char === '*') return { type: 'many', accepts: ANY };
  if (char === '?') return { type: 'one', accepts: ANY };
  if (char === '[') return readClass(reader);
  if (char === '{') return readChoice(reader);
  if (char !== '\\') return charPiece(char);
  reader.at += 1;
  const escaped = reader.chars[reader.at];
  return escaped === undefined ? undefined : charPiece(escaped);
}

function readChoice(reader: Reader): Piece | undefined {
  reader.depth += 1;
  if (reader.depth > MAX_DEPTH) return undefined;
  const options: Piece[][] = [];
  do {
    reader.at += 1;
    const option = readSequence(reader);
    if (option === undefined) return undefined;
    options.push(option);
  } while (reader.chars[reader.at] === ',');
  reader.depth -= 1;
  return { type: 'choice', options };
}

/** One range, or a list of characters. */
function readClass(reader: Reader): Piece | undefined {
  const { chars } = reader;
  let at = reader.at + 1;
  const isNegated = chars[at] === '!';
  if (isNegated) at += 1;
  const [low, dash, high, close] = chars.slice(at, at + 4);
  if (low !== undefined && dash === '-') {
    if (high === undefined || close !== ']') return undefined;
    reader.at = at + 3;
    return { type: 'one', accepts: (char) => (low <= char && char <= high) !== isNegated };
  }
  const members = new Set<string>();
  for (; at < chars.length && (chars[at] !== ']' || members.size === 0); at += 1) {
    if (chars[at] === '\\') at += 1;
    members.add(chars[at] ?? '');
  }
  if (at >= chars.length) return undefined;
  reader.at = at;
  return { type: 'one', accepts: (char) => members.has(char) !== isNegated };
}
