/**
 * Puts the values of variables into a text. A variable that has no value is an error, unless its expression has a
 * default.
 *
 * Invariant: the values are never read for expressions, and never appear in an error.
 */
import type { Expression, Part } from './expression.ts';
import { applyOperator, type Costs } from './functions.ts';

/** The place of a text that an expression has become. */
export interface Filled {
  /** Offset in the result. */
  readonly at: number;
  /** Name of the variable. */
  readonly name: string;
}

export type Evaluation =
  | {
      readonly ok: true;
      readonly text: string;
      readonly filled: readonly Filled[];
      /** Names of all variables that were looked up, also in defaults. */
      readonly read: ReadonlySet<string>;
    }
  | { readonly ok: false; readonly reason: 'unknown' | 'cut'; readonly expression: Expression };

export interface Evaluate {
  readonly variables: ReadonlyMap<string, string>;
  readonly costs: Costs;
}

/** Throws only what `costs` throws. */
export function evaluate(parts: readonly Part[], given: Evaluate): Evaluation {
  const pieces: string[] = [];
  const filled: Filled[] = [];
  const read = new Set<string>();
  let at = 0;
  for (const part of parts) {
    const result = valueOf(part, { ...given, read });
    if (typeof result !== 'string') return { ok: false, ...result };
    if (typeof part !== 'string') filled.push({ at, name: part.name });
    given.costs.text(result.length);
    at += result.length;
    pieces.push(result);
  }
  return { ok: true, text: pieces.join(''), filled, read };
}

interface Failure {
  readonly reason: 'unknown' | 'cut';
  readonly expression: Expression;
}

function valueOf(part: Part, given: Evaluate & { readonly read: Set<string> }): string | Failure {
  if (typeof part === 'string') return part;
  const { name, operator, args } = part;
  const texts: string[] = [];
  for (const arg of args) {
    // As in Flux a default is evaluated even if it is not used.
    const result = valueOf(arg, given);
    if (typeof result !== 'string') return result;
    texts.push(result);
  }
  given.read.add(name);
  const value = given.variables.get(name);
  if (value === undefined && !WITH_DEFAULT.has(operator)) return { reason: 'unknown', expression: part };
  given.costs.work((value?.length ?? 0) + texts.length);
  const result = applyOperator(operator, value ?? '', { args: texts, costs: given.costs });
  return result ?? { reason: 'cut', expression: part };
}

const WITH_DEFAULT: ReadonlySet<string> = new Set(['=', ':=', ':-', ':+', ':?']);
