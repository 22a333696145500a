/**
 * A watch that never ends: it lists, watches, and starts over whenever the API server, the network or a time limit ends
 * the stream.
 *
 * Invariant: after a list the sink sees every change of the objects in order, until the next list. Errors go to the
 * sink as a Refusal and are retried for ever; only `stop` ends a watch.
 */
import type { Refusal } from '../answers.ts';
import { checkRevision, listAll } from './watch-list.ts';
import { finishList, type WatchOptions, type WatchSink, type WatchState } from './watch-state.ts';
import { readStream, type StreamEnd } from './watch-stream.ts';

export interface Watch {
  /** Ends the watch; the sink is not called after this. */
  stop(): void;
  /** Ends a backoff at once. */
  retryNow(): void;
}

/** After a stream that lasted longer than this the next failure counts as the first one. */
const GOOD_STREAM_MS = 5_000;

/** Fewer failures in a row are not worth a warning: API servers restart, and proxies cut connections. */
const FAILURES_BEFORE_WARNING = 3;

export function startWatch(options: WatchOptions): Watch {
  const stopping = new AbortController();
  const sink = untilAborted(stopping.signal, options.sink);
  const ownOptions = {
    ...options,
    sink: {
      ...sink,
      opened() {
        noteRecovery(state);
        sink.opened();
      },
    },
  };
  const state: WatchState = {
    options: ownOptions,
    target: ownOptions,
    stopping,
    resourceVersion: undefined,
    isReset: false,
    isInDoubt: false,
    canStreamLists: true,
    failures: 0,
    hasExpired: false,
    lastGoodMs: options.clock.monotonicMs(),
    hasListed: false,
    hasWarned: false,
    wake: () => {},
    cutStream: () => {},
  };
  const removeListener = options.transport.onRecovery((isSuspect) => {
    if (isSuspect) state.cutStream('suspect');
    state.wake();
  });
  void run(state).finally(removeListener);
  return {
    stop() {
      state.stopping.abort();
      state.wake();
    },
    retryNow: () => state.wake(),
  };
}

/** A sink that drops all calls once the signal is aborted, so that a stopped watch never reaches its owner. */
function untilAborted(signal: AbortSignal, sink: WatchSink): WatchSink {
  const unlessAborted =
    <T extends unknown[]>(call: (...args: T) => void) =>
    (...args: T): void => {
      if (!signal.aborted) call(...args);
    };
  return {
    begin: unlessAborted((isReset) => sink.begin(isReset)),
    upsert: unlessAborted((value) => sink.upsert(value)),
    ...(sink.headed ? { headed: unlessAborted((head, read) => sink.headed?.(head, read)) } : {}),
    deleted: unlessAborted((value) => sink.deleted(value)),
    complete: unlessAborted((resourceVersion) => sink.complete(resourceVersion)),
    opened: unlessAborted(() => sink.opened()),
    failed: unlessAborted((refusal) => sink.failed(refusal)),
  };
}

async function run(state: WatchState): Promise<void> {
  const { stopping } = state;
  while (!stopping.signal.aborted) {
    const startedMs = state.options.clock.monotonicMs();
    const end = await runRound(state).catch((error: unknown) => unexpectedEnd(state, error));
    if (stopping.signal.aborted) return;
    const nowMs = state.options.clock.monotonicMs();
    if (end.type === 'ended' || end.type === 'unsupported') {
      if (end.type === 'ended') {
        state.lastGoodMs = nowMs;
        state.hasExpired = false;
      }
      // A server that ends every stream at once counts as failing, so that the watch backs off.
      const isGood = end.type === 'unsupported' || end.hadEvents || nowMs - startedMs > GOOD_STREAM_MS;
      state.failures = isGood ? 0 : state.failures + 1;
    } else {
      noteFailure(state, end, { startedMs, nowMs });
    }
    const delayMs = backoffMs(state, end);
    if (delayMs > 0) await sleep(state, delayMs);
  }
}

/** A defect of ours, such as a kind without a valid path, must end neither the watch nor the process. */
function unexpectedEnd({ options }: WatchState, error: unknown): StreamEnd {
  const reason = error instanceof Error ? error.message : 'unknown';
  options.log.error('unexpected error in a watch, retrying', { kind: options.kind.kind, reason });
  return { type: 'refused', refusal: { code: 'Unavailable', status: 0, message: reason, retry: 'backoff' } };
}

