/** Finds the name that a person may have meant. For messages, so only after a name was not found. */

/** More candidates, or longer names, are not compared: the cost is their number times the square of their length. */
const MAX_CANDIDATES = 2000;
const MAX_CHARS = 100;

/** The candidate that differs least from a name; undefined if all of them differ in more than a third of it. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > MAX_CHARS) return undefined;
  let best: { readonly candidate: string; readonly edits: number } | undefined;
  let count = 0;
  for (const candidate of candidates) {
    if ((count += 1) > MAX_CANDIDATES) break;
    const most = Math.max(1, Math.floor(Math.max(name.length, candidate.length) / 3));
    if (candidate.length > MAX_CHARS || Math.abs(candidate.length - name.length) > most) continue;
    const edits = editsBetween(name.toLowerCase(), candidate.toLowerCase());
    if (edits <= most && (best === undefined || edits < best.edits)) best = { candidate, edits };
  }
  return best?.candidate;
}

/** The number of characters to insert, delete, replace or swap with their neighbour. */
function editsBetween(a: string, b: string): number {
  let [older, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      let edits = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (isSame ? 0 : 1));
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) edits = Math.min(edits, (older[j - 2] ?? 0) + 1);
      next.push(edits);
    }
    [older, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
