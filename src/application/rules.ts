/**
 * Field rules that a JSON schema cannot say, each in both languages at once: CEL for the API server, a predicate for
 * the parser. Invariant: whatever the one refuses, the other refuses (test/cluster/application feeds both the same
 * table).
 */
import type { z } from 'zod';

/** The member of a schema's metadata under which the API server looks for CEL rules. */
export const VALIDATIONS = 'x-kubernetes-validations';

export interface FieldRule<T> {
  /** CEL over `self`. A string without maximum length makes the server's cost estimate refuse the whole CRD. */
  readonly cel: string;
  readonly holds: (value: T) => boolean;
  /** What a person reads in both cases: the field's name, and what is allowed. */
  readonly message: string;
}

/** The text must contain a match. Keep to what RE2 and JavaScript read alike: no `\s`, no look-around, no flags. */
export function matching(pattern: RegExp, message: string): FieldRule<string> {
  return { cel: `self.matches(r'${pattern.source}')`, holds: (text) => pattern.test(text), message };
}

/** The text must contain no match. */
export function notMatching(pattern: RegExp, message: string): FieldRule<string> {
  return { cel: `!self.matches(r'${pattern.source}')`, holds: (text) => !pattern.test(text), message };
}

/** The schema with the rules attached for parser and CRD. Call it before `.default()` and `.optional()`. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly FieldRule<z.output<S>>[]): S {
  let ruled: S = schema;
  for (const { holds, message } of rules) ruled = ruled.refine(holds, { error: message });
  return ruled.meta({ [VALIDATIONS]: rules.map(({ cel, message }) => ({ rule: cel, message })) });
}
