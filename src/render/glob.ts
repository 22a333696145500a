/**
 * Patterns of paths: `*` and `?` within one part of a path, `[a-z]` and `[!a]` for one character, and `**` for any
 * number of parts. A match takes time that is linear in the product of the lengths, for every pattern.
 */

export function isGlob(path: string): boolean {
  return /[*?[]/.test(path);
}

/** The parts of a pattern before the first one that is no plain text. */
export function fixedPartOf(pattern: string): string {
  const parts = pattern.split('/');
  const first = parts.findIndex(isGlob);
  return parts.slice(0, first < 0 ? parts.length : first).join('/');
}

/** Both are separated by `/`, without a leading one. */
export function matchesGlob(path: string, pattern: string): boolean {
  return matchesSequence(path.split('/'), pattern.split('/'), {
    isMany: (part) => part === '**',
    matchesOne: matchesPart,
  });
}

interface SequenceRules {
  /** Whether an item of the pattern stands for any number of items. */
  readonly isMany: (item: string) => boolean;
  readonly matchesOne: (text: string, item: string) => boolean;
}

/** Only the last `many` is extended on a mismatch, which suffices, because an earlier one could not do better. */
function matchesSequence(texts: readonly string[], pattern: readonly string[], rules: SequenceRules): boolean {
  let at = 0;
  let inPattern = 0;
  let many: { readonly inPattern: number; at: number } | undefined;
  while (at < texts.length) {
    const item = pattern[inPattern];
    if (item !== undefined && rules.isMany(item)) {
      many = { inPattern, at };
      inPattern += 1;
    } else if (item !== undefined && rules.matchesOne(texts[at] ?? '', item)) {
      at += 1;
      inPattern += 1;
    } else if (many !== undefined) {
      many.at += 1;
      at = many.at;
      inPattern = many.inPattern + 1;
    } else return false;
  }
  return pattern.slice(inPattern).every(rules.isMany);
}

function matchesPart(part: string, pattern: string): boolean {
  return matchesSequence(Array.from(part), tokensOf(pattern), {
    isMany: (item) => item === '*' || item === '**',
    matchesOne: (character, item) => item === '?' || matchesClass(character, item),
  });
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
