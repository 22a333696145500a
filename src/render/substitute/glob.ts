/**
 * Finds the beginning of a text that a pattern of the shell matches: `*`, `?`, `[a-z]`, `[^a-z]` and `\` before any
 * character. Unlike in paths, `*` and `?` match a slash too, only `^` negates, and a malformed pattern matches nothing.
 *
 * Invariant: the cost is the product of both lengths, and is charged before it is spent.
 */
import { ANY, compileSearch, readCharacter, type Piece, type ReadPiece } from '../matcher.ts';

/**
 * The number of characters of the shortest or longest beginning that matches, which has at least one character;
 * undefined if there is none, or if the pattern is malformed. `charge` gets the steps of the search.
 */
export function matchBeginning(
  text: readonly string[],
  pattern: string,
  { wanted, charge }: { readonly wanted: 'shortest' | 'longest'; readonly charge: (steps: number) => void },
): number | undefined {
  const pieces = readPattern(Array.from(pattern));
  if (pieces === undefined) return undefined;
  charge(text.length * (pieces.length + 1));
  let found: number | undefined;
  const search = compileSearch(pieces)();
  for (let length = 1; length <= text.length && !search.isOver(); length += 1) {
    search.take(text[length - 1] as string);
    if (!search.isMatch()) continue;
    if (wanted === 'shortest') return length;
    found = length;
  }
  return found;
}

/** undefined: the pattern is malformed. */
function readPattern(chars: readonly string[]): readonly Piece[] | undefined {
  const pieces: Piece[] = [];
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] as string;
    if (char === '*') pieces.push({ type: 'many', accepts: ANY });
    else if (char === '?') pieces.push({ type: 'one', accepts: ANY });
    else {
      const read = readCharacter(chars, at, readClass);
      if (read === undefined) return undefined;
      pieces.push(read.piece);
      at = read.end;
    }
  }
  return pieces;
}

/** `end` is the position of the closing bracket. */
function readClass(chars: readonly string[], from: number): ReadPiece | undefined {
  const isNegated = chars[from] === '^';
  const ranges: [number, number][] = [];
  let at = isNegated ? from + 1 : from;
  while (chars[at] !== ']' || ranges.length === 0) {
    const low = readMember(chars, at);
    if (low === undefined) return undefined;
    at = low.next;
    if (chars[at] !== '-') {
      ranges.push([low.code, low.code]);
      continue;
    }
    const high = readMember(chars, at + 1);
    if (high === undefined) return undefined;
    at = high.next;
    ranges.push([low.code, high.code]);
  }
  const accepts = (char: string): boolean => {
    const code = char.codePointAt(0) ?? 0;
    return ranges.some(([low, high]) => low <= code && code <= high) !== isNegated;
  };
  return { piece: { type: 'one', accepts }, end: at };
}

function readMember(chars: readonly string[], at: number): { code: number; next: number } | undefined {
  const char = chars[at];
  if (char === undefined || char === '-' || char === ']') return undefined;
  const position = char === '\\' ? at + 1 : at;
  const code = chars[position]?.codePointAt(0);
  return code === undefined ? undefined : { code, next: position + 1 };
}
