/**
 * Finds the beginning of a text that a pattern of the shell matches: `*`, `?`, `[a-z]`, `[^a-z]` and `\` before any
 * character. Unlike in paths, `*` and `?` match a slash too.
 *
 * Invariant: the cost is the product of both lengths, and is charged before it is spent.
 */

type Token =
  | { readonly type: 'any' }
  | { readonly type: 'one' }
  | { readonly type: 'char'; readonly char: string }
  | { readonly type: 'class'; readonly isNegated: boolean; readonly ranges: readonly (readonly [number, number])[] };

/**
 * The number of characters of the shortest or longest beginning that matches, which has at least one character;
 * undefined if there is none, or if the pattern is malformed. `charge` gets the steps of the search.
 */
export function matchBeginning(
  text: readonly string[],
  pattern: string,
  { wanted, charge }: { readonly wanted: 'shortest' | 'longest'; readonly charge: (steps: number) => void },
): number | undefined {
  const tokens = readPattern(Array.from(pattern));
  if (tokens === undefined) return undefined;
  charge(text.length * (tokens.length + 1));
  let found: number | undefined;
  let states = closure(tokens, new Set([0]));
  for (let length = 1; length <= text.length && states.size > 0; length += 1) {
    states = step(tokens, states, text[length - 1] as string);
    if (!states.has(tokens.length)) continue;
    if (wanted === 'shortest') return length;
    found = length;
  }
  return found;
}

/** The positions in the pattern that a character leads to. */
function step(tokens: readonly Token[], states: ReadonlySet<number>, char: string): Set<number> {
  const next = new Set<number>();
  for (const state of states) {
    const token = tokens[state];
    if (token === undefined || !accepts(token, char)) continue;
    next.add(token.type === 'any' ? state : state + 1);
  }
  return closure(tokens, next);
}

/** Adds the positions behind `*`, which matches the empty text too. */
function closure(tokens: readonly Token[], states: Set<number>): Set<number> {
  for (const state of states) if (tokens[state]?.type === 'any') states.add(state + 1);
  return states;
}

function accepts(token: Token, char: string): boolean {
  if (token.type === 'char') return token.char === char;
  if (token.type !== 'class') return true;
  const code = char.codePointAt(0) ?? 0;
  return token.ranges.some(([low, high]) => low <= code && code <= high) !== token.isNegated;
}

/** undefined: the pattern is malformed. */
function readPattern(chars: readonly string[]): readonly Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] as string;
    if (char === '*') tokens.push({ type: 'any' });
    else if (char === '?') tokens.push({ type: 'one' });
    else if (char === '[') {
      const read = readClass(chars, at + 1);
      if (read === undefined) return undefined;
      tokens.push(read.token);
      at = read.end;
    } else if (char === '\\') {
      at += 1;
      const escaped = chars[at];
      if (escaped === undefined) return undefined;
      tokens.push({ type: 'char', char: escaped });
    } else tokens.push({ type: 'char', char });
  }
  return tokens;
}

/** `end` is the position of the closing bracket. */
function readClass(chars: readonly string[], from: number): { token: Token; end: number } | undefined {
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
  return { token: { type: 'class', isNegated, ranges }, end: at };
}

function readMember(chars: readonly string[], at: number): { code: number; next: number } | undefined {
  const char = chars[at];
  if (char === undefined || char === '-' || char === ']') return undefined;
  const position = char === '\\' ? at + 1 : at;
  const code = chars[position]?.codePointAt(0);
  return code === undefined ? undefined : { code, next: position + 1 };
}
