/**
 * Sync windows, as a pure function of the time: whether an Application is synced by itself now, whether a person may
 * ask for it, and when that changes. The rules are those of Argo CD.
 *
 * Invariants: an active window of kind deny closes, whatever the others say; where windows of kind allow exist, one of
 * them has to be active.
 */
import { formatTime } from './conditions.ts';
import { parseDuration } from './duration.ts';
import type { SyncWindow } from './sync-schema.ts';
import { startTimes, type StartTimes } from './window-times.ts';

export interface WindowState {
  /** Whether changes are applied without being asked for. */
  readonly isOpen: boolean;
  /** Whether a request may apply changes. */
  readonly mayRequest: boolean;
  /** When `isOpen` changes next, in milliseconds since the epoch. undefined: not within 400 days. */
  readonly changesAtMs: number | undefined;
  /** The window that closes it, for people. undefined: it is open. */
  readonly closedBy: string | undefined;
}

/** undefined: there are no windows, and everything is allowed. */
export function windowsAt(windows: readonly SyncWindow[] | undefined, nowMs: number): WindowState | undefined {
  if (!windows || windows.length === 0) return undefined;
  const all = windows.map(timedWindow);
  const now = stateAt(all, nowMs);
  const changesAtMs = nextChange(all, { fromMs: nowMs, isOpen: now.isOpen });
  return { ...now, changesAtMs };
}

/** Why it is closed, and until when, for people. '': it is open. */
export function describeWindow({ closedBy, changesAtMs }: WindowState): string {
  if (closedBy === undefined) return '';
  const until =
    changesAtMs === undefined ? 'it does not open within 400 days' : `it opens at ${formatTime(changesAtMs)}`;
  return `closed by ${closedBy}; ${until}`;
}

interface TimedWindow extends SyncWindow {
  readonly starts: StartTimes;
  readonly durationMs: number;
}

function timedWindow(window: SyncWindow): TimedWindow {
  const { schedule, timeZone = 'UTC', duration } = window;
  return { ...window, starts: startTimes(schedule, timeZone), durationMs: parseDuration(duration) ?? 0 };
}

/** Some start lies less than the duration back. */
function isActive({ starts, durationMs }: TimedWindow, atMs: number): boolean {
  return starts.firstAfter(atMs - durationMs) <= atMs;
}

function stateAt(windows: readonly TimedWindow[], atMs: number): Omit<WindowState, 'changesAtMs'> {
  const active = windows.filter((window) => isActive(window, atMs));
  const denying = active.filter(({ kind }) => kind === 'deny');
  if (denying.length > 0) return closed(denying);
  const allowing = windows.filter(({ kind }) => kind === 'allow');
  if (allowing.length === 0 || active.length > 0) return { isOpen: true, mayRequest: true, closedBy: undefined };
  return closed(allowing);
}

/** A request needs the consent of every window that closes. */
function closed(by: readonly TimedWindow[]): Omit<WindowState, 'changesAtMs'> {
  return { isOpen: false, mayRequest: by.every(({ manual }) => manual), closedBy: by.map(nameOf).join(', ') };
}

function nameOf({ kind, schedule, duration, timeZone = 'UTC' }: SyncWindow): string {
  return `${kind} ${schedule} for ${duration} (${timeZone})`;
}

/** Windows that touch each other without a gap are followed this often. */
const MAX_STEPS = 200;

function nextChange(
  windows: readonly TimedWindow[],
  { fromMs, isOpen }: { readonly fromMs: number; readonly isOpen: boolean },
): number | undefined {
  let atMs = fromMs;
  for (let step = 0; step < MAX_STEPS; step++) {
    atMs = Math.min(...windows.map((window) => nextEdge(window, atMs)));
    if (atMs === Infinity) return undefined;
    if (stateAt(windows, atMs).isOpen !== isOpen) return atMs;
  }
  return undefined;
}

/** The next time at which a window may become active, or inactive. */
function nextEdge(window: TimedWindow, atMs: number): number {
  const { starts, durationMs } = window;
  // The end that belongs to the earliest start that is still running, or to the next start.
  const endMs = starts.firstAfter(atMs - durationMs) + durationMs;
  return isActive(window, atMs) ? endMs : starts.firstAfter(atMs);
}
