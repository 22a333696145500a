/** Errors that several files of registry/ report. */
import type { StageError } from '../object/stage-error.ts';
import { sourceError } from '../object/source-error.ts';

/** `name` is that of the bound. */
export function tooLarge(what: string, bound: number, name: string): StageError {
  return sourceError('TooLarge', `${what} is larger than ${bound} bytes (${name}). Make it smaller.`);
}

export function malformedAnswer(label: string, what: string): StageError {
  return sourceError(
    'MalformedAnswer',
    `The answer of ${label} ${what}. Check the address, and look for a proxy that changes answers.`,
  );
}
