/**
 * JSON for a reader of YAML: server-side apply takes YAML only, and go-yaml refuses or folds some characters that JSON
 * allows in strings as they are. Invariant: the text is the same JSON value, with exactly those characters escaped.
 */
import { stringifyJson } from '../../object/json.ts';
import type { Value } from '../../object/value.ts';

/** DEL and the C1 controls and non-characters are refused; NEL, LS and PS count as line breaks and would be folded. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

export function writeYamlSafeJson(value: Value): string {
  return stringifyJson(value).replace(UNSAFE, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
