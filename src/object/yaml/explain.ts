/**
 * Explains to people why `read.ts` refused a text: the line, the column, the text of the line, and a message. Only this
 * file uses the `yaml` package, which is slower than the reader and finds the cause more exactly.
 */
import { createRequire } from 'node:module';
import type * as yaml from 'yaml';
import { contextOf } from './context.ts';
import { diagnose } from './diagnose.ts';
import type { YamlFailure } from './read.ts';

export interface YamlExplanation {
  readonly message: string;
  /** Whether the message may repeat parts of the text. */
  readonly mayQuote: boolean;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** The line with its number, the two lines before it, and a caret. */
  readonly excerpt: string;
  readonly hint?: string;
}

/** Texts longer than this are not parsed a second time. */
const MAX_EXPLAINED_CHARS = 1_000_000;

export function explainYaml(text: string, failure: YamlFailure): YamlExplanation {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const found = failure.isVague === true ? findCause(text, lines, failure) : undefined;
  const { line, column, message, mayQuote } = found ?? {
    ...placeAt(text, failure.offset),
    ...failure,
    mayQuote: false,
  };
  const hint = hintFor(lines[line - 1] ?? '');
  const excerpt = contextOf(lines, { line, column });
  return { message, mayQuote, line, column, excerpt, ...(hint === undefined ? {} : { hint }) };
}

type Cause = Pick<YamlExplanation, 'message' | 'mayQuote' | 'line' | 'column'>;

function findCause(text: string, lines: readonly string[], failure: YamlFailure): Cause {
  const slow = text.length <= MAX_EXPLAINED_CHARS ? findError(text) : undefined;
  // The fast reader may report an error far behind its cause; the slow one may find no error at all.
  const isEarlier = slow !== undefined && slow.offset <= failure.offset;
  const place = placeAt(text, isEarlier ? slow.offset : failure.offset);
  const diagnosis = diagnose(lines, place.line);
  if (diagnosis) return { ...diagnosis, mayQuote: false };
  if (!isEarlier) return { ...place, message: failure.message, mayQuote: false };
  const words = WORDS[slow.code];
  return { ...place, message: words ?? slow.message, mayQuote: words === undefined };
}

function placeAt(text: string, offset: number): { readonly line: number; readonly column: number } {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return { line: text.slice(0, start).split('\n').length, column: offset - start + 1 };
}

/**
 * Loads the package when it is needed, since that takes longer than reading most texts. The sandbox loads it at its
 * start, because it forbids modules afterwards that the package uses.
 */
export function loadExplainer(): typeof yaml {
  return createRequire(import.meta.url)('yaml') as typeof yaml;
}

/** The first error that the `yaml` package finds. */
function findError(text: string): { code: string; message: string; offset: number } | undefined {
  const { LineCounter, parseAllDocuments } = loadExplainer();
  const lines = new LineCounter();
  try {
    for (const document of parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: true })) {
      const error = 'errors' in document ? document.errors[0] : undefined;
      if (error) return { code: error.code, message: error.message, offset: error.pos[0] };
    }
  } catch {
    // The message of the fast reader is shown instead.
  }
  return undefined;
}

/** By code of the `yaml` package: words for people who do not know the specification of YAML. */
const WORDS: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'this alias has no anchor before it',
  BAD_DIRECTIVE: 'a line that begins with % is a directive, and this one is unknown',
  BAD_DQ_ESCAPE: 'a text in double quotes has an unknown escape; write \\\\ for a backslash, or use single quotes',
  BAD_INDENT: 'the indentation of this line fits no line above it',
  BAD_SCALAR_START: 'a value cannot begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a value that holds a colon and a blank must be in quotes',
  BLOCK_IN_FLOW: 'a list item with a dash, or an indented map, cannot stand inside brackets',
  MISSING_CHAR: 'a key needs a colon and a blank after it, and a quote or bracket needs its end',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line and end with a colon',
  TAB_AS_INDENT: 'YAML allows only spaces for indentation',
  UNEXPECTED_TOKEN: 'this text cannot stand here',
};

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
