/** Prints JSON values as YAML, for people to read and to copy. Every parser of YAML reads the same values back. */

/** Texts that need no quotes: they begin with a letter or `/`, and no parser takes them for another type. */
const PLAIN = /^[A-Za-z/_][\w./-]*(?: [\w./-]+)*$/;
const OTHER_TYPE = /^(?:true|false|yes|no|on|off|y|n|null|nan|inf)$/i;

export function yamlOf(value: unknown): string {
  return `${linesOf(value).join('\n')}\n`;
}

function linesOf(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.length === 0 ? ['[]'] : value.flatMap((item) => prefixed('- ', '  ', linesOf(item)));
  }
  if (typeof value !== 'object' || value === null) return scalarLines(value);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return entries.length === 0 ? ['{}'] : entries.flatMap(([key, inner]) => entryLines(scalarText(key), inner));
}

function entryLines(key: string, value: unknown): string[] {
  const isNested = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  const [first = '', ...rest] = linesOf(value);
  if (isNested) return [`${key}:`, ...[first, ...rest].map((line) => `  ${line}`)];
  return [`${key}: ${first}`, ...rest.map(indented)];
}

function prefixed(first: string, next: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => (index === 0 ? `${first}${line}` : line === '' ? '' : `${next}${line}`));
}

function indented(line: string): string {
  return line === '' ? '' : `  ${line}`;
}

function scalarLines(value: unknown): string[] {
  if (typeof value !== 'string') return [JSON.stringify(value) ?? 'null'];
  return isBlock(value) ? blockLines(value) : [scalarText(value)];
}

function scalarText(text: string): string {
  return PLAIN.test(text) && !OTHER_TYPE.test(text) ? text : JSON.stringify(text);
}

/** Whether the text can stand as lines of its own: none of them has a character that such a block would change. */
function isBlock(text: string): boolean {
  if (!text.includes('\n') || /^[ \n]/.test(text) || /\n\n$/.test(text)) return false;
  return !/[^\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(text) && !/[\u0085\u2028\u2029]/.test(text);
}

function blockLines(text: string): string[] {
  const isEnded = text.endsWith('\n');
  return [isEnded ? '|' : '|-', ...(isEnded ? text.slice(0, -1) : text).split('\n')];
}
