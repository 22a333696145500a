/**
 * One watch that never ends: list, watch, and start over whenever the API server, the network or time cuts it.
 *
 * Invariant: between two calls of `complete` the sink sees every change of the objects in order, or another list.
 * Errors go to the sink as a Refusal and are retried for ever; only `stop` ends a watch.
 */
import type { Refusal } from '../answers.ts';
import { checkRevision, listAll } from './watch-list.ts';
import { finishList, type WatchOptions, type WatchSink, type WatchState } from './watch-state.ts';
import { readStream, type StreamEnd } from './watch-stream.ts';

export interface Watch {
  stop(): void;
  /** Tries now what it would try after its backoff. */
  retryNow(): void;
}

/** A stream that lasted so long was a good one: the next failure is a first failure. */
const GOOD_STREAM_MS = 5_000;

/** A watch that heals at its first or second try is nobody's concern: API servers restart, and proxies cut. */
const FAILURES_WORTH_A_WARNING = 3;

export function startWatch(options: WatchOptions): Watch {
  const stopping = new AbortController();
  const sink = silenceAfter(stopping.signal, options.sink);
  const heard = {
    ...options,
    sink: {
      ...sink,
      live() {
        noteRecovery(state);
        sink.live();
      },
    },
  };
  const state: WatchState = {
    options: heard,
    target: heard,
    stopping,
    resourceVersion: undefined,
    isReset: false,
    isInDoubt: false,
    streamsLists: true,
    failures: 0,
    hasExpired: false,
    lastGoodMs: options.clock.monotonicMs(),
    hasListed: false,
    hasWarned: false,
    wake: () => {},
    cutStream: () => {},
  };
  const forget = options.transport.onRecovery((isSuspect) => {
    if (isSuspect) state.cutStream('suspect');
    state.wake();
  });
  void run(state).finally(forget);
  return {
    stop() {
      state.stopping.abort();
      state.wake();
    },
    retryNow: () => state.wake(),
  };
}

/** What is still on its way when a watch is stopped must not reach a sink that has let go of it. */
function silenceAfter(signal: AbortSignal, sink: WatchSink): WatchSink {
  const unlessStopped =
    <T extends unknown[]>(call: (...args: T) => void) =>
    (...args: T): void => {
      if (!signal.aborted) call(...args);
    };
  return {
    begin: unlessStopped((isReset) => sink.begin(isReset)),
    upsert: unlessStopped((value) => sink.upsert(value)),
    deleted: unlessStopped((value) => sink.deleted(value)),
    complete: unlessStopped((resourceVersion) => sink.complete(resourceVersion)),
    live: unlessStopped(() => sink.live()),
    failed: unlessStopped((refusal) => sink.failed(refusal)),
  };
}

async function run(state: WatchState): Promise<void> {
  const { stopping } = state;
  while (!stopping.signal.aborted) {
    const startedMs = state.options.clock.monotonicMs();
    const end = await runOnce(state).catch((error: unknown) => unexpected(state, error));
    if (stopping.signal.aborted) return;
    const nowMs = state.options.clock.monotonicMs();
    if (end.type === 'ended' || end.type === 'unsupported') {
      if (end.type === 'ended') {
        state.lastGoodMs = nowMs;
        state.hasExpired = false;
      }
      // A server that ends every stream at once is as good as one that fails.
      const isGood = end.type === 'unsupported' || end.hadEvents || nowMs - startedMs > GOOD_STREAM_MS;
      state.failures = isGood ? 0 : state.failures + 1;
    } else {
      noteFailure(state, end, { startedMs, nowMs });
    }
    const delayMs = backoffMs(state, end);
    if (delayMs > 0) await sleep(state, delayMs);
  }
}

/** A fault of ours, such as a kind that makes no path, must end neither the watch nor the process. */
function unexpected({ options }: WatchState, error: unknown): StreamEnd {
  const reason = error instanceof Error ? error.message : 'unknown';
  options.log.error('a watch met an unexpected error', { kind: options.kind.kind, reason });
  return { type: 'refused', refusal: { code: 'Unavailable', status: 0, message: reason, retry: 'backoff' } };
}

/** One round: check, list, stream, as far as each is called for. */
async function runOnce(state: WatchState): Promise<StreamEnd> {
  const { target, options } = state;
  if (state.isInDoubt && state.resourceVersion !== undefined) {
    const check = await checkRevision(target, state.resourceVersion);
    if (!check.ok) return { type: 'refused', refusal: check.refusal };
    if (!check.isReached) state.isReset = true;
    state.resourceVersion = undefined;
  }
  state.isInDoubt = false;
  if (state.resourceVersion === undefined && !state.streamsLists) {
    options.sink.begin(state.isReset);
    const list = await listAll(target, (item) => options.sink.upsert(item));
    if (!list.ok) return { type: 'refused', refusal: list.refusal };
    finishList(state, list.resourceVersion);
  }
  const end = await readStream(state);
  if (end.type === 'unsupported') state.streamsLists = false;
  if (end.type === 'expired') state.resourceVersion = undefined;
  if (mayBeRestored(end)) state.isInDoubt = true;
  return end;
}

