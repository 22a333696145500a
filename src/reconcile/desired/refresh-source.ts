/**
 * The source stage of a pass: polls when a poll is due, fetches when the commit is new, and otherwise answers from
 * memory.
 *
 * Invariant: a failure never takes a snapshot away. The last good one stays, so that drift is healed while Git is down.
 */
import { nextScheduledMs } from '../../application/cron.ts';
import { parseDuration } from '../../application/duration.ts';
import type { ApplicationSpec } from '../../application/schema.ts';
import { StageError } from '../../object/stage-error.ts';
import type { Credential } from '../../source/credential.ts';
import { hearHook, paceAfterPoll, pacedIntervalMs, START_PACE } from '../../source/poll-pace.ts';
import type { ReconcileContext } from '../context.ts';
import type { Signals } from '../memory.ts';
import type { DesiredMemory, SourceMemory } from './memory.ts';

export interface RefreshOptions {
  readonly spec: ApplicationSpec['source'];
  /** The namespace of the Application. */
  readonly tenant: string;
  /** Read only when the source is about to be asked. */
  readonly credential: () => Promise<Credential | undefined>;
  /** Read at the start and at the end of a poll: a signal may arrive while the poll is under way. */
  readonly signals: Readonly<Signals>;
  /** A person asks: poll now, whatever the interval. */
  readonly isForced: boolean;
  readonly signal: AbortSignal;
  readonly context: RefreshContext;
}

export interface RefreshContext extends Pick<ReconcileContext, 'clock' | 'chance'> {
  readonly source: Pick<ReconcileContext['source'], 'poll' | 'fetch'>;
  readonly metrics: Pick<ReconcileContext['metrics'], 'onGitRequest'>;
  readonly settings: Pick<ReconcileContext['settings'], 'pollJitter' | 'minPollBackoffMs' | 'maxPollBackoffMs'>;
}

/** Returns the source as it is remembered from now on. A failed poll or fetch is in its `error`. */
export async function refreshSource(
  memory: Pick<DesiredMemory, 'source'>,
  options: RefreshOptions,
): Promise<SourceMemory> {
  memory.source = await refresh(memory.source, options);
  return memory.source;
}

async function refresh(known: SourceMemory | undefined, options: RefreshOptions): Promise<SourceMemory> {
  const { spec, isForced, signal, context } = options;
  const { hookHeardMs, pollsAsked } = options.signals;
  const key = `${spec.repoURL} ${spec.revision} ${spec.secretRef?.name ?? ''}`;
  const same = known?.key === key ? known : undefined;
  const isAsked = same && (isHookPending(same, hookHeardMs) || pollsAsked > same.pollsAsked);
  const before = isAsked ? sooner(same) : same;
  if (before && !isForced && context.clock.monotonicMs() < before.nextPollMs) return before;
  const begunMs = context.clock.monotonicMs();
  const poll: Poll = { options, hookHeardMs, pollsAsked, begunAtMs: context.clock.now() };
  const calm = before?.pace ?? { ...START_PACE, heardMs: hookHeardMs };
  const alert = hearHook(calm, hookHeardMs);
  try {
    const snapshot = await pollAndFetch({ ...options, known: before?.snapshot }, context);
    const hasMoved = before?.snapshot !== undefined && before.snapshot.commit !== snapshot?.commit;
    const pace = paceAfterPoll(alert, { before: calm, hasMoved, nowMs: context.clock.monotonicMs() });
    const waitMs = jitter(pacedIntervalMs(pace, intervalOf(spec)), context);
    const times = timesAfter(poll, waitMs, context);
    const answered = { begunMs, endedMs: times.polledMs };
    return { key, snapshot, pace, ...times, answered, failures: 0, error: undefined };
  } catch (error) {
    if (signal.aborted) throw error;
    const failures = (before?.failures ?? 0) + 1;
    const waitMs = Math.max(backoffMs(failures, spec, context), requestedMs(error));
    const { snapshot, answered } = before ?? { snapshot: undefined, answered: undefined };
    return { key, snapshot, answered, pace: alert, ...timesAfter(poll, waitMs, context), failures, error };
  }
}

function isHookPending({ pace }: SourceMemory, hookHeardMs: number | undefined): boolean {
  return hookHeardMs !== undefined && hookHeardMs !== pace.heardMs;
}

