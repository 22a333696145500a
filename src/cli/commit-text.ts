/** A commit as people read it: its first digits, its subject, its author and its age. */
import type { StoredStatus } from '../application/schema.ts';
import type { HistoryEntry } from '../application/status-schema.ts';
import { formatAge } from './table.ts';

/** The newest entry of the history about a revision. */
export function entryOf({ history = [] }: StoredStatus, revision: string | undefined): HistoryEntry | undefined {
  return revision === undefined ? undefined : history.find((entry) => entry.revision === revision);
}

/** As `6dcb09b5b578 "Bump nginx" by Ann, 3m ago`, without the parts that the status does not tell. */
export function commitText(status: StoredStatus, now: number): string | undefined {
  const { revision, commit } = status.sync ?? {};
  const entry = entryOf(status, revision);
  const { subject, author, committedAt } = entry ?? {};
  const digits = commit ?? entry?.commit ?? revision;
  if (digits === undefined) return undefined;
  const words = [digits, ...(subject === undefined ? [] : [`"${subject}"`]), ...(author ? [`by ${author}`] : [])];
  return `${words.join(' ')}${committedAt === undefined ? '' : `, ${agoOf(committedAt, now)}`}`;
}

/** As `3m ago`; `-` for a time that cannot be read. */
export function agoOf(time: string | undefined, now: number): string {
  const at = Date.parse(time ?? '');
  return Number.isNaN(at) ? '-' : `${formatAge(now - at)} ago`;
}
