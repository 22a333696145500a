/**
 * Writes values as YAML, with exactly the text that kustomize prints (go-yaml 2 by way of JSON).
 *
 * Invariant: `readYaml(writeYaml(v))` is `v`, for every value of the value model. The exception are doubles beyond 2^53
 * that are integers, such as 1e18: they come back as the bigint of the same digits.
 */
import { isMap, type Value, type ValueMap } from '../value.ts';
import { isPlainString } from './scalar.ts';
import { sortedKeys } from './key-order.ts';

/** Writes one document, without a separator and with a newline at its end. */
export function writeYaml(value: Value, keys: 'sorted' | 'as they are' = 'sorted'): string {
  const keysOf = keys === 'sorted' ? sortedKeys : Object.keys;
  return write(value, { pieces: [], line: '', keysOf, unprintable: UNPRINTABLE });
}

/** The same for people: characters that a terminal would interpret or not show are escaped, too. The value is equal. */
export function writeYamlToShow(value: Value): string {
  return write(value, { pieces: [], line: '', keysOf: sortedKeys, unprintable: INVISIBLE });
}

function write(value: Value, out: Output): string {
  if (Array.isArray(value) && value.length > 0) writeList(out, value, 0, true);
  else if (isMap(value) && Object.keys(value).length > 0) writeMap(out, value, 0, true);
  else writeInline(out, value, 0);
  if (out.line !== '' || out.pieces.length === 0) out.pieces.push(out.line, '\n');
  return out.pieces.join('');
}

/** The text is never read again while it grows: V8 copies a text that is read after an append as a whole. */
interface Output {
  /** All lines before the current one, each with its newline. */
  readonly pieces: string[];
  /** The current line as far as it is written; empty or without a newline. */
  line: string;
  readonly keysOf: (map: ValueMap) => readonly string[];
  /** Characters that are escaped. */
  readonly unprintable: RegExp;
}

/** Columns after which a scalar is folded at the next single space. */
const BEST_WIDTH = 80;

function newLine(out: Output, indent: number): void {
  if (out.line !== '') out.pieces.push(out.line, '\n');
  out.line = spaces(indent);
}

/** `isInline`: the first entry continues the current line (after `- `). */
function writeMap(out: Output, map: ValueMap, indent: number, isInline: boolean): void {
  let isFirst = isInline;
  for (const key of out.keysOf(map)) {
    if (isFirst) isFirst = false;
    else newLine(out, indent);
    writeKey(out, key, indent);
    const value = map[key] as Value;
    if (Array.isArray(value) && value.length > 0) {
      out.line += ':';
      writeList(out, value, indent, false);
    } else if (isMap(value) && Object.keys(value).length > 0) {
      out.line += ':';
      writeMap(out, value, indent + 2, false);
    } else {
      out.line += ': ';
      writeInline(out, value, indent + 2);
    }
  }
}

/** Lists in maps have the indentation of their key. */
function writeList(out: Output, list: readonly Value[], indent: number, isInline: boolean): void {
  let isFirst = isInline;
  for (const item of list) {
    if (isFirst) isFirst = false;
    else newLine(out, indent);
    out.line += '- ';
    if (Array.isArray(item) && item.length > 0) writeList(out, item, indent + 2, true);
    else if (isMap(item) && Object.keys(item).length > 0) writeMap(out, item, indent + 2, true);
    else writeInline(out, item, indent + 2);
  }
}

/** Writes a scalar or an empty collection; `indent` is the indentation of the lines that continue it. */
function writeInline(out: Output, value: Value, indent: number): void {
  if (typeof value === 'string') return writeString(out, value, indent);
  if (typeof value === 'number') out.line += formatNumber(value);
  else if (Array.isArray(value)) out.line += '[]';
  else if (isMap(value)) out.line += '{}';
  else out.line += String(value);
}

/** Longer keys are written with `? `. */
const MAX_SIMPLE_KEY_BYTES = 128;

function writeKey(out: Output, key: string, indent: number): void {
  if (!/[\n\r\x85\u2028\u2029]/.test(key) && (key.length <= 42 || Buffer.byteLength(key) <= MAX_SIMPLE_KEY_BYTES)) {
    // Without quotes `<<` is a text as a value, but a merge as a key.
    out.line += styleOf(key, out) === 'plain' && key !== '<<' ? key : quote(key, out);
    return;
  }
  out.line += '? ';
  writeString(out, key, indent + 2);
  newLine(out, indent);
}

type Style = 'plain' | 'single' | 'double' | 'literal';

function writeString(out: Output, text: string, indent: number): void {
  switch (styleOf(text, out)) {
    case 'plain':
      return writeFolded(out, text, indent);
    case 'single':
      out.line += "'";
      writeFolded(out, text.replaceAll("'", "''"), indent);
      out.line += "'";
      return;
    case 'double':
      return writeDouble(out, text, indent);
    case 'literal':
      return writeLiteral(out, text, indent);
  }
}