/** A poll that has ended. */
interface Poll {
  readonly options: Pick<RefreshOptions, 'spec' | 'signals'>;
  /** When the newest webhook had arrived as the poll began. */
  readonly hookHeardMs: number | undefined;
  /** How often other Applications had asked for a poll as it began. */
  readonly pollsAsked: number;
  /** Wall clock, in milliseconds since 1970: schedules are kept by it. */
  readonly begunAtMs: number;
}

function timesAfter(
  { options, hookHeardMs, pollsAsked, begunAtMs }: Poll,
  waitMs: number,
  context: RefreshContext,
): Pick<SourceMemory, 'pollsAsked' | 'polledMs' | 'nextPollMs'> {
  const polledMs = context.clock.monotonicMs();
  // A commit that was pushed after the poll began may not be in its answer.
  const { signals } = options;
  const isAskedMeanwhile = signals.hookHeardMs !== hookHeardMs || signals.pollsAsked !== pollsAsked;
  const latestMs = Math.min(waitMs, scheduledInMs(options.spec, { begunAtMs, waitMs }, context));
  return { pollsAsked, polledMs, nextPollMs: polledMs + (isAskedMeanwhile ? LEAST_BETWEEN_POLLS_MS : latestMs) };
}

function intervalOf({ interval }: ApplicationSpec['source']): number {
  return parseDuration(interval) ?? DEFAULT_INTERVAL_MS;
}

/** For an unreadable interval, which the schema excludes. */
const DEFAULT_INTERVAL_MS = 60_000;

/** Milliseconds until the schedule wants the poll after one that began then; Infinity beyond `waitMs`. */
function scheduledInMs(
  { schedule, timeZone = 'UTC' }: ApplicationSpec['source'],
  { begunAtMs, waitMs }: { begunAtMs: number; waitMs: number },
  { clock }: RefreshContext,
): number {
  if (schedule === undefined) return Infinity;
  const nowMs = clock.now();
  const atMs = nextScheduledMs({ schedule, timeZone, afterMs: begunAtMs, withinMs: nowMs - begunAtMs + waitMs });
  return atMs === undefined ? Infinity : Math.max(0, atMs - nowMs);
}

/** Two replicas of a Git server may disagree: that must not lead to polls without a pause. */
const LEAST_BETWEEN_POLLS_MS = 1_000;

function sooner(source: SourceMemory): SourceMemory {
  return { ...source, nextPollMs: Math.min(source.nextPollMs, source.polledMs + LEAST_BETWEEN_POLLS_MS) };
}

interface FetchOptions extends Pick<RefreshOptions, 'spec' | 'tenant' | 'credential' | 'signal'> {
  readonly known: SourceMemory['snapshot'];
}

async function pollAndFetch(
  { spec, tenant, credential: readCredential, known, signal }: FetchOptions,
  context: RefreshContext,
): Promise<SourceMemory['snapshot']> {
  const { source } = context;
  const credential = await readCredential();
  const resolved = await counted(context, 'poll', () =>
    source.poll({ repoUrl: spec.repoURL, credential, revision: spec.revision, signal }),
  );
  if (known?.id === resolved.id) return { ...known, revision: resolved.revision };
  return counted(context, 'fetch', () => source.fetch({ repoUrl: spec.repoURL, credential, resolved, tenant, signal }));
}

async function counted<T>(context: RefreshContext, operation: 'poll' | 'fetch', run: () => Promise<T>): Promise<T> {
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

function jitter(intervalMs: number, { chance, settings }: RefreshContext): number {
  return intervalMs * (1 - settings.pollJitter + 2 * settings.pollJitter * chance());
}

/** The time that a server has asked to be left alone for, which may be longer than the interval. */
function requestedMs(error: unknown): number {
  const retry = error instanceof StageError ? error.retry : undefined;
  return typeof retry === 'object' ? retry.afterMs : 0;
}

/** Doubles with each failure up to the interval: a short outage is over soon, and a long one costs no more polls. */
function backoffMs(failures: number, spec: ApplicationSpec['source'], context: RefreshContext): number {
  const { minPollBackoffMs, maxPollBackoffMs } = context.settings;
  const limitMs = Math.max(minPollBackoffMs, Math.min(intervalOf(spec), maxPollBackoffMs));
  return jitter(Math.min(limitMs, minPollBackoffMs * 2 ** Math.min(failures - 1, 20)), context);
}
