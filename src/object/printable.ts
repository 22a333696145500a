/**
 * Makes text from outside safe to show to people. Names in a repository, in answers of a Git server and in objects of
 * the cluster may contain control sequences for a terminal, or characters that change how a line reads.
 */

/** Control characters, invisible format characters (such as text direction), line separators, lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The same without the line feed. */
const UNPRINTABLE_WITHIN_LINES = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Escapes a text for one line: each unprintable character becomes its code unit, as in `\u001b[2J`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escape);
}

/** The same for a text of several lines. */
export function printableLines(text: string): string {
  return text.replace(UNPRINTABLE_WITHIN_LINES, escape);
}

export function isPrintable(text: string): boolean {
  return text.search(UNPRINTABLE) < 0;
}

/** A foreign text as one printable line of at most `maxChars` characters, its links without user info. */
export function cleanText(text: string, maxChars = 200): string {
  const line = text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replace(/:\/\/[^\s/@]*@/g, '://')
    .trim();
  return line.length <= maxChars ? line : `${line.slice(0, maxChars - 1)}…`;
}

/** Escapes each UTF-16 code unit, as JSON does. */
function escape(found: string): string {
  return Array.from({ length: found.length }, (_, at) => {
    return `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }).join('');
}
