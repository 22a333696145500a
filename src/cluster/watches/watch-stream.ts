/**
 * One watch request from its opening to its end: it hands events to the sink and returns why it ended.
 *
 * Invariant: a stream is cut if it is silent for too long or outlives its own time, and a malformed line ends it, so
 * that no dead connection looks like a quiet cluster. Only the head is read where an event tells a known version.
 */
import { stringifyJson } from '../../object/json.ts';
import { isMap, numberAt, own, stringAt, valueAt, type Value } from '../../object/value.ts';
import { readRefusal, type Refusal } from '../answers.ts';
import { LineTooLongError, readLines } from '../transport/line-reader.ts';
import { tryParseJson } from '../live-object.ts';
import { collectionPath, query } from '../requests/paths.ts';
import { refusalOf } from '../requests/refusal.ts';
import { describeFailure } from '../transport/failures.ts';
import type { HttpAnswer, StreamAnswer } from '../transport/transport.ts';
import { readEventHead } from './event-head.ts';
import { finishList, type WatchState } from './watch-state.ts';

export type StreamEnd =
  /** The server ended it in time. */
  | { readonly type: 'ended'; readonly hadEvents: boolean }
  /** The resourceVersion is too old: list again. */
  | { readonly type: 'expired' }
  /** The server cannot list within a watch: list first, then watch. */
  | { readonly type: 'unsupported' }
  /** We cut it. silent: also if the server did not end it in time; suspect: another request timed out meanwhile. */
  | { readonly type: 'cut'; readonly reason: 'silent' | 'suspect' }
  | { readonly type: 'refused'; readonly refusal: Refusal; readonly hadStream?: boolean };

/** Bytes of a refusal's body that are read. */
const MAX_ERROR_BYTES = 64 * 1024;

export async function readStream(state: WatchState): Promise<StreamEnd> {
  const { options, stopping } = state;
  const { limits } = options;
  const isInitial = state.resourceVersion === undefined;
  const cutting = new AbortController();
  let cut: 'silent' | 'suspect' | undefined;
  const cutFor = (reason: 'silent' | 'suspect'): void => {
    cut ??= reason;
    cutting.abort();
  };
  const timeoutSeconds = Math.max(1, Math.floor(limits.watchTimeoutSeconds * (0.9 + 0.1 * options.chance())));
  const overdue = setTimeout(() => cutFor('silent'), timeoutSeconds * 1000 + limits.watchGraceMs);
  state.cutStream = cutFor;
  let hadStream = false;
  try {
    const signal = AbortSignal.any([stopping.signal, cutting.signal]);
    const answer = await open(state, { timeoutSeconds, signal });
    if (answer.status !== 200) return await refusedOpening(state, answer, isInitial);
    hadStream = true;
    if (isInitial) options.sink.begin(state.isReset);
    else options.sink.opened();
    return await readEvents(state, answer.chunks, cutFor);
  } catch (error) {
    // Silence before the list is complete: the server does not know WatchList, and never marks the list's end.
    if (cut === 'silent' && state.resourceVersion === undefined && hadStream) return { type: 'unsupported' };
    if (cut) return { type: 'cut', reason: cut };
    const text = error instanceof LineTooLongError ? error.message : describeFailure(error, options.transport.server);
    return { type: 'refused', refusal: brokenOff(state, text), hadStream };
  } finally {
    clearTimeout(overdue);
    state.cutStream = () => {};
    cutting.abort();
  }
}

function open(
  state: WatchState,
  { timeoutSeconds, signal }: { timeoutSeconds: number; signal: AbortSignal },
): Promise<StreamAnswer> {
  const { options, resourceVersion } = state;
  const { kind, namespace, labelSelector, fieldSelector, identity } = options;
  const from =
    resourceVersion === undefined
      ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
      : { resourceVersion };
  const parameters = { watch: 1, allowWatchBookmarks: true, labelSelector, fieldSelector, timeoutSeconds, ...from };
  const path = collectionPath(kind, namespace) + query(parameters);
  return options.transport.openStream({ verb: 'watch', method: 'GET', path, identity, category: 'watch' }, signal);
}

