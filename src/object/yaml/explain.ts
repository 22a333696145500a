/**
 * Explains a text that `read.ts` refused: line, column, the line itself, and what is wrong in words that a person can
 * act on. The slow, careful `yaml` package is asked only here.
 */
import { createRequire } from 'node:module';
import type * as yaml from 'yaml';
import type { YamlFailure } from './read.ts';

export interface YamlExplanation {
  readonly message: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** The line itself, cut at 200 characters. */
  readonly excerpt: string;
  readonly hint?: string;
}

/** Texts longer than this are not parsed a second time. */
const MAX_EXPLAINED_CHARS = 1_000_000;

export function explainYaml(text: string, failure: YamlFailure): YamlExplanation {
  const second = failure.code === 'YamlSyntax' && text.length <= MAX_EXPLAINED_CHARS ? askYaml(text) : undefined;
  // The fast reader may see a fault far behind its cause, the other one may see none at all.
  const isEarlier = second !== undefined && second.offset <= failure.offset;
  const offset = isEarlier ? second.offset : failure.offset;
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', start);
  const excerpt = text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '');
  const line = text.slice(0, start).split('\n').length;
  const hint = hintFor(excerpt);
  return {
    message: isEarlier ? second.message : failure.message,
    line,
    column: offset - start + 1,
    excerpt: excerpt.slice(0, 200),
    ...(hint === undefined ? {} : { hint }),
  };
}

function askYaml(text: string): { message: string; offset: number } | undefined {
  // Loaded only now: it takes longer to load than most texts take to read.
  const { LineCounter, parseAllDocuments } = createRequire(import.meta.url)('yaml') as typeof yaml;
  const lines = new LineCounter();
  try {
    for (const document of parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: true })) {
      const error = 'errors' in document ? document.errors[0] : undefined;
      if (error) return { message: error.message, offset: error.pos[0] };
    }
  } catch {
    // An explanation is a courtesy: the fast reader's own words serve as well.
  }
  return undefined;
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^ *\t/, 'YAML does not allow tabs for indentation; use blanks.'],
  [/(^|[:-] +)@/, 'A value cannot begin with @; put it in quotes.'],
  [/(^|[:-] +)`/, 'A value cannot begin with `; put it in quotes.'],
  [/(^|[:-] +)%/, 'A value cannot begin with %; put it in quotes.'],
  [/\{\{/, 'This looks like a template; templates must be rendered before, or be part of a Helm chart.'],
  [/: .*: /, 'A value that holds ": " must be in quotes.'],
];

function hintFor(line: string): string | undefined {
  return HINTS.find(([pattern]) => pattern.test(line))?.[1];
}
