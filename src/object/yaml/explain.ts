/**
 * Explains to people why `read.ts` refused a text: the line, the column, the text of the line, and a message. Only this
 * file uses the `yaml` package, which is slower than the reader and finds the cause more exactly.
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
  /** The text of the line, cut at 200 characters. */
  readonly excerpt: string;
  readonly hint?: string;
}

/** Texts longer than this are not parsed a second time. */
const MAX_EXPLAINED_CHARS = 1_000_000;

export function explainYaml(text: string, failure: YamlFailure): YamlExplanation {
  const slow = failure.code === 'YamlSyntax' && text.length <= MAX_EXPLAINED_CHARS ? findError(text) : undefined;
  // The fast reader may report an error far behind its cause; the slow one may find no error at all.
  const isEarlier = slow !== undefined && slow.offset <= failure.offset;
  const offset = isEarlier ? slow.offset : failure.offset;
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', start);
  const excerpt = text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '');
  const line = text.slice(0, start).split('\n').length;
  const hint = hintFor(excerpt);
  return {
    message: isEarlier ? slow.message : failure.message,
    line,
    column: offset - start + 1,
    excerpt: excerpt.slice(0, 200),
    ...(hint === undefined ? {} : { hint }),
  };
}

/** The first error that the `yaml` package finds. */
function findError(text: string): { message: string; offset: number } | undefined {
  // Loaded only when needed: loading it takes longer than reading most texts.
  const { LineCounter, parseAllDocuments } = createRequire(import.meta.url)('yaml') as typeof yaml;
  const lines = new LineCounter();
  try {
    for (const document of parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: true })) {
      const error = 'errors' in document ? document.errors[0] : undefined;
      if (error) return { message: error.message, offset: error.pos[0] };
    }
  } catch {
    // The message of the fast reader is shown instead.
  }
  return undefined;
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^ *\t/, 'YAML does not allow tabs for indentation; use spaces.'],
  [/(^|[:-] +)@/, 'A value cannot begin with @; put it in quotes.'],
  [/(^|[:-] +)`/, 'A value cannot begin with `; put it in quotes.'],
  [/(^|[:-] +)%/, 'A value cannot begin with %; put it in quotes.'],
  [/\{\{/, 'This looks like a template; render templates beforehand, or put them into a Helm chart.'],
  [/: .*: /, 'A value that contains ": " must be in quotes.'],
];

function hintFor(line: string): string | undefined {
  return HINTS.find(([pattern]) => pattern.test(line))?.[1];
}
