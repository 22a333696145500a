/**
 * Quantities of Kubernetes (`500m`, `1Gi`, `2e3`), compared as numbers without rounding.
 * Specification: k8s.io/apimachinery/pkg/api/resource, the grammar above `type Quantity`.
 */
import type { Value } from './value.ts';

const QUANTITY = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([eE])([+-]?\d+)|(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E))?$/;

/** The suffixes as powers of 1024, and as powers of 10. */
const BINARY: Record<string, bigint> = { Ki: 1n, Mi: 2n, Gi: 3n, Ti: 4n, Pi: 5n, Ei: 6n };
const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** A server stores no larger exponents; computing with them would only use up memory. */
const MAX_EXPONENT = 40;
const MAX_CHARS = 80;
/**
 * Decimal places of a scaled amount. The server rounds to 1e-9; here all digits are kept, so that only the server
 * rounds.
 */
const SCALE = 80;

/** Whether both are quantities of the same amount; false if one of them is not a quantity. */
export function isEqualQuantity(a: Value, b: Value): boolean {
  const amount = scaledAmount(a);
  return amount !== undefined && amount === scaledAmount(b);
}

/**
 * Whether a server that is given `given` stores it as `stored`: both are the same amount in the same of the three
 * notations. A server keeps the notation: it stores `1024Mi` as `1Gi`, and never as `1073741824`.
 */
export function isSameQuantity(given: Value, stored: Value): boolean {
  return isEqualQuantity(given, stored) && notationOf(given) === notationOf(stored);
}

function notationOf(value: Value): 'binary' | 'decimal' | 'exponent' {
  const text = String(value);
  if (/\d[eE][+-]?\d/.test(text)) return 'exponent';
  const amount = Math.abs(amountOf(text));
  // A server writes amounts below 1024 and fractions of a byte without a binary suffix.
  return text.endsWith('i') && amount >= 1024 && Number.isInteger(amount) ? 'binary' : 'decimal';
}

function amountOf(text: string): number {
  const factor = BINARY[text.slice(-2)] ?? 0n;
  return Number.parseFloat(text) * 1024 ** Number(factor);
}

/** The amount times 10^SCALE; undefined if the value is not a quantity. */
function scaledAmount(value: Value): bigint | undefined {
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
