/**
 * Reads and writes JSON without loss: integers beyond 2^53 are read as bigint and written with all their digits
 * (RFC 8259 sets no bound; the API server keeps int64).
 */
import type { Value } from './value.ts';

/** A run of 16 digits may be an unsafe integer. Only texts with such a run need the slower reader. */
const MAY_HOLD_LARGE_INTEGER = /\d{16}/;

interface RawJson {
  rawJSON(text: string): unknown;
}

/** Reads one JSON text. Throws SyntaxError if it is malformed. */
export function parseJson(text: string): Value {
  if (!MAY_HOLD_LARGE_INTEGER.test(text)) return JSON.parse(text) as Value;
  return JSON.parse(text, ((_key: string, value: Value, context: { source?: string }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    const source = context.source ?? '';
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  }) as (key: string, value: unknown) => unknown) as Value;
}

/** Writes one JSON text; `indent` as in JSON.stringify. */
export function stringifyJson(value: Value, indent?: number): string {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, writeLargeInteger, indent);
  }
}

function writeLargeInteger(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? (JSON as unknown as RawJson).rawJSON(value.toString()) : value;
}
