/**
 * Finds the line of a template that printed a given line of its output, so that a message can name the place to mend.
 * helm tells only the line of the output.
 *
 * Invariant: the answer is undefined rather than a guess: if several lines of the template fit equally well, none is
 * named.
 */
import { splitOutput } from '../render/helm/output.ts';

interface Output {
  /** Everything that helm printed, with `# Source: <name>` before each document. */
  readonly text: string;
  /** The template, as helm names it. */
  readonly name: string;
  /** 1-based line within the document that helm could not read. */
  readonly line: number;
}

/** Larger templates are not searched. */
const MAX_TEMPLATE_CHARS = 262_144;
/** Longer lines of the output are not looked for. */
const MAX_PRINTED_CHARS = 1000;
/** Lines of the template times documents that it printed. */
const MAX_COMPARISONS = 200_000;

/** Runs in turns, since an output may have many megabytes. */
export function* findTemplateLine(
  template: string,
  { text, name, line }: Output,
): Generator<undefined, number | undefined> {
  if (template.length > MAX_TEMPLATE_CHARS) return undefined;
  const lines = template.split('\n').map(literalsOf);
  const found = new Set<number>();
  let comparisons = 0;
  for (const part of splitOutput(text)) {
    yield;
    const printed = part.name === name ? printedLine(part.text, line) : '';
    if (printed === '' || printed.length > MAX_PRINTED_CHARS) continue;
    comparisons += lines.length;
    if (comparisons > MAX_COMPARISONS) return undefined;
    const best = bestLine(lines, printed);
    if (best !== undefined) found.add(best);
  }
  const [only] = found;
  return found.size === 1 ? only : undefined;
}

/** A line of the first document that a template printed. */
function printedLine(text: string, line: number): string {
  const [document = ''] = text.split(/^---[ \t]*$/m, 1);
  return document.split('\n', line)[line - 1]?.trim() ?? '';
}

/** The texts of a line of a template outside its actions. An action may end on a later line. */
function literalsOf(line: string): readonly string[] {
  return line
    .split(/\{\{.*?(?:\}\}|$)/)
    .map((literal) => literal.trim())
    .filter((literal) => literal !== '');
}

/** The 1-based number of the line whose literals occur in the printed line in their order, and are the longest. */
function bestLine(lines: readonly (readonly string[])[], printed: string): number | undefined {
  let best: { readonly line: number; readonly chars: number; readonly isAlone: boolean } | undefined;
  for (const [index, literals] of lines.entries()) {
    if (!occursInOrder(literals, printed)) continue;
    const chars = literals.reduce((sum, literal) => sum + literal.length, 0);
    if (chars === 0 || (best !== undefined && chars < best.chars)) continue;
    best = { line: index + 1, chars, isAlone: best === undefined || chars > best.chars };
  }
  return best?.isAlone ? best.line : undefined;
}

function occursInOrder(literals: readonly string[], printed: string): boolean {
  let from = 0;
  for (const literal of literals) {
    const at = printed.indexOf(literal, from);
    if (at < 0) return false;
    from = at + literal.length;
  }
  return true;
}
