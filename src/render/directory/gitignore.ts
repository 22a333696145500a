/**
 * Rules in the syntax of .gitignore, as git reads them. The last rule that matches a path counts; below a folder that
 * is left out everything is left out. Only here `*` stops at a slash and `**` does not, classes may have names, and a
 * malformed pattern matches nothing.
 */
import {
  ANY,
  compileMatcher,
  FOLDERS,
  NO_SLASH,
  readCharacter,
  type Matcher,
  type Piece,
  type ReadPiece,
} from '../matcher.ts';

export interface IgnoreRule {
  /** Whether the rule takes a path back in (`!`). */
  readonly isNegated: boolean;
  /** Whether it matches folders only (`/` at the end). */
  readonly isForFolders: boolean;
  /** Whether it is matched with the last part of a path, and not with the path from the folder of the rules. */
  readonly isForNames: boolean;
  readonly matches: Matcher;
}

export function readIgnoreRules(text: string): IgnoreRule[] {
  return text.split('\n').flatMap((line) => {
    const rule = readRule(withoutTrailingSpaces(line.endsWith('\r') ? line.slice(0, -1) : line));
    return rule === undefined ? [] : [rule];
  });
}

function readRule(line: string): IgnoreRule | undefined {
  if (line === '' || line.startsWith('#')) return undefined;
  const isNegated = line.startsWith('!');
  const pattern = isNegated ? line.slice(1) : line;
  const isForFolders = pattern.endsWith('/');
  const bare = isForFolders ? pattern.slice(0, -1) : pattern;
  const isForNames = !bare.includes('/');
  const pieces = readPattern(Array.from(bare.startsWith('/') ? bare.slice(1) : bare));
  if (bare === '' || pieces === undefined) return undefined;
  return { isNegated, isForFolders, isForNames, matches: compileMatcher(pieces) };
}

/** Spaces at the end do not count, unless a backslash stands before them. */
function withoutTrailingSpaces(line: string): string {
  let end = line.length;
  while (end > 0 && line[end - 1] === ' ' && !isEscaped(line, end - 1)) end -= 1;
  return line.slice(0, end);
}

function isEscaped(line: string, at: number): boolean {
  let slashes = 0;
  while (line[at - slashes - 1] === '\\') slashes += 1;
  return slashes % 2 === 1;
}

/** undefined: malformed, so the rule matches nothing. */
function readPattern(chars: readonly string[]): Piece[] | undefined {
  const pieces: Piece[] = [];
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] as string;
    if (char === '*') {
      const stars = countStars(chars, at);
      const isWhole = stars >= 2 && (at === 0 || chars[at - 1] === '/');
      const next = chars[at + stars];
      if (isWhole && next === '/') {
        pieces.push(FOLDERS);
        at += stars;
      } else {
        if (isWhole && next === undefined) pieces.push({ type: 'one', accepts: ANY }, { type: 'many', accepts: ANY });
        else pieces.push({ type: 'many', accepts: NO_SLASH });
        at += stars - 1;
      }
    } else if (char === '?') pieces.push({ type: 'one', accepts: NO_SLASH });
    else {
      const read = readCharacter(chars, at, readClass);
      if (read === undefined) return undefined;
      pieces.push(read.piece);
      at = read.end;
    }
  }
  return pieces;
}

function countStars(chars: readonly string[], at: number): number {
  let count = 0;
  while (chars[at + count] === '*') count += 1;
  return count;
}

const NAMED_CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[a-zA-Z0-9]/,
  alpha: /[a-zA-Z]/,
  blank: /[ \t]/,
  cntrl: /[\0-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /\s/,
  upper: /[A-Z]/,
  xdigit: /[0-9a-fA-F]/,
};

type Accepts = (char: string) => boolean;

/** `end` is the position of the closing bracket. undefined: it is missing, or a named class is unknown. */
function readClass(chars: readonly string[], from: number): ReadPiece | undefined {
  const isNegated = chars[from] === '!' || chars[from] === '^';
  const members: Accepts[] = [];
  let at = isNegated ? from + 1 : from;
  const start = at;
  while (chars[at] !== ']' || at === start) {
    const member = readMember(chars, at);
    if (member === undefined) return undefined;
    members.push(member.accepts);
    at = member.next;
  }
  const accepts: Accepts = (char) => char !== '/' && members.some((member) => member(char)) !== isNegated;
  return { piece: { type: 'one', accepts }, end: at };
}

/** A character, a range, or a class such as `[:alpha:]`. */
function readMember(chars: readonly string[], at: number): { accepts: Accepts; next: number } | undefined {
  if (chars[at] === '[' && chars[at + 1] === ':') {
    const end = chars.indexOf(']', at);
    const name = chars.slice(at + 2, end - 1).join('');
    const named = end > at && chars[end - 1] === ':' ? NAMED_CLASSES[name] : undefined;
    return named === undefined ? undefined : { accepts: (char) => named.test(char), next: end + 1 };
  }
  const first = chars[at] === '\\' ? at + 1 : at;
  const low = chars[first];
  if (low === undefined) return undefined;
  if (chars[first + 1] !== '-' || chars[first + 2] === ']' || chars[first + 2] === undefined) {
    return { accepts: (char) => char === low, next: first + 1 };
  }
  const second = chars[first + 2] === '\\' ? first + 3 : first + 2;
  const high = chars[second];
  return high === undefined ? undefined : { accepts: (char) => low <= char && char <= high, next: second + 1 };
}
