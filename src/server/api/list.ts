/**
 * One page of the list: which of the rows, in which order. Pure.
 *
 * Invariant: a page begins behind the last row of the page before it, by its place in the order, so an Application that
 * comes or goes between two pages neither hides nor repeats another one.
 */
import { compareTexts } from '../../object/identity.ts';
import type { ListQuery } from './list-query.ts';
import type { Row } from './rows.ts';
import { SEVERITIES, type ApplicationSummary } from './schema.ts';

export interface Page {
  readonly rows: readonly Row[];
  /** Rows that match, on all pages. */
  readonly total: number;
  /** Token of the next page. */
  readonly next: string | undefined;
}

export type PageAnswer = { readonly ok: true; readonly page: Page } | { readonly ok: false; readonly problem: string };

/** `rows` are those that the caller may see. */
export function pageOf(rows: readonly Row[], query: ListQuery): PageAnswer {
  const { sort, limit } = query;
  const start = query.continue === undefined ? undefined : readToken(query.continue);
  if (start === 'malformed' || (start && start.sort !== sort)) {
    return { ok: false, problem: 'continue is not the token of an earlier answer with the same sort' };
  }
  const placed = rows.filter((row) => isMatch(row, query)).map((row) => ({ row, place: placeOf(row, sort) }));
  placed.sort((a, b) => comparePlaces(a.place, b.place));
  const from = start ? placed.findIndex(({ place }) => comparePlaces(place, start.place) > 0) : 0;
  const shown = from < 0 ? [] : placed.slice(from, from + limit);
  const last = shown.at(-1);
  const isEnd = last === undefined || last === placed.at(-1);
  return {
    ok: true,
    page: {
      rows: shown.map(({ row }) => row),
      total: placed.length,
      next: isEnd ? undefined : writeToken({ sort, place: last.place }),
    },
  };
}

function isMatch({ summary, haystack }: Row, query: ListQuery): boolean {
  const { namespace, sync, health, ready, labels = {}, severity } = summary;
  return (
    query.namespace?.includes(namespace) !== false &&
    query.sync?.has(sync.status) !== false &&
    query.health?.has(health.status) !== false &&
    query.ready?.has(ready.status) !== false &&
    query.severity?.has(severity) !== false &&
    query.labelSelector?.(labels) !== false &&
    (query.search ?? []).every((word) => haystack.includes(word))
  );
}

/** A rank, which is the same for many rows, then namespace and name. */
type Place = readonly [rank: string, namespace: string, name: string];

const RANKS: Readonly<Record<ListQuery['sort'], (row: Row) => string>> = {
  name: () => '',
  severity: ({ summary }) => String(SEVERITIES.indexOf(summary.severity)),
  health: ({ summary }) => String(WORST_HEALTH.indexOf(summary.health.status)),
  sync: ({ summary }) => String(WORST_SYNC.indexOf(summary.sync.status)),
  // The newest first: each digit of the time is replaced by its difference from nine.
  recent: ({ summary }) =>
    (summary.sync.lastSyncedAt ?? '').replace(/\d/g, (digit) => String(9 - Number(digit))) || '~',
};

const WORST_HEALTH: readonly ApplicationSummary['health']['status'][] = [
  'Degraded',
  'Missing',
  'Unknown',
  'Progressing',
  'Suspended',
  'Healthy',
];
const WORST_SYNC: readonly ApplicationSummary['sync']['status'][] = ['OutOfSync', 'Unknown', 'Synced'];

function placeOf(row: Row, sort: ListQuery['sort']): Place {
  return [RANKS[sort](row), row.summary.namespace, row.summary.name];
}

function comparePlaces(a: Place, b: Place): number {
  return compareTexts(a[0], b[0]) || compareTexts(a[1], b[1]) || compareTexts(a[2], b[2]);
}

interface Token {
  readonly sort: string;
  readonly place: Place;
}

function writeToken({ sort, place }: Token): string {
  return Buffer.from(JSON.stringify([sort, ...place])).toString('base64url');
}

function readToken(text: string): Token | 'malformed' {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (!Array.isArray(parts) || parts.length !== 4) return 'malformed';
    const [sort, rank, namespace, name] = parts as unknown[];
    const isText = [sort, rank, namespace, name].every((part) => typeof part === 'string');
    return isText ? { sort: String(sort), place: [String(rank), String(namespace), String(name)] } : 'malformed';
  } catch {
    return 'malformed';
  }
}

/** Number of rows by state and by namespace. */
export function countRows(rows: readonly Row[]) {
  const counts = { sync: new Map(), health: new Map(), severity: new Map(), namespaces: new Map() };
  for (const { summary } of rows) {
    count(counts.sync, summary.sync.status);
    count(counts.health, summary.health.status);
    count(counts.severity, summary.severity);
    count(counts.namespaces, summary.namespace);
  }
  return {
    sync: Object.fromEntries(counts.sync) as Record<string, number>,
    health: Object.fromEntries(counts.health) as Record<string, number>,
    severity: Object.fromEntries(counts.severity) as Record<string, number>,
    namespaces: Object.fromEntries(counts.namespaces) as Record<string, number>,
  };
}

function count(counts: Map<string, number>, word: string): void {
  counts.set(word, (counts.get(word) ?? 0) + 1);
}
