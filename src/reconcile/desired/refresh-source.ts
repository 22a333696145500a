/**
 * The source stage of a pass: polls when a poll is due, fetches when the commit is new, and otherwise answers from
 * memory.
 *
 * Invariants: a failure never takes a snapshot away. The last good one stays, also over a restart of the agent, so that
 * drift is healed while Git is down. An older commit replaces a newer one only if polls agree on it (follow-poll.ts).
 * A poll that began before a person, a webhook or another Application asked is no answer to them. A commit in status
 * that this process has never seen is from another agent, which may know of a newer one: it is polled for before
 * anything is healed by an older one.
 */
import { nextScheduledMs } from '../../application/cron.ts';
import { parseDuration } from '../../application/duration.ts';
import type { ApplicationSpec } from '../../application/schema.ts';
import { StageError } from '../../object/stage-error.ts';
import type { Credential } from '../../source/credential.ts';
import type { SourcePlace } from '../../source/ports.ts';
import {
  doubtHooks,
  hearHook,
  isLengthened,
  paceAfterPoll,
  pacedIntervalMs,
  START_PACE,
} from '../../source/poll-pace.ts';
import type { ReconcileContext } from '../context.ts';
import type { Signals } from '../memory.ts';
import { doubtWaitMs } from './follow-poll.ts';
import { NOTHING_FOLLOWED, type DesiredMemory, type SourceMemory } from './memory.ts';
import { pollAndFetch } from './poll-and-fetch.ts';
import { orNothing, recallSource, type KnownFromStatus } from './recall-source.ts';
import { readPlace, type PlaceReaders } from './source-place.ts';

/** `spec.source`, or another source with its times. */
export type SourceSpec = ApplicationSpec['source'] & Pick<SourcePlace, 'lfsObject'>;

export interface RefreshOptions {
  readonly spec: SourceSpec;
  /** The namespace of the Application. */
  readonly tenant: string;
  /** Read only when the source is about to be asked. */
  readonly credential: () => Promise<Credential | undefined>;
  readonly verification: PlaceReaders['verification'];
  /** Completes the error of a failed poll. Default: it is kept as it is. */
  readonly explain?: (error: unknown) => Promise<unknown>;
  /** Read at the start and at the end of a poll: a signal may arrive while the poll is under way. */
  readonly signals: Readonly<Signals>;
  /** A person asks: poll now, whatever the interval. */
  readonly isForced: boolean;
  /** The revision is a commit that a request names, and not that of the spec. */
  readonly isPinned?: boolean;
  /** The key in `DesiredMemory.others` of another source than `spec.source`. */
  readonly other?: string;
  /** The polls of an earlier process, as status tells of them. undefined: it does not. */
  readonly known?: KnownFromStatus | undefined;
  readonly signal: AbortSignal;
  readonly context: RefreshContext;
}

export interface RefreshContext extends Pick<ReconcileContext, 'clock' | 'chance'> {
  readonly source: Pick<ReconcileContext['source'], 'poll' | 'fetch' | 'recall'>;
  readonly metrics: Pick<ReconcileContext['metrics'], 'onGitRequest'>;
  readonly settings: Pick<ReconcileContext['settings'], 'pollJitter' | 'minPollBackoffMs' | 'maxPollBackoffMs'>;
}

/** Returns the source as it is remembered from now on. A failed poll or fetch is in its `error`. */
export async function refreshSource(
  memory: Pick<DesiredMemory, 'source' | 'pinned' | 'others'>,
  options: RefreshOptions,
): Promise<SourceMemory> {
  const { other } = options;
  const slot = options.isPinned ? 'pinned' : 'source';
  const before = other === undefined ? memory[slot] : memory.others.get(other);
  let reading: ReturnType<RefreshOptions['credential']> | undefined;
  let keys: ReturnType<RefreshOptions['verification']> | undefined;
  // The Secrets are read once, for the disk and for the poll.
  const once = {
    ...options,
    credential: () => (reading ??= options.credential()),
    verification: () => (keys ??= options.verification()),
  };
  const remembered = before ?? (await recallSource({ ...once, key: keyOf(options.spec) }));
  const source = await refresh(remembered, once);
  if (other === undefined) memory[slot] = source;
  else memory.others.set(other, source);
  return source;
}

/**
 * Another credential shows the same commits, so it is not part of the key. Another demand for signatures is: a commit
 * that was read without it may lack them.
 */
function keyOf({ repoURL, chart, revision, verify }: ApplicationSpec['source']): string {
  const signed = verify && [verify.provider ?? verify.mode ?? '', verify.secretRef.name];
  return [repoURL, ...(chart === undefined ? [] : [chart]), revision, ...(signed ?? [])].join(' ');
}

