/**
 * The one event of a pass, if it changed anything: a new verdict, or objects that were written or deleted. Never one a
 * loop: the same verdict over an unchanged set of objects gives none.
 */
import { cutText, getCondition } from '../application/conditions.ts';
import type { StoredStatus } from '../application/schema.ts';
import type { ChangeResult, Outcome } from '../apply/applied.ts';
import { compareIds, formatId } from '../object/identity.ts';
import type { PassReport } from './report.ts';
import type { Verdict } from './verdict.ts';

export interface PassEvent {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, at most 128 characters. */
  readonly reason: string;
  /** What was done, as events.k8s.io calls it. */
  readonly action: string;
  /** At most 1,024 characters. */
  readonly note: string;
}

const MAX_NOTE_CHARS = 1024;
const COUNTED: readonly Outcome[] = ['created', 'configured', 'adopted', 'recreating', 'pruned', 'released', 'pruning'];

export interface EventOptions {
  readonly before: StoredStatus;
  readonly report: PassReport;
  readonly verdict: Verdict;
}

export function eventOf({ before, report, verdict }: EventOptions): PassEvent | undefined {
  const done = describeDone(report);
  const ready = getCondition(before.conditions ?? [], 'Ready');
  // How a Pod that does not come up fails changes all the time: that is in status.health.
  // Of two good passes only what they did is news: a commit that changes no object is told by status alone.
  const isSame =
    ready?.reason === verdict.reason &&
    ready.status === verdict.ready &&
    (verdict.ready === 'True' || verdict.reason === 'HealthCheckFailed' || ready.message === verdict.message);
  const isWarning = verdict.ready === 'False' && verdict.reason !== 'Progressing';
  if (isSame && !done) return undefined;
  if (!done && verdict.reason === 'Progressing') return undefined;
  // A retry of the same failure is no news, even when something else was written on the way.
  const note = [done, verdict.message].filter(Boolean).join('; ');
  return {
    type: isWarning ? 'Warning' : 'Normal',
    reason: done && !isWarning ? 'Applied' : verdict.reason,
    action: done ? 'Apply' : 'Reconcile',
    note: cutText(note, MAX_NOTE_CHARS),
  };
}

/** The same where no pass was made: the spec cannot be read, or the Application is suspended. */
export function bareEventOf(before: StoredStatus, after: Pick<StoredStatus, 'conditions'>): PassEvent | undefined {
  const [known, ready] = [before, after].map(({ conditions }) => getCondition(conditions ?? [], 'Ready'));
  if (!ready || (known?.reason === ready.reason && known.message === ready.message)) return undefined;
  const type = ready.reason === 'Suspended' ? 'Normal' : 'Warning';
  return { type, reason: ready.reason, action: 'Reconcile', note: cutText(ready.message, MAX_NOTE_CHARS) };
}

/** A finalizer may hold an object for hours: only the pass that began its deletion has done something. */
function wasPruningBefore({ outcome, live }: ChangeResult): boolean {
  return outcome === 'pruning' && live?.deletionTimestamp !== undefined;
}

/** `3 created, 1 pruned (ConfigMap shop/a, …)`; undefined if the pass wrote nothing. */
function describeDone({ applied }: PassReport): string | undefined {
  const results = [...applied.values()]
    .filter((result) => COUNTED.includes(result.outcome) && !wasPruningBefore(result))
    .sort((a, b) => compareIds(a.change.id, b.change.id));
  if (results.length === 0) return undefined;
  const counts = COUNTED.map(
    (outcome) => [outcome, results.filter((result) => result.outcome === outcome).length] as const,
  )
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${count} ${outcome}`);
  const names = results.slice(0, 3).map(({ change }) => formatId(change.id));
  const more = results.length > names.length ? ', …' : '';
  const released = results.find(({ outcome, message }) => outcome === 'released' && message !== undefined);
  const letGo = released ? `; ${formatId(released.change.id)}: ${released.message}` : '';
  return `${counts.join(', ')} (${names.join(', ')}${more})${letGo}`;
}
