/**
 * Regular expressions of a kustomization, in the syntax of Go (RE2). Simple patterns, which mean the same in both
 * languages, run in the engine of JavaScript, all others in `re2js`.
 *
 * Invariant: no pattern backtracks without bound. RE2 never backtracks, and simple patterns contain no repetition.
 */
import { createRequire } from 'node:module';
import type * as re2js from 're2js';

/** Whether a text matches. */
export type Matcher = (text: string) => boolean;

/** Letters, digits and literal characters of names and images; `.` means any character in both languages. */
const PLAIN = /^[\w/:@.-]*$/;
const LITERAL = /^[\w/:@-]*$/;

/** Whether a pattern matches only its own text. */
export function isLiteral(pattern: string): boolean {
  return LITERAL.test(pattern);
}

/** A matcher of whole texts; undefined if the pattern is not valid RE2. */
export function compileWhole(pattern: string): Matcher | undefined {
  if (LITERAL.test(pattern)) return (text) => text === pattern;
  return compile(`^(?:${pattern})$`, PLAIN.test(pattern));
}

/** A matcher of texts that contain the pattern; undefined if it is not valid RE2. */
export function compilePattern(pattern: string): Matcher | undefined {
  if (LITERAL.test(pattern)) return (text) => text.includes(pattern);
  return compile(pattern, PLAIN.test(pattern));
}

/** A matcher of `prefix + pattern + suffix`; only `pattern` is untrusted. Undefined if it is not valid RE2. */
export function compileAround(prefix: string, pattern: string, suffix: string): Matcher | undefined {
  return compile(prefix + pattern + suffix, PLAIN.test(pattern));
}

function compile(source: string, isPlain: boolean): Matcher | undefined {
  try {
    if (isPlain) {
      const expression = new RegExp(source, 'u');
      return (text) => expression.test(text);
    }
    // Loaded only when needed; most kustomizations do not need it.
    const { RE2JS } = createRequire(import.meta.url)('re2js') as typeof re2js;
    const expression = RE2JS.compile(source);
    return (text) => expression.matcher(text).find();
  } catch {
    return undefined;
  }
}
