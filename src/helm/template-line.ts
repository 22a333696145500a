/**
 * Finds the line of a template that printed a given line of its output, so that a message can name the place to mend.
 * helm tells only the line of the output.
 *
 * Invariant: the answer is undefined rather than a guess: if several lines of the template fit equally well, none is
 * named.
 */

interface Output {
  /** Everything that helm printed, with `# Source: <name>` before each document. */
  readonly text: string;
  /** The template, as helm names it. */
  readonly name: string;
  /** 1-based line within the document that helm could not read. */
  readonly line: number;
}

export function findTemplateLine(template: string, { text, name, line }: Output): number | undefined {
  const lines = template.split('\n').map(literalsOf);
  const found = new Set<number>();
  for (const document of documentsOf(text, name)) {
    const printed = document[line - 1]?.trim();
    if (printed === undefined || printed === '') continue;
    const best = bestLine(lines, printed);
    if (best !== undefined) found.add(best);
  }
  const [only] = found;
  return found.size === 1 ? only : undefined;
}

/** The lines of the documents that a template printed. */
function documentsOf(text: string, name: string): string[][] {
  const header = `# Source: ${name}\n`;
  return text
    .split(/^---[ \t]*\n/m)
    .filter((part) => part.startsWith(header))
    .map((part) => part.slice(header.length).split('\n'));
}

/** The texts of a line of a template outside its actions. */
function literalsOf(line: string): readonly string[] {
  return line
    .split(/\{\{.*?\}\}/)
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
