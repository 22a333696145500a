/**
 * A trial of the whole agent as plain data: a situation, the draws of that situation, and the faults and the kill that
 * come with it. Invariant: two runs of equal trials differ only in the machine's timing.
 */
import type { FaultPoint } from '../../src/reconcile/context.ts';
import type { ApiFault, GitFault } from './faults.ts';

export const SITUATIONS = ['commits', 'removal', 'specs', 'lag', 'jobs', 'fight', 'guard', 'large'] as const;
export type SituationName = (typeof SITUATIONS)[number];

/** Number of Applications for the situations `commits` and `removal`. */
export const SUBJECTS = 4;

export interface Trial {
  readonly situation: SituationName;
  /** Seed of the draws of the situation. */
  readonly seed: number;
  /** For `commits` and `removal`: the Application. */
  readonly subject: number;
  /** For `commits`: changes in Git, by index. `toggle` removes the object, or adds it if it is absent. */
  readonly commit: readonly { readonly index: number; readonly action: 'change' | 'toggle' }[];
  /** For `commits`: edits of live objects at the same time, by index. */
  readonly handEdits: readonly { readonly index: number; readonly action: 'change' | 'delete' | 'unlabel' }[];
  /** For `commits`: whether an immutable object changes too, which the agent has to delete and create again. */
  readonly isRecreation?: boolean;
  readonly api?: ApiFault;
  readonly git?: GitFault;
  readonly kill?: { readonly point: FaultPoint; readonly count: number };
  /** Whether another agent keeps running beside the one that is killed. */
  readonly isPaired: boolean;
}

/** The findings of a trial, as text for people. All lists are empty if the agent kept its promises. */
export interface Verdict {
  /** Whether the expected end was reached within the time limit. */
  readonly isConverged: boolean;
  /** Objects that were deleted although Git desired them all the time, or although a confirmation was missing. */
  readonly unintendedDeletes: readonly string[];
  /** Objects from Git that are left although no Application desires them. */
  readonly orphans: readonly string[];
  /** Jobs of which more than one was created for a manifest. */
  readonly jobsRunTwice: readonly string[];
  /** Statuses that said something else than Git and the API server. */
  readonly untrueStatus: readonly string[];
  /** Differences from the expected end. */
  readonly findings: readonly string[];
}

export interface TrialResult extends Verdict {
  /** Whether an agent reached the point of the trial's kill and died there. */
  readonly wasKilled: boolean;
}

/** Trials of one key use the same Applications, so only one of them can run at a time. */
export function groundOf({ situation, subject }: Trial): string {
  const isOfSubject = situation === 'commits' || situation === 'removal';
  return isOfSubject ? `ordeal-${subject % SUBJECTS}` : situation;
}

const FAR_TARGETS: ReadonlySet<string> = new Set(['watch', 'list', 'anything']);

/**
 * Whether the trial's outcome depends on what one agent hears in time: two specs count as edited together only if the
 * second edit arrives seconds after the first, and a lagging mirror is recognized by one agent's polls.
 */
function needsSteadyNews({ situation }: Trial): boolean {
  return situation === 'specs' || situation === 'lag';
}

function disturbsNews({ api, kill, isPaired }: Trial): boolean {
  return FAR_TARGETS.has(api?.target ?? '') || (kill !== undefined && isPaired);
}

/** Whether two trials can run at the same time against the same agents. */
export function areCompatible(one: Trial, other: Trial): boolean {
  if (groundOf(one) === groundOf(other) || (one.kill && other.kill)) return false;
  return !(needsSteadyNews(one) && disturbsNews(other)) && !(needsSteadyNews(other) && disturbsNews(one));
}

/** The trial without the faults that its own situation excludes. */
export function withoutExcluded(trial: Trial): Trial {
  if (!needsSteadyNews(trial) || !disturbsNews(trial)) return trial;
  const { api, ...rest } = trial;
  return { ...rest, ...(api && !FAR_TARGETS.has(api.target) ? { api } : {}), isPaired: false };
}

/** Puts trials together that can run at the same time, at most `width` of them. Keeps the order as far as possible. */
export function batchesOf(trials: readonly Trial[], width: number): Trial[][] {
  const left = [...trials];
  const batches: Trial[][] = [];
  while (left.length > 0) {
    const batch: Trial[] = [];
    for (let at = 0; at < left.length && batch.length < width;) {
      const candidate = left[at] as Trial;
      if (batch.every((trial) => areCompatible(trial, candidate))) batch.push(...left.splice(at, 1));
      else at++;
    }
    batches.push(batch);
  }
  return batches;
}
