/**
 * Regular expressions of a kustomization, in Go's syntax (RE2). What both languages read alike goes to JavaScript's own
 * engine, everything else to `re2js`; neither backtracks without bound on what is let through.
 */
import { createRequire } from 'node:module';
import type * as re2js from 're2js';

/** Whether a text matches. */
export type Matcher = (text: string) => boolean;

/** Letters, digits and what is literal in a name or an image; `.` means any character in both languages. */
const PLAIN = /^[\w/:@.-]*$/;
const LITERAL = /^[\w/:@-]*$/;

/** Whether a pattern matches nothing but its own text. */
export function isLiteral(pattern: string): boolean {
  return LITERAL.test(pattern);
}

/** A matcher of whole texts; undefined if the pattern is no valid RE2. */
export function compileWhole(pattern: string): Matcher | undefined {
  if (LITERAL.test(pattern)) return (text) => text === pattern;
  return compile(`^(?:${pattern})$`, PLAIN.test(pattern));
}

/** A matcher of texts that hold the pattern; undefined if it is no valid RE2. */
export function compilePattern(pattern: string): Matcher | undefined {
  if (LITERAL.test(pattern)) return (text) => text.includes(pattern);
  return compile(pattern, PLAIN.test(pattern));
}

/** Compiles `prefix + pattern + suffix`, of which only `pattern` comes from outside. */
export function compileAround(prefix: string, pattern: string, suffix: string): Matcher | undefined {
  return compile(prefix + pattern + suffix, PLAIN.test(pattern));
}

function compile(source: string, isPlain: boolean): Matcher | undefined {
  try {
    if (isPlain) {
      const expression = new RegExp(source, 'u');
      return (text) => expression.test(text);
    }
    // Loaded only now: most kustomizations need none.
    const { RE2JS } = createRequire(import.meta.url)('re2js') as typeof re2js;
    const expression = RE2JS.compile(source);
    return (text) => expression.matcher(text).find();
  } catch {
    return undefined;
  }
}