/**
 * Whether nobody heard of the server for a moment. Its etcd may then have been restored from a backup, and may even
 * have written more than was lost since: our resourceVersion is reached, and yet of another history. Only a list tells.
 */
function mayBeRestored(end: StreamEnd): boolean {
  if (end.type === 'cut') return true;
  return end.type === 'refused' && (end.hadStream === true || end.refusal.code === 'Unavailable');
}

function noteFailure(
  state: WatchState,
  end: Exclude<StreamEnd, { type: 'ended' | 'unsupported' }>,
  { startedMs, nowMs }: { startedMs: number; nowMs: number },
): void {
  const { options } = state;
  const wasGood = end.type !== 'refused' || end.hadStream === true;
  if (wasGood) state.lastGoodMs = nowMs;
  const isFirst = wasGood && nowMs - startedMs > GOOD_STREAM_MS;
  // That a revision expired while the server was away is no failure of its own; that lists expire at once is one.
  const isExpected = end.type === 'expired' && !state.hasExpired;
  state.hasExpired = end.type === 'expired';
  state.failures = isFirst || isExpected ? 1 : state.failures + 1;
  const reason = end.type === 'cut' ? end.reason : end.type === 'expired' ? 'expired' : 'error';
  options.metrics.onWatchRestart({ kind: options.kind.kind, reason });
  const isStale = nowMs - state.lastGoodMs > options.limits.watchStaleMs;
  logFailure(state, { isStale, reason, refusal: end.type === 'refused' ? end.refusal : undefined });
  if (end.type !== 'refused') {
    // Passes wait for the first list: one that breaks off or expires each time must not keep them for ever.
    if (!state.hasListed || isStale) options.sink.failed(incomplete(reason));
    return;
  }
  // Whoever reads by name meanwhile keeps nothing of the watch: it starts over with a list.
  if (end.refusal.code === 'Forbidden') state.resourceVersion = undefined;
  const isOut = end.refusal.code !== 'Unavailable' && end.refusal.code !== 'Throttled';
  if (!state.hasListed || isOut || isStale) options.sink.failed(end.refusal);
}

function incomplete(reason: string): Refusal {
  const message = reason === 'expired' ? 'lists expire before they are complete' : `its list breaks off (${reason})`;
  return { code: 'Unavailable', status: 0, message, retry: 'backoff' };
}

/** Warns once until the watch is back. */
function logFailure(
  state: WatchState,
  { isStale, reason, refusal }: { isStale: boolean; reason: string; refusal: Refusal | undefined },
): void {
  const { kind, namespace, log } = state.options;
  const isWorthAWarning = isStale || state.failures >= FAILURES_WORTH_A_WARNING;
  const level = isWorthAWarning && !state.hasWarned ? 'warn' : 'debug';
  if (level === 'warn') state.hasWarned = true;
  const fields = { kind: kind.kind, namespace, code: refusal?.code ?? reason, reason: refusal?.message };
  log[level]('a watch failed and is tried again', fields);
}

function noteRecovery(state: WatchState): void {
  if (!state.hasWarned) return;
  state.hasWarned = false;
  const { kind, namespace, log } = state.options;
  log.info('a watch that failed is back', { kind: kind.kind, namespace });
}

/**
 * Doubles from watchBackoffMs to maxWatchBackoffMs, half of it by chance, so that many watches don't come back at once.
 * A right that is missing is asked for more and more rarely still.
 */
function backoffMs({ failures, options }: WatchState, end: StreamEnd): number {
  const { limits, chance } = options;
  // An expired revision asks for a new list at once; only when lists expire again and again is something wrong.
  const steps = end.type === 'expired' || end.type === 'cut' ? failures - 1 : failures;
  if (steps <= 0) return 0;
  const isForbidden = end.type === 'refused' && end.refusal.code === 'Forbidden';
  const mostMs = isForbidden ? limits.forbiddenWatchRetryMs : limits.maxWatchBackoffMs;
  const fullMs = Math.min(mostMs, limits.watchBackoffMs * 2 ** Math.min(steps - 1, 20));
  const delayMs = fullMs * (0.5 + 0.5 * chance());
  // Obeyed where the server protects itself; a server that starts asks for 5 s and is ready after one.
  const isThrottled = end.type === 'refused' && end.refusal.code === 'Throttled';
  const asked = isThrottled && typeof end.refusal.retry === 'object' ? end.refusal.retry.afterMs : 0;
  return Math.max(delayMs, Math.min(asked, limits.maxWatchBackoffMs));
}

function sleep(state: WatchState, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      state.wake = () => {};
      resolve();
    }
    state.wake = done;
  });
}
