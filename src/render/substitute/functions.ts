/**
 * The functions of expressions (`${NAME^^}`, `${NAME:0:3}`, `${NAME/old/new}`…), as Flux computes them: lengths and
 * positions count the bytes of UTF-8.
 *
 * Invariant: work and text beyond the cost of reading the arguments are charged before they are spent.
 */
import { matchBeginning } from './glob.ts';

export interface Costs {
  /** Counts steps of work. Throws beyond a bound. */
  readonly work: (steps: number) => void;
  /** Counts characters of text. Throws beyond a bound. */
  readonly text: (chars: number) => void;
}

type Apply = (value: string, args: readonly string[], costs: Costs) => string | undefined;

/**
 * The result of an operator. Operators that are not in the list, such as `:+`, give the default if the value is empty.
 * undefined: the result would cut a character in half.
 */
export function applyOperator(
  operator: string,
  value: string,
  { args, costs }: { readonly args: readonly string[]; readonly costs: Costs },
): string | undefined {
  if (operator === '#' && args.length === 0) return String(Buffer.byteLength(value));
  return (OPERATORS[operator] ?? defaultTo)(value, args, costs);
}

const defaultTo: Apply = (value, args) => (value === '' ? args.join('') : value);

const OPERATORS: Readonly<Record<string, Apply>> = {
  ',': (value) => changeFirst(value, lowerOf),
  ',,': (value) => changeAll(value, lowerOf),
  '^': (value) => changeFirst(value, upperOf),
  '^^': (value) => changeAll(value, upperOf),
  ':': (value, [position = '', length]) => substring(value, position, length),
  '#': (value, [pattern = ''], { work }) => withoutBeginning(value, pattern, { wanted: 'shortest', charge: work }),
  '##': (value, [pattern = ''], { work }) => withoutBeginning(value, pattern, { wanted: 'longest', charge: work }),
  '%': (value, [pattern = ''], { work }) => withoutEnd(value, pattern, { wanted: 'shortest', charge: work }),
  '%%': (value, [pattern = ''], { work }) => withoutEnd(value, pattern, { wanted: 'longest', charge: work }),
  '/': (value, [old = '', replacement = '']) => {
    const at = value.indexOf(old);
    return at < 0 ? value : value.slice(0, at) + replacement + value.slice(at + old.length);
  },
  '//': (value, [old = '', replacement = ''], { text }) => {
    const parts = old === '' ? ['', ...Array.from(value), ''] : value.split(old);
    text(value.length + (parts.length - 1) * replacement.length);
    return parts.join(replacement);
  },
  '/#': (value, [old = '', replacement]) =>
    replacement !== undefined && value.startsWith(old) ? replacement + value.slice(old.length) : value,
  '/%': (value, [old = '', replacement]) =>
    replacement !== undefined && value.endsWith(old) ? value.slice(0, value.length - old.length) + replacement : value,
};

/** One character, without the special cases of words and languages; `İ` is the only letter that becomes two. */
function lowerOf(char: string): string {
  return Array.from(char.toLowerCase())[0] ?? char;
}

/** One character. A letter whose upper case has several characters has one in title case, or stays. */
function upperOf(char: string): string {
  const upper = char.toUpperCase();
  return Array.from(upper).length === 1 ? upper : (TITLE_CASE.get(char) ?? char);
}

/** Greek letters with iota subscript: their lower case and the distance to their title case. */
const TITLE_CASE = new Map<string, string>();
for (const first of [0x1f80, 0x1f90, 0x1fa0]) {
  for (let code = first; code < first + 8; code += 1) {
    TITLE_CASE.set(String.fromCodePoint(code), String.fromCodePoint(code + 8));
  }
}
for (const code of [0x1fb3, 0x1fc3, 0x1ff3]) TITLE_CASE.set(String.fromCodePoint(code), String.fromCodePoint(code + 9));

function changeFirst(value: string, change: (char: string) => string): string {
  const [first] = value;
  return first === undefined ? value : change(first) + value.slice(first.length);
}

function changeAll(value: string, change: (char: string) => string): string {
  return Array.from(value, change).join('');
}

/** undefined: a character is cut in half. Returns the value if an argument is not an integer. */
function substring(value: string, position: string, length: string | undefined): string | undefined {
  const from = readInteger(position);
  const count = length === undefined ? undefined : readInteger(length);
  if (from === undefined || (length !== undefined && count === undefined)) return value;
  const bytes = Buffer.from(value);
  const start = from < 0 ? Math.max(0, bytes.length + from) : from;
  const end = count === undefined ? bytes.length : count < 0 ? bytes.length + count : start + count;
  if (start >= bytes.length || end < start) return '';
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}

/** A decimal integer of 64 bits. */
function readInteger(text: string): number | undefined {
  if (!/^[+-]?\d{1,30}$/.test(text)) return undefined;
  const exact = BigInt(text.replace('+', ''));
  return BigInt.asIntN(64, exact) === exact ? Number(exact) : undefined;
}

type Search = Parameters<typeof matchBeginning>[2];

function withoutBeginning(value: string, pattern: string, search: Search): string {
  const chars = Array.from(value);
  const length = matchBeginning(chars, pattern, search);
  return length === undefined ? value : chars.slice(length).join('');
}

/** Flux turns both the value and the text of the pattern round, so `[a-z]` never matches at the end. */
function withoutEnd(value: string, pattern: string, search: Search): string {
  return reversed(withoutBeginning(reversed(value), reversed(pattern), search));
}

function reversed(text: string): string {
  return Array.from(text).reverse().join('');
}
