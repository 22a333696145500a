/**
 * The Kubernetes Events of a pass: at most one for a new verdict or for objects that were written or deleted, at most
 * one for a health that has changed, and that of its releases (released.ts). Repeated passes with the same verdict and
 * without writes give no Event.
 */
import { cutText, getCondition } from '../application/conditions.ts';
import type { StoredStatus } from '../application/schema.ts';
import type { ChangeResult, Outcome } from '../apply/applied.ts';
import { compareIds, formatId } from '../object/identity.ts';
import { describeDrift } from './drift-note.ts';
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
  const drift = driftOf(before, report);
  const done = drift ? describeDrift(drift) : describeDone(report);
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
  const doneReason = drift ? 'DriftCorrected' : 'Applied';
  return {
    type: isWarning ? 'Warning' : 'Normal',
    reason: done && !isWarning ? doneReason : verdict.reason,
    action: done ? 'Apply' : 'Reconcile',
    note: cutText(note, MAX_NOTE_CHARS),
  };
}

/**
 * The Event of a health that has changed. The first health of an Application is told only if it is Degraded.
 * `passEvent` tells a failed health check itself.
 */
export function healthEventOf(
  before: StoredStatus,
  { health }: Pick<StoredStatus, 'health'>,
  passEvent: PassEvent | undefined,
): PassEvent | undefined {
  if (!health || health.status === before.health?.status || passEvent?.reason === 'HealthCheckFailed') return undefined;
  const isFirst = before.health === undefined || before.health.status === 'Unknown';
  const isWarning = health.status === 'Degraded';
  if (health.status === 'Unknown' || (isFirst && !isWarning)) return undefined;
  const note = health.message ?? `Every object is ${health.status}.`;
  return {
    type: isWarning ? 'Warning' : 'Normal',
    reason: health.status,
    action: 'AssessHealth',
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

const HEALED: ReadonlySet<Outcome> = new Set(['created', 'configured', 'adopted']);

/** The written objects, if the same desired objects were complete before: then only drift was corrected. */
function driftOf(before: StoredStatus, { applied, desiredDigest }: PassReport): readonly ChangeResult[] | undefined {
  if (desiredDigest === undefined || before.sync?.digest !== desiredDigest) return undefined;
  const written = [...applied.values()].filter(({ outcome }) => COUNTED.includes(outcome));
  return written.length > 0 && written.every(({ outcome }) => HEALED.has(outcome)) ? written : undefined;
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
