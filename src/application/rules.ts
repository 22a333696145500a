/**
 * Field rules that a JSON schema cannot express, each in two languages: CEL for the API server, and a predicate for the
 * parser. Invariant: both refuse the same values (test/cluster/application gives both the same table).
 */
import type { z } from 'zod';

/** The schema keyword under which the API server reads CEL rules. */
export const VALIDATIONS = 'x-kubernetes-validations';

export interface FieldRule<T> {
  /** CEL over `self`. Strings need a maximum length, or the server's cost estimate refuses the whole CRD. */
  readonly cel: string;
  readonly holds: (value: T) => boolean;
  /** The message of both: the name of the field, and the allowed values. */
  readonly message: string;
}

/** The text must contain a match. Only use syntax that RE2 and JavaScript share: no `\s`, look-around or flags. */
export function matching(pattern: RegExp, message: string): FieldRule<string> {
  return { cel: `self.matches(r'${pattern.source}')`, holds: (text) => pattern.test(text), message };
}

/** The text must not contain a match. */
export function notMatching(pattern: RegExp, message: string): FieldRule<string> {
  return { cel: `!self.matches(r'${pattern.source}')`, holds: (text) => !pattern.test(text), message };
}

/** The text must not contain a character that a terminal would interpret or not show; see `object/printable.ts`. */
export function visible(field: string): FieldRule<string> {
  return notMatching(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, `${field} must not contain control or invisible characters`);
}

/** Attaches the rules for parser and CRD. Call it before `.default()` and `.optional()`. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly FieldRule<z.output<S>>[]): S {
  let ruled: S = schema;
  for (const { holds, message } of rules) ruled = ruled.refine(holds, { error: message });
  return ruled.meta({ [VALIDATIONS]: rules.map(({ cel, message }) => ({ rule: cel, message })) });
}
