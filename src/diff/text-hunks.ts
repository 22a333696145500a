/**
 * The difference of two texts of several lines in unified form: hunks with three lines of context.
 *
 * Invariant: cost and result are bounded. Texts that differ in too many lines are shown as one replacement.
 */

const CONTEXT_LINES = 3;
/** Changed lines on one side times those on the other side that are compared one by one. */
const MAX_COMPARED = 40_000;
const MAX_LINES = 60;
const MAX_LINE_CHARS = 200;

type Sign = ' ' | '-' | '+';

interface Row {
  readonly sign: Sign;
  readonly text: string;
}

/** `before` and `after` differ. The result has no line end at its end. */
export function unifiedHunks(before: string, after: string): string {
  const rows = compareLines(splitLines(before), splitLines(after));
  const lines = hunksOf(rows).flatMap(([from, to]) => [headerOf(rows, from, to), ...rows.slice(from, to).map(lineOf)]);
  if (lines.length <= MAX_LINES) return lines.join('\n');
  return [...lines.slice(0, MAX_LINES), `… ${lines.length - MAX_LINES} more lines`].join('\n');
}

const NO_LINE_END = '\\ No newline at end of text';

/** A line end at the end of a text ends its last line; if it is missing, that is a difference too. */
function splitLines(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  else lines.push(NO_LINE_END);
  return lines;
}

function compareLines(before: readonly string[], after: readonly string[]): Row[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  const row = (sign: Sign) => (text: string) => ({ sign, text });
  return [
    ...before.slice(0, start).map(row(' ')),
    ...compareMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(row(' ')),
  ];
}

/** By the longest common subsequence of lines. */
function compareMiddle(before: readonly string[], after: readonly string[]): Row[] {
  const width = after.length + 1;
  const isComparable = before.length * after.length <= MAX_COMPARED;
  const lengths = new Uint32Array(isComparable ? (before.length + 1) * width : 0);
  for (let i = before.length - 1; isComparable && i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      const [down, right] = [lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0];
      const diagonal = (lengths[(i + 1) * width + j + 1] ?? 0) + 1;
      lengths[i * width + j] = before[i] === after[j] ? diagonal : Math.max(down, right);
    }
  }
  const rows: Row[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [removed, added] = [before[i], after[j]];
    if (isComparable && removed !== undefined && removed === added) {
      rows.push({ sign: ' ', text: removed });
      i += 1;
      j += 1;
      continue;
    }
    const isRemoval =
      removed !== undefined &&
      (added === undefined || (lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0));
    rows.push(isRemoval ? { sign: '-', text: removed } : { sign: '+', text: added ?? '' });
    if (isRemoval) i += 1;
    else j += 1;
  }
  return rows;
}

/** Ranges of rows that hold the changed ones with their context. */
function hunksOf(rows: readonly Row[]): [from: number, to: number][] {
  const hunks: [number, number][] = [];
  for (const [at, { sign }] of rows.entries()) {
    if (sign === ' ') continue;
    const [from, to] = [Math.max(0, at - CONTEXT_LINES), Math.min(rows.length, at + CONTEXT_LINES + 1)];
    const last = hunks.at(-1);
    if (last && from <= last[1]) last[1] = to;
    else hunks.push([from, to]);
  }
  return hunks;
}

function headerOf(rows: readonly Row[], from: number, to: number): string {
  const side = (other: Sign): string => {
    const isOurs = ({ sign, text }: Row): boolean => sign !== other && text !== NO_LINE_END;
    const first = rows.slice(0, from).filter(isOurs).length + 1;
    return `${first},${rows.slice(from, to).filter(isOurs).length}`;
  };
  return `@@ -${side('+')} +${side('-')} @@`;
}

function lineOf({ sign, text }: Row): string {
  if (text === NO_LINE_END) return text;
  return sign + (text.length > MAX_LINE_CHARS ? `${text.slice(0, MAX_LINE_CHARS)}…` : text);
}
