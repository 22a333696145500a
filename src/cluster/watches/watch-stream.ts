/**
 * One watch request from its opening to its end: events to the sink, and why it ended.
 *
 * Invariant: a stream that says nothing for too long, or that outlives its own time, is cut; a broken line ends it. So
 * no dead connection looks like a quiet cluster.
 */
import { stringifyJson } from '../../object/json.ts';
import { isMap, numberAt, own, stringAt, valueAt, type Value } from '../../object/value.ts';
import { readAnswer, type Refusal } from '../answers.ts';
import { LineTooLongError, readLines } from '../transport/line-reader.ts';
import { tryParseJson } from '../live-object.ts';
import { collectionPath, query } from '../requests/paths.ts';
import { refusalOf } from '../requests/requests.ts';
import { describeFailure, type HttpAnswer, type StreamAnswer } from '../transport/transport.ts';
import { finishList, type WatchState } from './watch-state.ts';

export type StreamEnd =
  /** The server ended it in its time. */
  | { readonly type: 'ended'; readonly hadEvents: boolean }
  /** The resourceVersion is too old: list anew. */
  | { readonly type: 'expired' }
  /** The server cannot list within a watch: list, then watch. */
  | { readonly type: 'unsupported' }
  /** We cut it: silent, overdue, or opened before a time-out of another request. */
  | { readonly type: 'cut'; readonly reason: 'silent' | 'suspect' }
  | { readonly type: 'refused'; readonly refusal: Refusal; readonly hadStream?: boolean };

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
    else options.sink.live();
    return await readEvents(state, answer.chunks, cutFor);
  } catch (error) {
    // Silence before the list is complete: a server that knows nothing of WatchList and never marks its end.
    if (cut === 'silent' && state.resourceVersion === undefined && hadStream) return { type: 'unsupported' };
    if (cut) return { type: 'cut', reason: cut };
    const text = error instanceof LineTooLongError ? error.message : describeFailure(error, options.transport.server);
    return { type: 'refused', refusal: broken(state, text), hadStream };
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
  const { kind, namespace, labelSelector, identity } = options;
  const from =
    resourceVersion === undefined
      ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
      : { resourceVersion };
  const parameters = { watch: 1, allowWatchBookmarks: true, labelSelector, timeoutSeconds, ...from };
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
      const end = takeEvent(state, tryParseJson(line));
      if (end) return end;
      expectMore();
    }
    if (state.resourceVersion !== undefined) return { type: 'ended', hadEvents };
    return { type: 'refused', refusal: broken(state, 'the watch ended before its list was complete') };
  } finally {
    clearTimeout(timer);
  }
}

/** One event to the sink; an end where the event is one. */
function takeEvent(state: WatchState, event: Value | undefined): StreamEnd | undefined {
  const { sink } = state.options;
  const object = valueAt(event, 'object');
  const type = stringAt(event, 'type');
  if (object === undefined) {
    return { type: 'refused', refusal: broken(state, 'a line of the watch is no event'), hadStream: true };
  }
  if (type === 'ERROR') return readErrorEvent(state, object);
  if (type === 'ADDED' || type === 'MODIFIED') sink.upsert(object);
  else if (type === 'DELETED') sink.deleted(object);
  const resourceVersion = stringAt(object, 'metadata', 'resourceVersion');
  if (state.resourceVersion !== undefined) {
    state.resourceVersion = resourceVersion ?? state.resourceVersion;
    // Objects of the list come in any order: only the bookmark at its end says where the watch stands.
  } else if (type === 'BOOKMARK' && resourceVersion !== undefined && isEndOfInitialEvents(object)) {
    finishList(state, resourceVersion);
    sink.live();
  }
  return undefined;
}

/** An error within a stream of status 200: a Status; 410 comes only so. */
function readErrorEvent(state: WatchState, status: Value): StreamEnd {
  const code = numberAt(status, 'code') ?? 500;
  if (code === 410) return { type: 'expired' };
  const { group, kind } = state.options.kind;
  const refusal = readAnswer({ status: code, text: stringifyJson(status) }, { verb: 'watch', group, kind });
  return { type: 'refused', refusal, hadStream: true };
}

function isEndOfInitialEvents(bookmark: Value): boolean {
  const annotations = valueAt(bookmark, 'metadata', 'annotations');
  return isMap(annotations) && own(annotations, 'k8s.io/initial-events-end') === 'true';
}

function broken({ options }: WatchState, failure: string): Refusal {
  const { group, kind } = options.kind;
  return readAnswer({ status: 0, text: '', failure }, { verb: 'watch', group, kind });
}
