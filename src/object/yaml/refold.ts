/**
 * Repeats what kustomize does to a folded scalar (`>`): it writes the scalar and reads it again. The writer of go-yaml
 * puts an empty line before each line that begins with a space, and one more at the end of a text that keeps its empty
 * lines.
 */
import { getScalarValue, parseEvents } from 'js-yaml';

const SCALAR = 4;

/** Texts that come back unchanged: plain paragraphs, as in nearly all folded scalars. */
const STABLE = /^(?![ \t\n])(?!.*\n[ \t])(?!.*\n\n$)/s;
/** Texts that go-yaml writes in quotes, not folded. */
const QUOTED = / \n| $|[^\n\t\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;

export function refold(text: string): string {
  if (text === '' || STABLE.test(text) || QUOTED.test(text)) return text;
  const written = `k: >${indicators(text)}\n${fold(text)}\n`;
  const event = parseEvents(written, { maxDepth: 2 }).filter(({ type }) => type === SCALAR)[1];
  return event?.type === SCALAR ? getScalarValue(written, event) : text;
}

/** The indentation and chomping indicators after `>`. */
function indicators(text: string): string {
  const indent = /^[ \n]/.test(text) ? '2' : '';
  if (!text.endsWith('\n')) return `${indent}-`;
  return text === '\n' || text.endsWith('\n\n') ? `${indent}+` : indent;
}

/** The lines as go-yaml writes them, without the last newline. */
function fold(text: string): string {
  // go-yaml should look at the text after the line break here, but looks at the beginning of the whole text.
  const isDoubled = /^\n*[^ \t\n]/.test(text);
  let out = '';
  let isLineStart = true;
  let isIndented = true;
  for (const char of text) {
    if (char === '\n') {
      out += !isLineStart && !isIndented && isDoubled ? '\n\n' : '\n';
      isLineStart = true;
      continue;
    }
    if (isLineStart) {
      out += '  ';
      isIndented = char === ' ' || char === '\t';
    }
    out += char;
    isLineStart = false;
  }
  return out.endsWith('\n') ? out.slice(0, -1) : out;
}
