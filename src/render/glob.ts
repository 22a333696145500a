/**
 * Patterns of paths: `*` and `?` within one part of a path, `[a-z]` and `[!a]` for one character, and `**` for any
 * number of parts. They are those of `valueFiles` of Argo CD: other than in .gitignore, a pattern is always compared
 * with the whole path, and a bracket that is not closed stands for itself.
 */
import { ANY, charPiece, compileMatcher, FOLDERS, NO_SLASH, type Piece } from './matcher.ts';

export function isGlob(path: string): boolean {
  return /[*?[]/.test(path);
}

/** The parts of a pattern before the first one that is no plain text. */
export function fixedPartOf(pattern: string): string {
  const parts = pattern.split('/');
  const first = parts.findIndex(isGlob);
  return parts.slice(0, first < 0 ? parts.length : first).join('/');
}

/** Whether a path matches. Both are separated by `/`, without a leading one. */
export function compileGlob(pattern: string): (path: string) => boolean {
  const matches = compileMatcher(readPattern(pattern));
  return (path) => matches(path, () => undefined);
}

function readPattern(pattern: string): Piece[] {
  const parts = pattern.split('/').filter((part, index, all) => part !== '**' || all[index - 1] !== '**');
  const pieces: Piece[] = [];
  parts.forEach((part, index) => {
    const isLast = index === parts.length - 1;
    if (part !== '**') pieces.push(...tokensOf(part).map(pieceOf), ...(isLast ? [] : [charPiece('/')]));
    else if (!isLast) pieces.push(FOLDERS);
    // The slash before it belongs to it, since `a/**` matches `a` as well.
    else pieces.push(pieces.pop() ? BELOW : { type: 'many', accepts: ANY });
  });
  return pieces;
}

/** Everything below a folder, or nothing. */
const BELOW: Piece = { type: 'choice', options: [[], [charPiece('/'), { type: 'many', accepts: ANY }]] };

function pieceOf(token: string): Piece {
  if (token.startsWith('*')) return { type: 'many', accepts: NO_SLASH };
  if (token === '?') return { type: 'one', accepts: NO_SLASH };
  return { type: 'one', accepts: (char) => char !== '/' && matchesClass(char, token) };
}

/** `a`, `*`, `?`, `[a-z]` and `\*` are one token each. */
function tokensOf(pattern: string): string[] {
  return pattern.match(/\\.|\[[!^]?\]?[^\]]*\]|\*+|./gsu) ?? [];
}

function matchesClass(character: string, item: string): boolean {
  if (item.startsWith('\\')) return item.slice(1) === character;
  if (item.length < 3 || !item.startsWith('[')) return item === character;
  const isNegated = item[1] === '!' || item[1] === '^';
  const members = item.slice(isNegated ? 2 : 1, -1).match(/.-.|./gsu) ?? [];
  const isMember = members.some((member) => {
    const [from = '', dash, to] = Array.from(member);
    return dash === '-' && to !== undefined ? from <= character && character <= to : member === character;
  });
  return isMember !== isNegated;
}