async function refresh(known: SourceMemory | undefined, options: RefreshOptions): Promise<SourceMemory> {
  const { spec, isForced, signal, context } = options;
  const { hookHeardMs, pollsAsked } = options.signals;
  const key = keyOf(spec);
  const same = known?.key === key ? withoutDoubtfulHooks(known, options) : undefined;
  const isAsked = same && (isHookPending(same, hookHeardMs) || pollsAsked > same.pollsAsked);
  const kept = isAsked ? sooner(same) : same;
  if (kept && !isForced && !isTold(kept, options) && context.clock.monotonicMs() < kept.nextPollMs) return kept;
  const before = await withoutUnverified(kept, options);
  const begunMs = context.clock.monotonicMs();
  const told = options.known?.resolved.commit;
  const poll: Poll = { options, hookHeardMs, pollsAsked, begunAtMs: context.clock.now() };
  const calm = before?.pace ?? { ...START_PACE, heardMs: hookHeardMs };
  const alert = hearHook(calm, hookHeardMs);
  try {
    const polled = await pollAndFetch(options, before);
    const { snapshot, following } = polled;
    const hasMoved = before?.snapshot !== undefined && before.snapshot.commit !== snapshot.commit;
    const pace = paceAfterPoll(alert, { before: calm, hasMoved, nowMs: context.clock.monotonicMs() });
    const waitMs = following.doubt ? doubtWaitMs(following) : jitter(pacedIntervalMs(pace, intervalOf(spec)), context);
    const times = timesAfter(poll, waitMs, context);
    // A poll that is not followed says nothing about the time until which its commit was the newest.
    const answered = following.doubt ? before?.answered : { begunMs, endedMs: times.polledMs };
    return { key, snapshot, following, pace, ...times, answered, told, ...SUCCEEDED };
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    const error = await explained(thrown, options);
    const failures = (before?.failures ?? 0) + 1;
    const waitMs = Math.max(backoffMs(failures, spec, context), requestedMs(error));
    return { ...keptOf(known, before), key, pace: alert, ...timesAfter(poll, waitMs, context), told, failures, error };
  }
}

/** A snapshot is not rendered any more if the present keys do not verify it. Costs no request to Git. */
async function withoutUnverified<T extends SourceMemory | undefined>(
  source: T,
  options: RefreshOptions,
): Promise<T | SourceMemory> {
  const snapshot = source?.snapshot;
  if (!options.spec.verify || !snapshot || source.isOfEarlierSpec) return source;
  // While the keys cannot be read, those that verified the snapshot are in force.
  const place = await orNothing(() => readPlace(options));
  if (!place) return source;
  const { recall } = options.context.source;
  const tenant = options.tenant;
  const verified = await orNothing(() => recall({ ...place, tenant, resolved: snapshot, signal: options.signal }));
  return verified ? source : { ...source, isOfEarlierSpec: true };
}

async function explained(error: unknown, { explain }: RefreshOptions): Promise<unknown> {
  return explain ? explain(error) : error;
}

const SUCCEEDED = { isOfEarlierSpec: false, failures: 0, error: undefined } as const;

type Kept = Pick<SourceMemory, 'snapshot' | 'isOfEarlierSpec' | 'following' | 'answered'>;

/** The part of the memory that a failed poll leaves as it is. */
function keptOf(known: SourceMemory | undefined, before: SourceMemory | undefined): Kept {
  if (before) {
    const { snapshot, isOfEarlierSpec, following, answered } = before;
    return { snapshot, isOfEarlierSpec, following, answered };
  }
  const snapshot = known?.snapshot;
  return { snapshot, isOfEarlierSpec: snapshot !== undefined, following: NOTHING_FOLLOWED, answered: undefined };
}

/** After webhooks were refused that may have been genuine, the next poll is no later than the interval of the spec. */
function withoutDoubtfulHooks(source: SourceMemory, { spec, signals }: RefreshOptions): SourceMemory {
  const { hooksDoubtedMs } = signals;
  if (hooksDoubtedMs === undefined || hooksDoubtedMs < source.polledMs || !isLengthened(source.pace)) return source;
  const nextPollMs = Math.min(source.nextPollMs, source.polledMs + intervalOf(spec));
  return { ...source, nextPollMs, pace: doubtHooks(source.pace) };
}

/** Whether status names a commit that this process has neither followed nor polled for. */
function isTold({ snapshot, following, told }: SourceMemory, { known }: RefreshOptions): boolean {
  const commit = known?.resolved.commit;
  if (commit === undefined || !snapshot || commit === told) return false;
  return commit !== snapshot.commit && !following.seen.includes(commit);
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
