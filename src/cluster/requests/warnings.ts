/** Reads the `Warning` headers of an answer. */
import { cut } from '../answer-text.ts';

const MAX_WARNINGS = 20;

/** The texts of `Warning` headers (RFC 7234 §5.5): `299 - "text"`, several in one line. */
export function readWarnings(header: string | readonly string[] | undefined): string[] {
  const lines = header === undefined ? [] : typeof header === 'string' ? [header] : header;
  const texts: string[] = [];
  for (const line of lines) {
    for (const match of line.matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)) {
      if (texts.length < MAX_WARNINGS) texts.push(cut((match[1] ?? '').replace(/\\(.)/g, '$1')));
    }
  }
  return texts;
}
