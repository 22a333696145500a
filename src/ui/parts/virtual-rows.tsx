/**
 * Rows of one height, of which only those that are seen are in the document. The window scrolls, so that the page feels
 * as others do. Arrow keys, j and k, Home and End move between rows; Tab leaves the list.
 */
import type { CSSProperties, HTMLAttributes, VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { scrollToSee, visibleRows, type RowRange, type Viewport } from '../logic/virtual.ts';

export interface RowProps {
  readonly style: CSSProperties;
  readonly tabIndex: 0 | -1;
  readonly 'data-row': number;
  readonly onFocus: () => void;
}

export interface VirtualRowsProps<T> {
  readonly rows: readonly T[];
  /** In pixels, on a wide window and on a phone. */
  readonly heights: readonly [wide: number, narrow: number];
  readonly keyOf: (row: T) => string;
  /** The element of the row takes `props`, but for `tabIndex`, which is for what takes the focus: [data-focus]. */
  readonly render: (row: T, props: RowProps, index: number) => VNode;
  readonly container: HTMLAttributes<HTMLDivElement>;
  /** Called with keys that the list does not know, as ArrowLeft in a tree. */
  readonly onKey?: (key: string, row: T) => void;
}

/** The header that stays at the top while the window scrolls. */
const HEADER_PX = 64;
const NARROW = '(max-width: 700px)';

export function VirtualRows<T>(props: VirtualRowsProps<T>): VNode {
  const { rows, heights, keyOf, render, container, onKey } = props;
  const box = useRef<HTMLDivElement>(null);
  const height = useRowHeight(heights);
  const [range, setRange] = useState<RowRange>({ first: 0, end: Math.min(rows.length, 40) });
  const [active, setActive] = useState(0);
  const wanted = useRef<number | undefined>(undefined);

  const measure = (): void => {
    const next = visibleRows(viewportOf(box.current, 0), height, rows.length);
    setRange((last) => (last.first === next.first && last.end === next.end ? last : next));
  };
  useLayoutEffect(measure, [rows, height]);
  useWindowEvents(measure);
  const focusWanted = (): void => {
    if (wanted.current === undefined) return;
    const row = box.current?.querySelector<HTMLElement>(`[data-row="${wanted.current}"]`);
    const target = row?.matches('[data-focus]') ? row : row?.querySelector<HTMLElement>('[data-focus]');
    if (!target) return;
    wanted.current = undefined;
    target.focus({ preventScroll: true });
  };
  // The row that takes the focus may have come into the document only now.
  useLayoutEffect(focusWanted);

  const goTo = (index: number): void => {
    const next = Math.min(Math.max(index, 0), rows.length - 1);
    if (next < 0) return;
    window.scrollBy(0, scrollToSee(next, height, viewportOf(box.current, HEADER_PX)));
    wanted.current = next;
    setActive(next);
    measure();
    focusWanted();
  };
  const isInside = (): boolean => box.current?.contains(document.activeElement) === true;
  useRowKeys({
    box,
    go: (by) => goTo(isInside() ? active + by : Math.min(active, rows.length - 1)),
    goToEnd: (isStart) => goTo(isStart ? 0 : rows.length - 1),
    other: (key) => {
      const row = rows[active];
      if (row !== undefined) onKey?.(key, row);
    },
  });

  const last = Math.min(range.end, rows.length);
  const tabbed = active >= range.first && active < last ? active : range.first;
  const seen = rows.slice(range.first, last).map((row, offset) => {
    const index = range.first + offset;
    const style = { height: `${height}px`, top: `${index * height}px` };
    const onFocus = (): void => setActive(index);
    const element = render(row, { style, tabIndex: index === tabbed ? 0 : -1, 'data-row': index, onFocus }, index);
    return { key: keyOf(row), element };
  });
  return (
    <div {...container} ref={box} class="rows" style={{ height: `${rows.length * height}px` }}>
      {seen.map(({ element }) => element)}
    </div>
  );
}

function viewportOf(box: HTMLElement | null, headerPx: number): Viewport {
  const top = box?.getBoundingClientRect().top ?? 0;
  return { top: headerPx - top, height: window.innerHeight - headerPx };
}

function useRowHeight([wide, narrow]: readonly [number, number]): number {
  const [isNarrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const query = matchMedia(NARROW);
    const onChange = (): void => setNarrow(query.matches);
    query.addEventListener('change', onChange);
    return () => query.removeEventListener('change', onChange);
  }, []);
  return isNarrow ? narrow : wide;
}

function useWindowEvents(measure: () => void): void {
  const current = useRef(measure);
  current.current = measure;
  useEffect(() => {
    const onEvent = (): void => current.current();
    window.addEventListener('scroll', onEvent, { passive: true });
    window.addEventListener('resize', onEvent);
    return () => {
      window.removeEventListener('scroll', onEvent);
      window.removeEventListener('resize', onEvent);
    };
  }, []);
}

interface RowKeys {
  readonly box: { readonly current: HTMLElement | null };
  readonly go: (by: number) => void;
  readonly goToEnd: (isStart: boolean) => void;
  readonly other: (key: string) => void;
}

/** j and k work from anywhere on the page, the other keys only inside the list. */
function useRowKeys(keys: RowKeys): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { box, go, goToEnd, other } = current.current;
      const target = event.target instanceof Element ? event.target : undefined;
      if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
      if (target?.closest('input, textarea, select, dialog, aside')) return;
      const isInside = target !== undefined && box.current?.contains(target) === true;
      const by = { j: 1, k: -1, ...(isInside ? { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 } : {}) };
      const step = (by as Readonly<Record<string, number>>)[event.key];
      if (step !== undefined) go(step);
      else if (isInside && (event.key === 'Home' || event.key === 'End')) goToEnd(event.key === 'Home');
      else if (isInside && /^Arrow(Left|Right)$/.test(event.key)) other(event.key);
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}
