/**
 * The source stage of a pass: polls when it is due, fetches when the commit is new, and else answers from memory.
 *
 * Invariant: a failure never takes a snapshot away: the last good one stays, so that drift is healed while Git is down.
 */
import { nextScheduledMs } from '../../application/cron.ts';
import type { ApplicationSpec } from '../../application/schema.ts';
import { parseDuration } from '../../application/duration.ts';
import type { Credential } from '../../source/credential.ts';
import type { ReconcileContext } from '../context.ts';
import { hearHook, paceAfterPoll, pacedIntervalMs, START_PACE } from '../../source/poll-pace.ts';
import type { ApplicationState, Memory, SourceMemory } from '../memory.ts';

export interface RefreshOptions {
  readonly spec: ApplicationSpec['source'];
  readonly before: SourceMemory | undefined;
  /** Read when something is about to be asked, not before. */
  readonly credential: () => Promise<Credential | undefined>;
  /** Monotonic; when the newest webhook for the source came, which may be while the poll is under way. */
  readonly heardMs: () => number | undefined;
  /** A person asks: poll now, whatever the interval. */
  readonly isForced: boolean;
  readonly signal: AbortSignal;
}

export async function refreshSource(options: RefreshOptions, context: ReconcileContext): Promise<SourceMemory> {
  const { spec, credential, isForced, signal } = options;
  const key = `${spec.repoURL} ${spec.revision} ${spec.secretRef?.name ?? ''}`;
  const heardMs = options.heardMs();
  const known = options.before?.key === key ? options.before : undefined;
  const before = known && isHookAwaited({ heardMs, source: known }) ? sooner(known) : known;
  if (before && !isForced && context.clock.monotonicMs() < before.nextPollMs) return before;
  const poll: Poll = { options, heardMs, begunMs: context.clock.now() };
  const calm = before?.pace ?? { ...START_PACE, heardMs };
  const alert = hearHook(calm, heardMs);
  try {
    const snapshot = await pollAndFetch({ spec, credential, known: before?.snapshot, signal }, context);
    const hasMoved = before?.snapshot !== undefined && before.snapshot.commit !== snapshot?.commit;
    const pace = paceAfterPoll(alert, { before: calm, hasMoved, nowMs: context.clock.monotonicMs() });
    const waitMs = jitter(pacedIntervalMs(pace, intervalOf(spec)), context);
    return { key, snapshot, pace, ...nextPoll(poll, waitMs, context), failures: 0, error: undefined };
  } catch (error) {
    if (signal.aborted) throw error;
    const failures = (before?.failures ?? 0) + 1;
    const waitMs = backoffMs(failures, spec, context);
    return { key, snapshot: before?.snapshot, pace: alert, ...nextPoll(poll, waitMs, context), failures, error };
  }
}

/** A poll that has ended. */
interface Poll {
  readonly options: Pick<RefreshOptions, 'spec' | 'heardMs'>;
  /** When the newest webhook had come as it began. */
  readonly heardMs: number | undefined;
  /** By the clock on the wall, which schedules are kept by. */
  readonly begunMs: number;
}

function nextPoll(
  { options, heardMs, begunMs }: Poll,
  waitMs: number,
  context: ReconcileContext,
): Pick<SourceMemory, 'polledMs' | 'nextPollMs'> {
  const polledMs = context.clock.monotonicMs();
  // What was pushed after the poll began may not be in its answer.
  const isHeardMeanwhile = options.heardMs() !== heardMs;
  const latestMs = Math.min(waitMs, scheduledInMs(options.spec, { begunMs, waitMs }, context));
  return { polledMs, nextPollMs: polledMs + (isHeardMeanwhile ? LEAST_BETWEEN_POLLS_MS : latestMs) };
}

function intervalOf({ interval }: ApplicationSpec['source']): number {
  return parseDuration(interval) ?? DEFAULT_INTERVAL_MS;
}

/** For an interval that nobody can read, which the schema keeps out. */
const DEFAULT_INTERVAL_MS = 60_000;

/** Whether a webhook came that no poll knows of yet. */
export function isHookAwaited({ heardMs, source }: Pick<Memory, 'heardMs' | 'source'>): boolean {
  return heardMs !== undefined && heardMs !== source?.pace.heardMs;
}

/** The time until the schedule wants the poll after one that began then; Infinity beyond what is waited anyway. */
function scheduledInMs(
  { schedule, timeZone = 'UTC' }: ApplicationSpec['source'],
  { begunMs, waitMs }: { begunMs: number; waitMs: number },
  { clock }: ReconcileContext,
): number {
  if (schedule === undefined) return Infinity;
  const nowMs = clock.now();
  const atMs = nextScheduledMs({ schedule, timeZone, afterMs: begunMs, withinMs: nowMs - begunMs + waitMs });
  return atMs === undefined ? Infinity : Math.max(0, atMs - nowMs);
}

/** Two replicas of a Git server may disagree: nobody is sent there all the time since another saw something else. */
const LEAST_BETWEEN_POLLS_MS = 1_000;

/** Another Application of the source has seen another commit: the next pass polls, whatever the interval. */
export function pollSoon({ memory }: ApplicationState): void {
  if (memory.source) memory.source = sooner(memory.source);
}

function sooner(source: SourceMemory): SourceMemory {
  return { ...source, nextPollMs: Math.min(source.nextPollMs, source.polledMs + LEAST_BETWEEN_POLLS_MS) };
}

interface FetchOptions extends Pick<RefreshOptions, 'spec' | 'credential' | 'signal'> {
  readonly known: SourceMemory['snapshot'];
}

async function pollAndFetch(
  { spec, credential: readCredential, known, signal }: FetchOptions,
  context: ReconcileContext,
): Promise<SourceMemory['snapshot']> {
  const { source } = context;
  const credential = await readCredential();
  const resolved = await counted(context, 'poll', () =>
    source.poll({ repoUrl: spec.repoURL, credential, revision: spec.revision, signal }),
  );
  if (known?.id === resolved.id) return { ...known, revision: resolved.revision };
  return counted(context, 'fetch', () => source.fetch({ repoUrl: spec.repoURL, credential, resolved, signal }));
}

async function counted<T>(context: ReconcileContext, operation: 'poll' | 'fetch', run: () => Promise<T>): Promise<T> {
  const startedMs = context.clock.monotonicMs();
  let result: 'success' | 'failure' = 'failure';
  try {
    const answer = await run();
    result = 'success';
    return answer;
  } finally {
    context.metrics.onGitRequest({ operation, result, durationMs: context.clock.monotonicMs() - startedMs });
  }
}

function jitter(intervalMs: number, { chance, settings }: ReconcileContext): number {
  return intervalMs * (1 - settings.pollJitter + 2 * settings.pollJitter * chance());
}

/** Doubles with each failure up to the interval, so that a short outage is over soon and a long one costs no more. */
function backoffMs(failures: number, spec: ApplicationSpec['source'], context: ReconcileContext): number {
  const { minPollBackoffMs, maxPollBackoffMs } = context.settings;
  const limitMs = Math.max(minPollBackoffMs, Math.min(intervalOf(spec), maxPollBackoffMs));
  return jitter(Math.min(limitMs, minPollBackoffMs * 2 ** Math.min(failures - 1, 20)), context);
}
