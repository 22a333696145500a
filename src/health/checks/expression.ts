/**
 * Reads and evaluates expressions of CEL. This file runs in the sandbox, since the library has no limit on cost: an
 * expression may need any time, and the deadline of the job ends it.
 *
 * Invariant: an expression nests at most `MAX_NESTING` loops, and gives true or false. Everything else is an error with
 * a message for people.
 */
import { createRequire } from 'node:module';
import type * as cel from '@bufbuild/cel';
import type { Value } from '../../object/value.ts';

/** Loops (`all`, `exists`, `map`, `filter`) within each other; each of them multiplies the time. */
const MAX_NESTING = 2;

/** Characters of a message of the library. */
const MAX_MESSAGE_CHARS = 200;

export type Expression = (object: Value) => boolean | { readonly error: string };

/** `error` says why the text is not an expression. */
export type Compiled = { readonly run: Expression } | { readonly error: string };

export function compile(text: string): Compiled {
  const { celEnv, parse, plan } = loadCel();
  try {
    const parsed = parse(text);
    if (nestingOf(parsed.expr) > MAX_NESTING) {
      return { error: `it nests more than ${MAX_NESTING} of all, exists, exists_one, map and filter` };
    }
    const run = plan(celEnv(), parsed);
    return { run: (object) => evaluate(run, object) };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

/** Loaded by the first expression: most Applications have none, and the package is large. */
function loadCel(): typeof cel {
  return createRequire(import.meta.url)('@bufbuild/cel') as typeof cel;
}

type Run = ReturnType<typeof cel.plan>;

function evaluate(run: Run, object: Value): boolean | { readonly error: string } {
  try {
    // The types of the library know no values of JSON, which it accepts.
    const result: unknown = run(object as never);
    if (loadCel().isCelError(result)) return { error: messageOf(result) };
    return typeof result === 'boolean' ? result : { error: 'its result is neither true nor false' };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

/** On one line, without the name of an input that the library makes up. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text.replace('<input>:', '').replace(/\s+/g, ' ').trim();
  return line.length <= MAX_MESSAGE_CHARS ? line : `${line.slice(0, MAX_MESSAGE_CHARS - 1)}…`;
}

/** The depth of loops in a syntax tree. The text is short, so its tree is. */
function nestingOf(node: unknown): number {
  if (typeof node !== 'object' || node === null) return 0;
  let deepest = 0;
  for (const child of Object.values(node)) deepest = Math.max(deepest, nestingOf(child));
  return isLoop(node) ? deepest + 1 : deepest;
}

function isLoop(node: object): boolean {
  return 'case' in node && node.case === 'comprehensionExpr';
}
