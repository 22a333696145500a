/**
 * The two clocks of an Application: how long it has tried to sync its present revision, and how long that revision has
 * not been Healthy. Both are kept in memory: a restart of the agent gives more time, never less.
 */
import { formatTime } from '../application/conditions.ts';
import { parseDuration } from '../application/duration.ts';
import type { ApplicationSpec } from '../application/schema.ts';
import { isSettledHealth } from '../application/status-schema.ts';
import type { Health } from '../health/health.ts';
import type { Clock } from '../telemetry/ports.ts';

export interface ClocksMemory {
  attempt: Attempt | undefined;
  /** Since when the desired objects of a revision are not Healthy. undefined: they are, or were not assessed. */
  unwell: { readonly revision: string; readonly sinceMs: number } | undefined;
}

export interface Attempt {
  readonly revision: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Monotonic. */
  readonly startedMs: number;
}

export function emptyClocksMemory(): ClocksMemory {
  return { attempt: undefined, unwell: undefined };
}

/** Starts the attempt at a revision with the first pass that sees it, and returns it. '': there is no revision yet. */
export function startAttempt(clocks: ClocksMemory, revision: string, clock: Clock): Attempt {
  if (clocks.attempt?.revision !== revision) {
    clocks.attempt = { revision, startedAt: formatTime(clock.now()), startedMs: clock.monotonicMs() };
  }
  return clocks.attempt;
}

/** The next wait has the whole of spec.sync.timeout again. */
export function endAttempt(clocks: ClocksMemory): void {
  clocks.attempt = undefined;
}

/**
 * Starts the clock of health when a revision is first found unwell, and stops it when all objects are well, so that a
 * Pod that moves to another node has the whole time again. `worst` is undefined where no object was assessed.
 */
export function noteHealth(
  clocks: ClocksMemory,
  { revision, worst, nowMs }: { readonly revision: string; readonly worst: Health | undefined; readonly nowMs: number },
): void {
  if (!worst) return;
  if (isSettledHealth(worst.status)) clocks.unwell = undefined;
  else if (clocks.unwell?.revision !== revision) clocks.unwell = { revision, sinceMs: nowMs };
}

/** Whether the attempt has taken longer than spec.sync.timeout. */
export function isAttemptOverdue({ startedMs }: Attempt, { sync }: ApplicationSpec, nowMs: number): boolean {
  return nowMs - startedMs > (parseDuration(sync.timeout) ?? Infinity);
}

export interface HealthQuestion {
  readonly spec: ApplicationSpec;
  /** undefined: no object was assessed. */
  readonly worst: Health | undefined;
  /** Monotonic. */
  readonly nowMs: number;
}

/** Whether objects have been short of Healthy for longer than spec.health.timeout (default: spec.sync.timeout). */
export function isHealthOverdue({ unwell }: ClocksMemory, { spec, worst, nowMs }: HealthQuestion): boolean {
  if (!unwell || !worst || isSettledHealth(worst.status)) return false;
  return nowMs - unwell.sinceMs > (parseDuration(spec.health.timeout ?? spec.sync.timeout) ?? Infinity);
}

export interface Remaining {
  readonly attempt: Attempt;
  readonly spec: ApplicationSpec;
  readonly nowMs: number;
  /** The result is never less. */
  readonly leastMs: number;
}

/** The rest of spec.sync.timeout for an attempt, in milliseconds; Infinity where no timeout is set. */
export function remainingMs({ attempt, spec, nowMs, leastMs }: Remaining): number {
  const timeoutMs = parseDuration(spec.sync.timeout) ?? Infinity;
  return Math.ceil(Math.max(leastMs, timeoutMs - (nowMs - attempt.startedMs)));
}
