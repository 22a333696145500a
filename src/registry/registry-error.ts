/**
 * The errors of registry/. They are errors of the stage `source`, since a chart or an artifact is the source of an
 * Application. A text that a server sent is cleaned and cut before it is part of a message.
 */
import type { CodeOf } from '../object/error-code.ts';
import { StageError, type Retry } from '../object/stage-error.ts';

type RegistryCode = CodeOf<'source'>;

/** Only a change of the spec or of the artifact can help; everything else is tried again. */
const NEVER: ReadonlySet<RegistryCode> = new Set(['InvalidUrl', 'InvalidRevision', 'TooLarge', 'MalformedArchive']);

export function registryError(code: RegistryCode, message: string, afterMs?: number): StageError {
  const retry: Retry = afterMs === undefined ? (NEVER.has(code) ? 'never' : 'backoff') : { afterMs };
  return new StageError({ stage: 'source', code, retry, message });
}

/** A foreign text as one printable line of at most `maxChars` characters, its links without user info. */
export function clean(text: string, maxChars = 120): string {
  const line = text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replace(/:\/\/[^\s/@]*@/g, '://')
    .trim();
  return line.length <= maxChars ? line : `${line.slice(0, maxChars - 1)}…`;
}

/** `name` is that of the bound. */
export function tooLarge(what: string, bound: number, name: string): StageError {
  return registryError('TooLarge', `${what} is larger than ${bound} bytes (${name}). Make it smaller.`);
}

export function malformedAnswer(label: string, what: string): StageError {
  return registryError(
    'MalformedAnswer',
    `The answer of ${label} ${what}. Check the address, and look for a proxy that changes answers.`,
  );
}
