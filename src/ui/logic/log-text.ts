/** Lines of logs and files, without what only a terminal understands. */

/** Colours of terminals. Other control characters are shown as escapes. */
const COLOUR = /\u001b\[[0-9;]*m/g;

export function plainLine(line: string): string {
  return line.replace(COLOUR, '').replaceAll('\t', '    ').replace(/\r$/, '');
}
