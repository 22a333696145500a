/**
 * Quantities of Kubernetes (`500m`, `1Gi`, `2e3`), compared as numbers without rounding.
 * Specification: k8s.io/apimachinery/pkg/api/resource, the grammar above `type Quantity`.
 */
import type { Value } from './value.ts';

const QUANTITY = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([eE])([+-]?\d+)|(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E))?$/;

/** Powers of 1024 and, apart from them, of 10. */
const BINARY: Record<string, bigint> = { Ki: 1n, Mi: 2n, Gi: 3n, Ti: 4n, Pi: 5n, Ei: 6n };
const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** Longer exponents are no quantity that a server stores; they would only cost memory here. */
const MAX_EXPONENT = 40;
const MAX_CHARS = 80;
/** Smallest unit that the server keeps is 1e-9; more digits are kept exactly so that rounding stays the server's. */
const SCALE = 80;

/** Whether both are quantities of the same amount; false where either is none. */
export function isEqualQuantity(a: Value, b: Value): boolean {
  const left = scaled(a);
  return left !== undefined && left === scaled(b);
}

/**
 * Whether a server that is given one stores it as the other: the same amount, in the same of the three notations, which
 * a server keeps (`1024Mi` becomes `1Gi`, and never `1073741824`).
 */
export function isSameQuantity(given: Value, stored: Value): boolean {
  return isEqualQuantity(given, stored) && notationOf(given) === notationOf(stored);
}

function notationOf(value: Value): 'binary' | 'decimal' | 'exponent' {
  const text = String(value);
  if (/\d[eE][+-]?\d/.test(text)) return 'exponent';
  const amount = Math.abs(amountOf(text));
  // Below 1024, and for fractions of a byte, a server writes no binary suffix.
  return text.endsWith('i') && amount >= 1024 && Number.isInteger(amount) ? 'binary' : 'decimal';
}

function amountOf(text: string): number {
  const factor = BINARY[text.slice(-2)] ?? 0n;
  return Number.parseFloat(text) * 1024 ** Number(factor);
}

/** The amount times 10^SCALE, or undefined for what is no quantity. */
function scaled(value: Value): bigint | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const text = String(value);
  if (text.length > MAX_CHARS) return undefined;
  const match = QUANTITY.exec(text);
  if (!match) return undefined;
  const [, sign, digits = '', , exponentText, suffix = ''] = match;
  const exponent = exponentText === undefined ? (DECIMAL[suffix] ?? 0) : Number(exponentText);
  if (Math.abs(exponent) > MAX_EXPONENT) return undefined;
  const [whole = '', fraction = ''] = digits.split('.');
  const power = SCALE + exponent - fraction.length;
  if (power < 0) return undefined;
  const amount = BigInt(whole + fraction || '0') * 10n ** BigInt(power) * 1024n ** (BINARY[suffix] ?? 0n);
  return sign === '-' ? -amount : amount;
}
