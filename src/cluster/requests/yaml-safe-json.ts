/**
 * JSON that a YAML parser reads as the same value. Server-side apply accepts only YAML, and go-yaml refuses or folds
 * some characters that JSON allows unescaped in strings.
 *
 * Invariant: the text is the same JSON value, with exactly those characters escaped.
 */
import { stringifyJson } from '../../object/json.ts';
import type { Value } from '../../object/value.ts';

/** go-yaml refuses DEL, C1 controls and non-characters; NEL, LS and PS are line breaks, which it folds. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

export function writeYamlSafeJson(value: Value): string {
  return stringifyJson(value).replace(UNSAFE, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