function quote(text: string, out: Output): string {
  return styleOf(text, out) === 'single' ? `'${text.replaceAll("'", "''")}'` : `"${escapeAll(text, out)}"`;
}

/** Texts that are plain unless they are an ambiguous word; the quick test for most texts. */
const SAFE = /^[A-Za-z/][A-Za-z0-9/._-]*$/;
const AMBIGUOUS_WORD = /^(?:y|yes|on|n|no|off|true|false|null)$/i;
/** Characters that go-yaml escapes: control characters, characters beyond U+FFFF, byte order marks. */
const UNPRINTABLE = /[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;
/** The same, and the characters of `object/printable.ts`. */
const INVISIBLE = /[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]|(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const NEVER_PLAIN = /^[-?:](?= |$)|^[#,[\]{}&*!|>'"%@`]|^---|^\.\.\.|:(?: |$)| #|^ | $/;

function styleOf(text: string, { unprintable }: Output): Style {
  if (SAFE.test(text) && !AMBIGUOUS_WORD.test(text)) return 'plain';
  if (unprintable.test(text)) return 'double';
  if (text.includes('\n')) return / \n| $/.test(text) ? 'double' : 'literal';
  if (text === '' || !isPlainString(text) || BASE_60.test(text)) return 'double';
  return NEVER_PLAIN.test(text) ? 'single' : 'plain';
}

/** Writes one line of text, broken at single spaces past the best width. */
function writeFolded(out: Output, text: string, indent: number): void {
  if (out.line.length + text.length <= BEST_WIDTH) {
    out.line += text;
    return;
  }
  let column = columnOf(out);
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const isSingle = text[at] === ' ' && at > 0 && at < text.length - 1 && text[at - 1] !== ' ' && text[at + 1] !== ' ';
    if (isSingle && column > BEST_WIDTH) {
      out.line += text.slice(from, at);
      newLine(out, indent);
      column = indent;
      from = at + 1;
    } else if (!isLowSurrogate(text, at)) column += 1;
  }
  out.line += text.slice(from);
}

function writeDouble(out: Output, text: string, indent: number): void {
  let column = columnOf(out) + 1;
  let isAfterSpace = false;
  // go-yaml looks for a byte order mark only at the beginning, and then escapes every character.
  const isMarked = text.startsWith('\ufeff');
  let run = ['"'];
  const chars = Array.from(text);
  chars.forEach((char, index) => {
    if (char === ' ' && !isMarked) {
      if (!isAfterSpace && column > BEST_WIDTH && index > 0 && index < chars.length - 1) {
        out.line += run.join('');
        newLine(out, indent);
        column = indent;
        run = [];
        if (chars[index + 1] === ' ') {
          run.push('\\');
          column += 1;
        }
      } else {
        run.push(' ');
        column += 1;
      }
      isAfterSpace = true;
      return;
    }
    const escaped = escapeChar(char, out, isMarked);
    run.push(escaped);
    column += escaped.length === char.length ? 1 : escaped.length;
    isAfterSpace = false;
  });
  out.line += `${run.join('')}"`;
}

function writeLiteral(out: Output, text: string, indent: number): void {
  const hasEmptyEnd = text === '\n' || text.endsWith('\n\n');
  const header = `|${/^[ \n]/.test(text) ? '2' : ''}${hasEmptyEnd ? '+' : text.endsWith('\n') ? '' : '-'}`;
  out.pieces.push(out.line, header);
  const pad = spaces(indent);
  const lines = text.split('\n');
  if (text.endsWith('\n')) lines.pop();
  for (const line of lines) out.pieces.push(line === '' ? '\n' : `\n${pad}${line}`);
  out.pieces.push('\n');
  out.line = '';
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\x85': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function escapeChar(char: string, { unprintable }: Output, isAlways: boolean): string {
  const short = SHORT_ESCAPES[char];
  if (short !== undefined) return short;
  if (!isAlways && !unprintable.test(char)) return char;
  const code = char.codePointAt(0) as number;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

function escapeAll(text: string, out: Output): string {
  return Array.from(text, (char) => escapeChar(char, out, text.startsWith('\ufeff'))).join('');
}

/** The shortest digits that read back as the same double, in Go's `%g` form if the number is not an integer. */
export function formatNumber(value: number): string {
  if (Number.isSafeInteger(value) || isLargeInteger(value)) return String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf';
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  const sign = power < 0 ? '-' : '+';
  return `${mantissa}e${sign}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** Whether a double beyond 2^53 is written as an integer: its shortest digits, padded with zeros, fit 64 bits. */
function isLargeInteger(value: number): boolean {
  if (!Number.isInteger(value) || Math.abs(value) >= 1e21) return false;
  const digits = BigInt(String(value));
  return digits >= -(2n ** 63n) && digits < 2n ** 64n;
}

function columnOf(out: Output): number {
  return out.line.length - (out.line.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

function isLowSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}

function spaces(count: number): string {
  return ' '.repeat(count);
}