async function refusedOpening(state: WatchState, answer: StreamAnswer, isInitial: boolean): Promise<StreamEnd> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.chunks) {
    size += chunk.length;
    if (size > MAX_ERROR_BYTES) break;
    chunks.push(chunk);
  }
  if (answer.status === 410) return { type: 'expired' };
  if (isInitial && (answer.status === 400 || answer.status === 422)) return { type: 'unsupported' };
  const text = Buffer.concat(chunks).toString('utf8');
  const httpAnswer: HttpAnswer = { status: answer.status, headers: answer.headers, text };
  return { type: 'refused', refusal: refusalOf(httpAnswer, 'watch', state.options.kind) };
}

async function readEvents(
  state: WatchState,
  chunks: AsyncIterable<Uint8Array>,
  cutFor: (reason: 'silent') => void,
): Promise<StreamEnd> {
  const { limits } = state.options;
  let hadEvents = false;
  let timer: NodeJS.Timeout | undefined;
  const expectMore = (): void => {
    clearTimeout(timer);
    const silenceMs = state.resourceVersion === undefined ? limits.watchOpenTimeoutMs : limits.watchSilenceMs;
    timer = setTimeout(() => cutFor('silent'), silenceMs);
  };
  expectMore();
  try {
    for await (const line of readLines(chunks, limits.maxWatchLineBytes)) {
      hadEvents = true;
      const end = takeLine(state, line);
      if (end) return end;
      expectMore();
    }
    if (state.resourceVersion !== undefined) return { type: 'ended', hadEvents };
    return { type: 'refused', refusal: brokenOff(state, 'the watch ended before its list was complete') };
  } finally {
    clearTimeout(timer);
  }
}

/** The echo of a write of our own is recognised by its head, and not parsed. */
function takeLine(state: WatchState, line: string): StreamEnd | undefined {
  const { sink } = state.options;
  const head = sink.headed && state.resourceVersion !== undefined ? readEventHead(line) : undefined;
  if (!head) return takeEvent(state, tryParseJson(line));
  let isMalformed = false;
  let isOver = false;
  sink.headed?.(head, () => {
    const object = valueAt(tryParseJson(line), 'object');
    isMalformed = object === undefined;
    // A write on the object was under way, so that the line is read only now.
    if (isMalformed && isOver) state.cutStream('suspect');
    return object;
  });
  isOver = true;
  if (isMalformed) return malformed(state);
  state.resourceVersion = head.resourceVersion;
  return undefined;
}

function malformed(state: WatchState): StreamEnd {
  const refusal = brokenOff(state, 'the watch sent a line that is not a watch event');
  return { type: 'refused', refusal, hadStream: true };
}

/** Hands one event to the sink; returns an end if the event ends the stream. */
function takeEvent(state: WatchState, event: Value | undefined): StreamEnd | undefined {
  const { sink } = state.options;
  const object = valueAt(event, 'object');
  const type = stringAt(event, 'type');
  if (object === undefined) return malformed(state);
  if (type === 'ERROR') return readErrorEvent(state, object);
  if (type === 'ADDED' || type === 'MODIFIED') sink.upsert(object);
  else if (type === 'DELETED') sink.deleted(object);
  const resourceVersion = stringAt(object, 'metadata', 'resourceVersion');
  if (state.resourceVersion !== undefined) {
    state.resourceVersion = resourceVersion ?? state.resourceVersion;
    // Objects of the list come in any order, so only the bookmark at its end tells the list's resourceVersion.
  } else if (type === 'BOOKMARK' && resourceVersion !== undefined && isEndOfInitialEvents(object)) {
    finishList(state, resourceVersion);
    sink.opened();
  }
  return undefined;
}

/** An ERROR event holds a Status. An expired resourceVersion mostly comes as one, with code 410. */
function readErrorEvent(state: WatchState, status: Value): StreamEnd {
  const code = numberAt(status, 'code') ?? 500;
  if (code === 410) return { type: 'expired' };
  const { group, kind } = state.options.kind;
  const refusal = readRefusal({ status: code, text: stringifyJson(status) }, { verb: 'watch', group, kind });
  return { type: 'refused', refusal, hadStream: true };
}

function isEndOfInitialEvents(bookmark: Value): boolean {
  const annotations = valueAt(bookmark, 'metadata', 'annotations');
  return isMap(annotations) && own(annotations, 'k8s.io/initial-events-end') === 'true';
}

function brokenOff({ options }: WatchState, failure: string): Refusal {
  const { group, kind } = options.kind;
  return readRefusal({ status: 0, text: '', failure }, { verb: 'watch', group, kind });
}
