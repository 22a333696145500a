/**
 * Finds the usual causes of a syntax error of YAML by the indentation, the quotes and the brackets of the lines around
 * it.
 *
 * Invariant: a message repeats nothing of the text but single characters, so it can be shown for a Secret too.
 */

export interface Diagnosis {
  readonly message: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
}

/** A line with text on it, other than a comment. */
interface Line {
  /** 1-based. */
  readonly number: number;
  readonly text: string;
  /** Number of leading blanks. */
  readonly indent: number;
}

/** `line` is where a parser found the error: the cause is on it, on the next one, or before it. */
export function diagnose(lines: readonly string[], line: number): Diagnosis | undefined {
  const at = lineFrom(lines, line, 1) ?? lineFrom(lines, lines.length, -1);
  if (!at) return undefined;
  const next = lineFrom(lines, at.number + 1, 1);
  for (const suspect of next ? [at, next] : [at]) {
    const found = tabbed(suspect) ?? tooDeep(lines, suspect) ?? betweenLevels(lines, suspect);
    if (found) return found;
  }
  return unclosed(lines, at) ?? secondDocument(at) ?? withoutColon(lines, at);
}

/** The nearest line with text, from a number on in a direction. */
function lineFrom(lines: readonly string[], from: number, step: 1 | -1): Line | undefined {
  for (let number = from; number >= 1 && number <= lines.length; number += step) {
    const text = lines[number - 1] ?? '';
    if (/^\s*(#|$)/.test(text)) continue;
    return { number, text, indent: text.length - text.trimStart().length };
  }
  return undefined;
}

function tabbed({ number, text }: Line): Diagnosis | undefined {
  const tab = /^ *\t/.exec(text);
  if (!tab) return undefined;
  return {
    message: `line ${number} is indented with a tab; YAML allows only spaces`,
    line: number,
    column: tab[0].length,
  };
}

/** A key with a value on its own line: what the value begins with, and the column of the key. */
const KEY_WITH_VALUE = /^(\s*(?:- +)*)(?:"[^"]*"|'[^']*'|[^\s"'#{[-][^:#]*|-[^\s:][^:#]*):[ \t]+(?=[^\s#|>&!])(.*)$/;
/** A key, with or without a value, or a list item. */
const ENTRY = /^\s*(?:- |-$|(?:- +)*(?:"[^"]*"|'[^']*'|[^\s"'#{[-][^:#]*):(?:\s|$))/;

function tooDeep(lines: readonly string[], line: Line): Diagnosis | undefined {
  const above = lineFrom(lines, line.number - 1, -1);
  const key = above && KEY_WITH_VALUE.exec(above.text);
  if (!above || !key || !ENTRY.test(line.text)) return undefined;
  const [, lead = '', value = ''] = key;
  const isOpen = /^["'[{]/.test(value) && !/["'\]}]\s*(#.*)?$/.test(value);
  if (isOpen || line.indent <= lead.length) return undefined;
  return {
    message: `line ${line.number} is indented deeper than line ${above.number}, which already has a value`,
    line: line.number,
    column: line.indent + 1,
  };
}

/** How far up the levels of a line are looked for. */
const MAX_LINES_UP = 1000;

/** A line that is indented less than the one above it must begin where one of its parents does. */
function betweenLevels(lines: readonly string[], line: Line): Diagnosis | undefined {
  const above = lineFrom(lines, line.number - 1, -1);
  if (!above || line.indent >= above.indent || !ENTRY.test(line.text)) return undefined;
  const levels = new Set<number>();
  let lowest = Infinity;
  let at: Line | undefined = above;
  while (at && at.number > line.number - MAX_LINES_UP && !/^(---|\.\.\.)/.test(at.text)) {
    if (at.indent < lowest) {
      for (const column of columnsOf(at)) if (column < lowest) levels.add(column);
      lowest = at.indent;
    }
    if (lowest === 0) break;
    at = lineFrom(lines, at.number - 1, -1);
  }
  if (levels.has(line.indent)) return undefined;
  const [low, high] = [
    Math.max(...[...levels].filter((level) => level < line.indent)),
    Math.min(...[...levels].filter((level) => level > line.indent)),
  ];
  if (!Number.isFinite(low) || !Number.isFinite(high)) return undefined;
  return {
    message:
      `line ${line.number} is indented by ${blanks(line.indent)}, ` +
      `and the lines above that it could belong to by ${low} or ${high}`,
    line: line.number,
    column: line.indent + 1,
  };
}

function blanks(count: number): string {
  return count === 1 ? '1 space' : `${count} spaces`;
}

/** Where the entries of a line begin: `- - a: b` has three. */
function columnsOf({ text, indent }: Line): number[] {
  const columns = [indent];
  for (const dash of text.slice(indent).matchAll(/- +/gy)) columns.push(indent + dash.index + dash[0].length);
  return columns;
}

const CLOSERS: Readonly<Record<string, string>> = { '[': ']', '{': '}' };

/** A bracket or quote that is opened on the line of the error or shortly before it, and not closed there. */
function unclosed(lines: readonly string[], at: Line): Diagnosis | undefined {
  for (let line: Line | undefined = at; line && line.number > at.number - 20;) {
    const open = openOf(line.text);
    if (open) {
      const closer = CLOSERS[open.char] ?? open.char;
      const what = open.char === closer ? 'quote' : 'bracket';
      return {
        message: `the ${what} ${open.char} of line ${line.number} is not closed by ${closer}`,
        line: line.number,
        column: open.at + 1,
      };
    }
    line = lineFrom(lines, line.number - 1, -1);
  }
  return undefined;
}

/** The first bracket or quote that begins a value on a line and is still open at its end. */
function openOf(text: string): { readonly char: string; readonly at: number } | undefined {
  const open: { char: string; at: number }[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    const top = open.at(-1);
    if (top?.char === '"' || top?.char === "'") {
      if (top.char === '"' && char === '\\') at += 1;
      else if (char === top.char) open.pop();
      continue;
    }
    const isStart = top !== undefined || /(?:^|[:-]\s+)\s*$/.test(text.slice(0, at));
    if (char === '#' && /\s$|^$/.test(text.slice(0, at))) break;
    if (
      isStart &&
      (char in CLOSERS || ((char === '"' || char === "'") && /(?:^|[:,[{-]\s*)\s*$/.test(text.slice(0, at))))
    )
      open.push({ char, at });
    else if (top && char === CLOSERS[top.char]) open.pop();
  }
  return open[0];
}

function secondDocument({ number, text, indent }: Line): Diagnosis | undefined {
  if (indent > 0 || number === 1 || !/^[{[]/.test(text)) return undefined;
  return { message: 'another document begins here, without a line --- before it', line: number, column: 1 };
}

function withoutColon(lines: readonly string[], line: Line): Diagnosis | undefined {
  const place = { line: line.number, column: line.indent + 1 };
  if (/^\s*(?:- +)*[\w./-]+:[^\s:/]/.test(line.text) && !/:\s/.test(line.text)) {
    return { message: `the colon of line ${line.number} needs a blank after it`, ...place };
  }
  const above = lineFrom(lines, line.number - 1, -1);
  const below = lineFrom(lines, line.number + 1, 1);
  const isAmongEntries = [above, below].some((other) => other?.indent === line.indent && ENTRY.test(other.text));
  if (!isAmongEntries || /:(\s|$)|^\s*[-"'{[]/.test(line.text)) return undefined;
  return { message: `line ${line.number} is neither a key with a colon nor a list item`, ...place };
}