/** One round: check the resourceVersion and list if they are needed, then stream. */
async function runRound(state: WatchState): Promise<StreamEnd> {
  const { target, options } = state;
  if (state.isInDoubt && state.resourceVersion !== undefined) {
    const check = await checkRevision(target, state.resourceVersion);
    if (!check.ok) return { type: 'refused', refusal: check.refusal };
    if (!check.isReached) state.isReset = true;
    state.resourceVersion = undefined;
  }
  state.isInDoubt = false;
  if (state.resourceVersion === undefined && !state.canStreamLists) {
    options.sink.begin(state.isReset);
    const list = await listAll(target, (item) => options.sink.upsert(item));
    if (!list.ok) return { type: 'refused', refusal: list.refusal };
    finishList(state, list.resourceVersion);
  }
  const end = await readStream(state);
  if (end.type === 'unsupported') state.canStreamLists = false;
  if (end.type === 'expired') state.resourceVersion = undefined;
  if (mayHideRestore(end)) state.isInDoubt = true;
  return end;
}

/**
 * Whether the server was out of touch for a moment. Meanwhile its etcd may have been restored from a backup, and may
 * even have passed our resourceVersion again, which then belongs to another history. Only a list shows that.
 */
function mayHideRestore(end: StreamEnd): boolean {
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
  // A resourceVersion that expired during an outage is not a failure; one that expires again and again is.
  const isExpected = end.type === 'expired' && !state.hasExpired;
  state.hasExpired = end.type === 'expired';
  state.failures = isFirst || isExpected ? 1 : state.failures + 1;
  const reason = end.type === 'cut' ? end.reason : end.type === 'expired' ? 'expired' : 'error';
  options.metrics.onWatchRestart({ kind: options.kind.kind, reason });
  const isStale = nowMs - state.lastGoodMs > options.limits.watchStaleMs;
  logFailure(state, { isStale, reason, refusal: end.type === 'refused' ? end.refusal : undefined });
  if (end.type !== 'refused') {
    // Passes wait for the first list, and must not wait for ever if each one breaks off or expires.
    if (!state.hasListed || isStale) options.sink.failed(incomplete(reason));
    return;
  }
  // While the scope is read by name the watch's knowledge is dropped, so it starts over with a list.
  if (end.refusal.code === 'Forbidden') state.resourceVersion = undefined;
  const isTransient = end.refusal.code === 'Unavailable' || end.refusal.code === 'Throttled';
  if (!state.hasListed || !isTransient || isStale) options.sink.failed(end.refusal);
}

function incomplete(reason: string): Refusal {
  const message =
    reason === 'expired'
      ? 'the list of its objects expires before it is complete'
      : `the list of its objects is cut off before it is complete (${reason})`;
  return { code: 'Unavailable', status: 0, message, retry: 'backoff' };
}

/** Logs one warning for each outage; all other failures are logged at level debug. */
function logFailure(
  state: WatchState,
  { isStale, reason, refusal }: { isStale: boolean; reason: string; refusal: Refusal | undefined },
): void {
  const { kind, namespace, log } = state.options;
  const isPersistent = isStale || state.failures >= FAILURES_BEFORE_WARNING;
  const level = isPersistent && !state.hasWarned ? 'warn' : 'debug';
  if (level === 'warn') state.hasWarned = true;
  const fields = { kind: kind.kind, namespace, code: refusal?.code ?? reason, reason: refusal?.message };
  log[level]('watch failed, retrying', fields);
}

function noteRecovery(state: WatchState): void {
  if (!state.hasWarned) return;
  state.hasWarned = false;
  const { kind, namespace, log } = state.options;
  log.info('watch recovered', { kind: kind.kind, namespace });
}

/**
 * Doubles from watchBackoffMs to maxWatchBackoffMs, or to forbiddenWatchRetryMs while the watch is forbidden. Half of
 * it is random, so that many watches are not opened at once.
 */
function backoffMs({ failures, options }: WatchState, end: StreamEnd): number {
  const { limits, chance } = options;
  // The first expired resourceVersion or cut in a row is followed by a new list at once.
  const steps = end.type === 'expired' || end.type === 'cut' ? failures - 1 : failures;
  if (steps <= 0) return 0;
  const isForbidden = end.type === 'refused' && end.refusal.code === 'Forbidden';
  const limitMs = isForbidden ? limits.forbiddenWatchRetryMs : limits.maxWatchBackoffMs;
  const fullMs = Math.min(limitMs, limits.watchBackoffMs * 2 ** Math.min(steps - 1, 20));
  const delayMs = fullMs * (0.5 + 0.5 * chance());
  // Only a 429's Retry-After is obeyed: a server that starts names 5 s and is ready after 1 s.
  const isThrottled = end.type === 'refused' && end.refusal.code === 'Throttled';
  const requestedMs = isThrottled && typeof end.refusal.retry === 'object' ? end.refusal.retry.afterMs : 0;
  return Math.max(delayMs, Math.min(requestedMs, limits.maxWatchBackoffMs));
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
