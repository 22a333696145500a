/** The size of values in memory, estimated. */
import { isMap, type Value } from './value.ts';

/** A value takes at least this much beside its text, in bytes: `[]` and `0` are short as JSON, but not in memory. */
const BYTES_PER_VALUE = 16;

/** The estimated memory of a value: the bytes of its texts, and a fixed number for each value. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return BYTES_PER_VALUE + Buffer.byteLength(value);
  let bytes = BYTES_PER_VALUE;
  if (Array.isArray(value)) {
    for (const item of value) bytes += sizeOf(item);
  } else if (isMap(value)) {
    for (const key of Object.keys(value)) bytes += Buffer.byteLength(key) + sizeOf(value[key] as Value);
  }
  return bytes;
}

export function toMib(bytes: number): string {
  return String(Math.round((bytes / (1024 * 1024)) * 10) / 10);
}
