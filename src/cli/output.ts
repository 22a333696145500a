/**
 * The only way by which a command prints. Texts of a repository, a cluster or an agent are shown as text.
 *
 * Invariant: no character reaches a terminal that it would interpret or not show, but line feeds and the colours of
 * `paint`. In JSON the escape of such a character is its own escape, so the value stays the same.
 */
import { styleText } from 'node:util';
import { printable, printableLines } from '../object/printable.ts';

export function print(text: string): void {
  process.stdout.write(printableLines(text));
}

export function printError(text: string): void {
  process.stderr.write(printableLines(text));
}

/** Names on stderr the parts of an answer that were not read. */
export function printNotes(notes: readonly string[]): void {
  for (const note of notes) printError(`Note: ${printable(note)}\n`);
}

/** Prints a text with parts that `paint` has coloured. */
export function printPainted(text: string): void {
  const parts = text.split(COLOUR);
  process.stdout.write(parts.map((part, at) => (at % 2 === 1 ? part : printableLines(part))).join(''));
}

const COLOUR = /(\x1b\[\d{1,2}m)/;

export type Colour = 'green' | 'red' | 'yellow';

/** Colours the text if stdout is a terminal and NO_COLOR is not set. */
export function paint(colour: Colour, text: string): string {
  return styleText(colour, printable(text), { stream: process.stdout });
}
