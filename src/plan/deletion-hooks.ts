/**
 * Hooks of the deletion of an Application → their states, and the plan that brings the first unfinished group on.
 * Hooks run in groups of one wave (`sync-wave`, or the weight of a Helm hook). A group begins when the one before it
 * has succeeded.
 *
 * Invariants: a Job that was started for another run is deleted before it is created for this one; an object that does
 * not carry the marks of this Application is neither deleted nor, if it is a Job or a Pod, taken for the hook.
 */
import { isRunToCompletion } from '../application/ended-jobs.ts';
import { isSettledHealth } from '../application/status-schema.ts';
import type { DesiredObject } from '../bind/desired.ts';
import type { LiveEntry } from '../cluster/live.ts';
import type { Change, ChangeType } from '../diff/changes.ts';
import type { Health } from '../health/health.ts';
import { readOwnership, type Owner } from '../object/applyset.ts';
import { HOOK_RUN_ANNOTATION } from '../object/hooks.ts';
import { annotationsOf, compareIds } from '../object/identity.ts';
import type { KubeObject } from '../object/value.ts';
import type { Plan, PlannedChange } from './plan.ts';
import { waveOf, WAVES } from './waves.ts';

/**
 * - done: it has succeeded.
 * - running: it has not ended yet.
 * - failed: it ran and failed, so that it has to run again.
 * - blocked: nothing can be done about it in this pass.
 * - send: it is to be applied.
 * - remove: an object of another run is to be deleted first.
 */
export type HookState =
  | { readonly type: 'done' }
  | { readonly type: 'running' | 'failed' | 'blocked'; readonly why: string }
  | { readonly type: 'send' | 'remove'; readonly change: Change };

export interface HookQuestion {
  readonly desired: DesiredObject;
  /** As a read by name has answered. */
  readonly entry: LiveEntry;
  /** The health of the live object, or that of a Job that has run and is gone. undefined: it has not run. */
  readonly health: Health | undefined;
  readonly owner: Owner;
}

export function judgeHook({ desired, entry, health, owner }: HookQuestion): HookState {
  if (entry.state === 'unknown') return { type: 'blocked', why: entry.reason };
  if (entry.state !== 'present') return health ? judgeHealth(desired, health) : send(desired, 'create');
  const { object: live } = entry;
  if (live.deletionTimestamp !== undefined) return { type: 'running', why: 'an object of that name is being deleted' };
  const isOurs = readOwnership(live.body, owner).type === 'ours';
  if (isOurs && isOfRun(live.body, desired.body) && health) return judgeHealth(desired, health);
  if (!isRunToCompletion(desired.id)) return send(desired, isOurs ? 'update' : 'adopt', live);
  if (!isOurs) return { type: 'blocked', why: NOT_OURS };
  return { type: 'remove', change: changeOf(desired, 'prune', live) };
}

/** Whether a live object was applied for the run of a desired one. */
export function isOfRun(live: KubeObject, desired: KubeObject): boolean {
  return annotationsOf(live)[HOOK_RUN_ANNOTATION] === annotationsOf(desired)[HOOK_RUN_ANNOTATION];
}

const NOT_OURS =
  'an object of that name exists and is not managed by this Application: delete it, so that the hook runs';

function judgeHealth({ id }: DesiredObject, { status, message }: Health): HookState {
  const isJob = isRunToCompletion(id);
  if (status === 'Healthy' || (!isJob && (isSettledHealth(status) || status === 'Unknown'))) return { type: 'done' };
  const why = message === '' ? `it is ${status}` : `it is ${status} (${message})`;
  // An object of another kind has no run that could be repeated.
  return { type: isJob && status === 'Degraded' ? 'failed' : 'running', why };
}

type Live = Extract<LiveEntry, { state: 'present' }>['object'];

function send(desired: DesiredObject, type: ChangeType, live?: Live): HookState {
  return { type: 'send', change: changeOf(desired, type, live) };
}

function changeOf(desired: DesiredObject, type: ChangeType, live: Live | undefined): Change {
  const { id, kind } = desired;
  return { type, id, kind, desired, fields: [], ...(live ? { live } : {}) };
}

/** The hooks by wave, the first wave first; within one by the order of kinds, then by name. */
export function groupHooks(hooks: readonly DesiredObject[]): DesiredObject[][] {
  const groups = new Map<number, DesiredObject[]>();
  for (const hook of hooks) {
    const wave = hook.policy?.wave ?? 0;
    groups.set(wave, [...(groups.get(wave) ?? []), hook]);
  }
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([, group]) => group.sort((a, b) => waveOf(a.id) - waveOf(b.id) || compareIds(a.id, b.id)));
}

/** The plan for the changes of one group. Hooks are its only objects. */
export function planHooks(states: readonly HookState[]): Plan {
  const changesOf = (type: 'send' | 'remove'): Change[] =>
    states.flatMap((state) => (state.type === type ? [state.change] : []));
  const wavesOf = (changes: readonly Change[]): Plan['waves'] => {
    const byKind = new Map<number, PlannedChange[]>();
    for (const change of changes) {
      const wave = waveOf(change.id);
      byKind.set(wave, [...(byKind.get(wave) ?? []), { change, requires: [] }]);
    }
    return [...byKind]
      .sort(([a], [b]) => a - b)
      .map(([wave, planned]) => ({ name: WAVES[wave]?.name ?? 'other kinds', changes: planned }));
  };
  return {
    waves: wavesOf(changesOf('send')),
    prunes: wavesOf(changesOf('remove')),
    releases: [],
    waitingFor: [],
    held: undefined,
    left: [],
  };
}

const FIRST_RETRY_MS = 10_000;
const MAX_RETRY_MS = 300_000;

/** Milliseconds until a failed hook runs again; it doubles with each failure. `failures` is at least 1. */
export function hookRetryMs(failures: number): number {
  return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10));
}
