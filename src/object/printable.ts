/**
 * Text from outside as people may be shown it. A repository, a Git server and an object of the cluster can all name
 * things so that a terminal obeys them, or so that a line reads otherwise than it stands.
 */

/** Controls, marks of direction and others without a shape, line separators, halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The same but for the line feed. */
const UNPRINTABLE_WITHIN_LINES = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** One line: what is not to be printed stands there by its number, as in `\u001b[2J`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escape);
}

/** The same for text of several lines. */
export function printableLines(text: string): string {
  return text.replace(UNPRINTABLE_WITHIN_LINES, escape);
}

export function isPrintable(text: string): boolean {
  return text.search(UNPRINTABLE) < 0;
}

/** As JSON has it: by UTF-16 unit. */
function escape(found: string): string {
  return Array.from({ length: found.length }, (_, at) => {
    return `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }).join('');
}
