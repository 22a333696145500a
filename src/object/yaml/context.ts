/** Lines of a text for messages: the line of an error with its number, the two lines before it, and a caret below. */

/** Longer lines are cut. */
const MAX_LINE_CHARS = 160;

/** `line` and `column` are 1-based. */
export function contextOf(lines: readonly string[], { line, column }: { line: number; column: number }): string {
  const width = String(line).length;
  const shown: string[] = [];
  for (let number = Math.max(1, line - 2); number <= line; number += 1) {
    const text = (lines[number - 1] ?? '').trimEnd().slice(0, MAX_LINE_CHARS);
    shown.push(`${String(number).padStart(width)} | ${text}`.trimEnd());
  }
  if (column > MAX_LINE_CHARS) return shown.join('\n');
  // A tab has no fixed width, so it is repeated below itself.
  const before = (lines[line - 1] ?? '').slice(0, column - 1).replace(/[^\t]/gu, ' ');
  return [...shown, `${' '.repeat(width)} | ${before}^`].join('\n');
}
