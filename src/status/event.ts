/**
 * The Kubernetes Event of a pass: at most one beside that of its releases (released.ts), and only for a new verdict, or
 * for objects that were written or deleted. Repeated passes with the same verdict and without writes give no Event.
 */
import { cutText, getCondition } from '../application/conditions.ts';
import type { StoredStatus } from '../application/schema.ts';
import type { ChangeResult, Outcome } from '../apply/applied.ts';
import { compareIds, formatId } from '../object/identity.ts';
import type { PassReport } from './report.ts';
import type { PassVerdict } from './verdict.ts';

export interface PassEvent {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, at most 128 characters. */
  readonly reason: string;
  /** The `action` of events.k8s.io/v1. */
  readonly action: string;
  /** At most 1,024 characters. */
  readonly note: string;
}

export const MAX_NOTE_CHARS = 1024;
const COUNTED: readonly Outcome[] = ['created', 'configured', 'adopted', 'recreating', 'pruned', 'released', 'pruning'];

export interface EventOptions {
  readonly before: StoredStatus;
  readonly report: PassReport;
  readonly verdict: PassVerdict;
}

export function eventOf({ before, report, verdict }: EventOptions): PassEvent | undefined {
  const done = describeDone(report);
  const ready = getCondition(before.conditions ?? [], 'Ready');
  // A changed message alone is no reason for an Event after a successful pass (a commit may change no object), or after
  // a failed health check (the reason of a failing Pod changes all the time; status.health has it).
  const isSame =
    ready?.reason === verdict.reason &&
    ready.status === verdict.ready &&
    (verdict.ready === 'True' || verdict.reason === 'HealthCheckFailed' || ready.message === verdict.message);
  const isWarning = verdict.ready === 'False' && verdict.reason !== 'Progressing';
  if (isSame && !done) return undefined;
  if (!done && verdict.reason === 'Progressing') return undefined;
  const note = [done, verdict.message].filter(Boolean).join('; ');
  return {
    type: isWarning ? 'Warning' : 'Normal',
    reason: done && !isWarning ? 'Applied' : verdict.reason,
    action: done ? 'Apply' : 'Reconcile',
    note: cutText(note, MAX_NOTE_CHARS),
  };
}

/** The Event of a status without a pass: the spec is malformed, or the Application is suspended. */
export function bareEventOf(before: StoredStatus, after: Pick<StoredStatus, 'conditions'>): PassEvent | undefined {
  const [known, ready] = [before, after].map(({ conditions }) => getCondition(conditions ?? [], 'Ready'));
  if (!ready || (known?.reason === ready.reason && known.message === ready.message)) return undefined;
  const type = ready.reason === 'Suspended' ? 'Normal' : 'Warning';
  return { type, reason: ready.reason, action: 'Reconcile', note: cutText(ready.message, MAX_NOTE_CHARS) };
}

/** Only the pass that began a deletion counts as a write: a finalizer may hold the object for hours. */
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
  const why = released ? `; ${formatId(released.change.id)}: ${released.message}` : '';
  return `${counts.join(', ')} (${names.join(', ')}${more})${why}`;
}
