/** Digests of values. Equal values have equal digests; the order of map keys does not matter. */
import { createHash } from 'node:crypto';
import { isMap, type Value } from './value.ts';
import { stringifyJson } from './json.ts';

/** SHA-256 of the canonical JSON of a value (keys sorted by code unit), as 43 characters of base64url. */
export function digestValue(value: Value): string {
  return digestText(stringifyJson(sortKeys(value)));
}

/** SHA-256 of a text or of bytes, as 43 characters of base64url. */
export function digestText(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('base64url');
}

function sortKeys(value: Value): Value {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isMap(value)) return value;
  // JavaScript puts integer-like keys first in every object, so the order is still the same for equal maps.
  const sorted = Object.create(null) as { [key: string]: Value };
  for (const key of Object.keys(value).sort()) sorted[key] = sortKeys(value[key] as Value);
  return sorted;
}
