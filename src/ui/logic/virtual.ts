/** Which rows of a long list are in the document. All rows have one height, so that no row has to be measured. */

export interface Viewport {
  /** Pixels from the first row to the top edge of what is seen; negative where the list begins below that edge. */
  readonly top: number;
  /** Pixels that are seen. */
  readonly height: number;
}

export interface RowRange {
  readonly first: number;
  /** The row behind the last one. */
  readonly end: number;
}

/** Rows beyond each edge, so that a quick scroll shows no gap. */
const MORE_ROWS = 8;

export function visibleRows({ top, height }: Viewport, rowHeight: number, count: number): RowRange {
  const first = Math.floor(top / rowHeight) - MORE_ROWS;
  const end = Math.ceil((top + height) / rowHeight) + MORE_ROWS;
  return { first: clamp(first, count), end: clamp(end, count) };
}

function clamp(row: number, count: number): number {
  return Math.min(Math.max(row, 0), count);
}

/** How far to scroll, in pixels, so that a row is seen as a whole; 0: it is seen. */
export function scrollToSee(row: number, rowHeight: number, { top, height }: Viewport, margin = 0): number {
  const start = row * rowHeight - margin;
  const end = (row + 1) * rowHeight;
  if (start < top) return start - top;
  return end > top + height ? end - top - height : 0;
}
