/**
 * The order in which go-yaml prints the keys of a map: letters come after all other characters, and runs of digits are
 * ordered by their value.
 */
import type { ValueMap } from '../value.ts';

/** The keys of a map in print order. */
export function sortedKeys(map: ValueMap): string[] {
  const keys = Object.keys(map);
  return keys.length < 2 ? keys : keys.sort(compareKeys);
}

/** Negative if `a` is printed before `b`. */
export function compareKeys(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let at = 0;
  while (at < shorter && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  if (at === shorter) return a.length - b.length;
  const left = charAt(a, at);
  const right = charAt(b, at);
  const leftIsLetter = isLetter(left);
  const rightIsLetter = isLetter(right);
  if (leftIsLetter && rightIsLetter) return compareCodePoints(left, right);
  if (leftIsLetter !== rightIsLetter) return leftIsLetter ? 1 : -1;
  return compareNumbers(a, b, at) || compareCodePoints(left, right);
}

/** Compares the runs of digits that begin at `at` by value, then by length; 0 if both are equal. */
function compareNumbers(a: string, b: string, at: number): number {
  const leftEnd = digitsEnd(a, at);
  const rightEnd = digitsEnd(b, at);
  // Zeros at the beginning of a run count only after a digit other than zero: then `0` and `00` differ in value,
  // otherwise they do not.
  const prefix = (a[at] === '0' || b[at] === '0') && followsNonZero(a, at) ? '1' : '';
  // go-yaml computes in 64 bits and ignores an overflow.
  const left = BigInt.asIntN(64, BigInt(`0${prefix}${a.slice(at, leftEnd)}`));
  const right = BigInt.asIntN(64, BigInt(`0${prefix}${b.slice(at, rightEnd)}`));
  if (left !== right) return left < right ? -1 : 1;
  return leftEnd - rightEnd;
}

function followsNonZero(text: string, at: number): boolean {
  for (let i = at - 1; i >= 0 && isDigit(text.charCodeAt(i)); i -= 1) if (text[i] !== '0') return true;
  return false;
}

function digitsEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length && isDigit(text.charCodeAt(end))) end += 1;
  return end;
}

/** The code point at an index, which may be in the middle of a surrogate pair. */
function charAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  const isTail = code >= 0xdc00 && code <= 0xdfff && at > 0;
  return (text.codePointAt(isTail ? at - 1 : at) as number) ?? 0;
}

function compareCodePoints(a: number, b: number): number {
  return a - b;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

const LETTER = /^\p{L}$/u;

function isLetter(code: number): boolean {
  if (code < 128) return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
  return LETTER.test(String.fromCodePoint(code));
}
