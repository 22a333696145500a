/**
 * Whether objects have been short of Healthy for too long. Invariant: the clock starts with the first pass that finds a
 * revision unwell and stops when all is well, so that a Pod that moves to another node has the whole time again. It is
 * kept in memory: a restart of the agent gives more time, never less.
 */
import { parseDuration } from '../../application/duration.ts';
import { isSettledHealth } from '../../application/status-schema.ts';
import type { Health } from '../../health/health.ts';
import type { Pass } from '../pass.ts';

/** `worst` is undefined where nothing was assessed, or nothing is desired. */
export function isHealthOverdue(pass: Pass, revision: string | undefined, worst: Health | undefined): boolean {
  const { application, context, state } = pass;
  const { memory } = state;
  if (!worst || isSettledHealth(worst.status)) {
    if (worst) memory.unwell = undefined;
    return false;
  }
  const nowMs = context.clock.monotonicMs();
  if (!memory.unwell || memory.unwell.revision !== revision) memory.unwell = { revision, sinceMs: nowMs };
  const { health, sync } = application.spec;
  const timeoutMs = parseDuration(health.timeout ?? sync.timeout) ?? Infinity;
  return nowMs - memory.unwell.sinceMs > timeoutMs;
}
