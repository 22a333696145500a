/**
 * Makes a text that libyaml (and so kustomize) accepts acceptable to the stricter parser. libyaml ignores the
 * indentation of lines that continue a flow collection or a quoted text: the `}` that closes a map often stands at
 * column 0. Nor does it require a space before a comment after a quoted text or a flow collection. These spaces are
 * added here, a tab between the entries of a flow collection becomes a space, and an unquoted text of a flow collection
 * that the parser reads otherwise (`-`, or `a:` without a space) gets quotes.
 *
 * Invariant: no line is added or removed, so every line keeps its number.
 */

/** Adds the missing spaces. Meant for texts that the parser refused; finds flow collections without a full parser. */
export function indentFlow(text: string): string {
  const scan: Scan = { text, at: 0, out: [], copied: 0 };
  while (scan.at < text.length) scanLine(scan);
  return scan.out.length === 0 ? text : scan.out.join('') + text.slice(scan.copied);
}

interface Scan {
  readonly text: string;
  at: number;
  /** Parts of the result: the text before `copied`, with the added spaces. */
  readonly out: string[];
  copied: number;
}

/** Scans a line in block context, and the lines that continue a node which begins on it. */
function scanLine(scan: Scan): void {
  const { text } = scan;
  const lineStart = scan.at;
  let column = skipBlanks(scan);
  let isKeySeen = false;
  for (;;) {
    const char = text[scan.at];
    if (char === undefined || char === '\n' || char === '#') return endLine(scan);
    if ((char === '-' || char === '?') && isGap(text[scan.at + 1])) {
      column = scan.at - lineStart;
      scan.at += 1;
    } else if (char === '&' || char === '!') skipWord(scan);
    else if (char === '|' || char === '>') return skipBlock(scan, column);
    else if (char === '{' || char === '[') return scanFlow(scan, column + 1);
    else if (char === '"' || char === "'") {
      if (!isKeySeen) column = scan.at - lineStart;
      skipQuoted(scan, column + 1);
      if (text[scan.at] === '#') insertBlanks(scan, scan.at, 1);
      if (text[scan.at] !== ':') return endLine(scan);
      scan.at += 1;
      isKeySeen = true;
    } else {
      const end = lineEnd(scan);
      const colon = /:(?=[ \t\r]|$)/.exec(text.slice(scan.at, end));
      if (colon === null || isKeySeen) return endLine(scan);
      column = scan.at - lineStart;
      scan.at += colon.index + 1;
      isKeySeen = true;
    }
    skipBlanks(scan);
  }
}

/** Scans a flow collection to the end of the line that closes it. */
function scanFlow(scan: Scan, indent: number): void {
  const { text } = scan;
  let depth = 0;
  /** Whether a node may begin here, so that a quote opens a quoted text. */
  let mayBeginNode = true;
  while (scan.at < text.length) {
    const char = text[scan.at] as string;
    if (char === '\n') {
      scan.at += 1;
      indentLine(scan, indent);
    } else if (mayBeginNode && (char === '"' || char === "'")) skipQuoted(scan, indent);
    else if (char === '#' && isGap(text[scan.at - 1])) scan.at = lineEnd(scan);
    else if (mayBeginNode && isPlainStart(char)) {
      skipPlain(scan);
      mayBeginNode = false;
    } else {
      if (char === '{' || char === '[') depth += 1;
      if (char === '}' || char === ']') depth -= 1;
      if (!isGap(char)) mayBeginNode = '{[,:'.includes(char);
      if (char === '\t' && mayBeginNode) replace(scan, scan.at, ' ');
      scan.at += 1;
      if (depth === 0) {
        if (text[scan.at] === '#') insertBlanks(scan, scan.at, 1);
        return endLine(scan);
      }
    }
  }
}

function isPlainStart(char: string): boolean {
  return !isGap(char) && !'{}[],:?#&*!|>\'"%@`'.includes(char);
}

/**
 * Skips an unquoted text of a flow collection, up to the end of its line. In libyaml a colon ends it only before a
 * blank, so that `a:` before a comma or bracket is the text `a:`.
 */
function skipPlain(scan: Scan): void {
  const start = scan.at;
  const rest = scan.text.slice(start, lineEnd(scan));
  const found = /^(?:(?!:(?:[ \t\r]|$)|[ \t]#)[^,[\]{}])*/.exec(rest)?.[0] ?? '';
  const plain = found.trimEnd();
  scan.at += Math.max(plain.length, 1);
  if (plain !== '-' && !plain.endsWith(':')) return;
  if (plain.includes("'")) return;
  replace(scan, start, `'${plain}'`, plain.length);
}

function skipQuoted(scan: Scan, indent: number): void {
  const { text } = scan;
  const quote = text[scan.at];
  scan.at += 1;
  while (scan.at < text.length) {
    const char = text[scan.at];
    scan.at += char === '\\' && quote === '"' && text[scan.at + 1] !== '\n' ? 2 : 1;
    if (char === quote) {
      if (quote === '"' || text[scan.at] !== "'") return;
      scan.at += 1;
    } else if (char === '\n') indentLine(scan, indent);
  }
}

/** Skips a literal or folded text: the lines that are indented deeper than `column`, and empty lines. */
function skipBlock(scan: Scan, column: number): void {
  endLine(scan);
  while (scan.at < scan.text.length) {
    const start = scan.at;
    skipBlanks(scan);
    const char = scan.text[scan.at];
    if (char !== '\n' && char !== '\r' && char !== undefined && scan.at - start <= column) {
      scan.at = start;
      return;
    }
    endLine(scan);
  }
}

function indentLine(scan: Scan, indent: number): void {
  const start = scan.at;
  while (scan.text[scan.at] === ' ') scan.at += 1;
  const missing = indent - (scan.at - start);
  skipBlanks(scan);
  if (missing > 0 && !isGap(scan.text[scan.at])) insertBlanks(scan, start, missing);
}

function insertBlanks(scan: Scan, at: number, count: number): void {
  replace(scan, at, ' '.repeat(count), 0);
}

/** Puts a text in the place of `length` characters. */
function replace(scan: Scan, at: number, text: string, length = 1): void {
  scan.out.push(scan.text.slice(scan.copied, at), text);
  scan.copied = at + length;
}

/** Skips spaces and tabs; returns their number. */
function skipBlanks(scan: Scan): number {
  const start = scan.at;
  while (scan.text[scan.at] === ' ' || scan.text[scan.at] === '\t') scan.at += 1;
  return scan.at - start;
}

function skipWord(scan: Scan): void {
  while (!isGap(scan.text[scan.at])) scan.at += 1;
}

function lineEnd({ text, at }: Scan): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function endLine(scan: Scan): void {
  scan.at = lineEnd(scan) + 1;
}

function isGap(char: string | undefined): boolean {
  return char === undefined || char === ' ' || char === '\t' || char === '\n' || char === '\r';
}
