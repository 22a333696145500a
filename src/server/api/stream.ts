/**
 * The stream of changes, as server-sent events: an Application that has changed, one that is gone, or the advice to
 * read the list again.
 *
 * Invariants: a stream tells only of Applications that its caller may list. Token and rights are looked at again while
 * it is open, and it ends where they are not confirmed. The number of streams is bounded by caller and in all, and a
 * client that does not read is cut off.
 */
import type { Response } from 'express';
import { APPLICATION_GROUP } from '../../object/applyset.ts';
import { PLURAL } from '../../application/keys.ts';
import { refuse } from '../refuse.ts';
import type { Changes } from './changes.ts';
import { visibleNamespaces } from './rights.ts';
import type { Handlers, UserCaller } from './router.ts';
import type { RowStore } from './rows.ts';

export interface StreamOptions {
  readonly rows: RowStore;
  readonly changes: Changes;
  /** Different for each process: positions begin at zero in each. */
  readonly process: string;
  readonly limits?: StreamLimits;
}

export interface StreamLimits {
  readonly maxStreams: number;
  readonly maxOfCaller: number;
  /** Between two looks for changes while a stream is open. */
  readonly lookMs: number;
  /** Between two signs of life, with which token and rights are looked at again. */
  readonly beatMs: number;
  /** Bytes that a client may leave unread. */
  readonly maxUnreadBytes: number;
}

const LIMITS: StreamLimits = {
  maxStreams: 600,
  maxOfCaller: 32,
  lookMs: 1_000,
  beatMs: 15_000,
  maxUnreadBytes: 256 * 1024,
};

const RECONNECT_MS = 1_000;

export function createStreamHandler({
  rows,
  changes,
  process,
  limits = LIMITS,
}: StreamOptions): Pick<Handlers, 'stream'> {
  const open = new Map<string, number>();
  let total = 0;
  let timer: NodeJS.Timeout | undefined;
  const enter = (caller: string): boolean => {
    const own = open.get(caller) ?? 0;
    if (total >= limits.maxStreams || own >= limits.maxOfCaller) return false;
    open.set(caller, own + 1);
    total++;
    // A look that fails is repeated by the next one; requests for the list report its error.
    timer ??= setInterval(() => void rows.read().catch(() => undefined), limits.lookMs).unref();
    return true;
  };
  const leave = (caller: string): void => {
    const own = (open.get(caller) ?? 1) - 1;
    if (own > 0) open.set(caller, own);
    else open.delete(caller);
    if (--total > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  return {
    async stream({ caller, query, request, response }) {
      const asked = query.namespace;
      const visible = asked && (await visibleNamespaces(caller, asked)).namespaces;
      if (visible?.length === 0) return refuse(response, 403, 'you may not list these Applications');
      await rows.read();
      if (response.destroyed) return;
      const { username } = caller.user;
      if (!enter(username)) {
        return refuse(response.set('Retry-After', '10'), 503, 'too many streams are open', 'TooManyStreams');
      }
      response.once('close', () => leave(username));
      begin(response);
      if (request.method === 'HEAD') return void response.end();
      const from = positionOf(request.headers['last-event-id'], process);
      const stream = new Stream({ response, caller, changes, process, limits, namespaces: asked && new Set(asked) });
      stream.start(from);
    },
  };
}

function begin(response: Response): void {
  // The bounds on the time to take an answer are for answers that end.
  (response.locals['leaveTurnstile'] as (() => void) | undefined)?.();
  response.status(200).set({
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store, no-transform',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
}

/** undefined: there is no position of this process. */
function positionOf(id: string | string[] | undefined, process: string): number | undefined {
  const found = /^([0-9a-f]{16})-(\d{1,15})$/.exec(typeof id === 'string' ? id : '');
  return found?.[1] === process ? Number(found[2]) : undefined;
}

interface StreamParts {
  readonly response: Response;
  readonly caller: UserCaller;
  readonly changes: Changes;
  readonly process: string;
  readonly limits: StreamLimits;
  /** undefined: all namespaces. */
  readonly namespaces: ReadonlySet<string> | undefined;
}

class Stream {
  readonly #parts: StreamParts;
  /** By namespace, and by '' for all: whether the caller may list. Forgotten at each sign of life. */
  readonly #rights = new Map<string, boolean>();
  #position = 0;
  #isBusy = false;

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  /** `from`: the position that the client has seen. undefined: it has to read the list. */
  start(from: number | undefined): void {
    const { changes, limits, response } = this.#parts;
    const isKnown = from !== undefined && changes.since(from) !== undefined;
    this.#position = isKnown ? from : changes.last();
    response.write(`retry: ${RECONNECT_MS}\n\n`);
    if (!isKnown) this.#send('reset', '{}', this.#position);
    const stop = changes.listen(() => this.#run(() => this.#tell()));
    const beat = setInterval(() => this.#run(() => this.#beat()), limits.beatMs);
    response.once('close', () => {
      stop();
      clearInterval(beat);
    });
    this.#run(() => this.#tell());
  }

  /** One step at a time. The stream ends where the API server gives no answer; the client learns why if it asks. */
  #run(step: () => Promise<void>): void {
    if (this.#isBusy || !this.#isOpen()) return;
    this.#isBusy = true;
    step()
      .catch(() => this.#parts.response.end())
      .finally(() => {
        this.#isBusy = false;
        if (this.#position < this.#parts.changes.last() && this.#isOpen()) this.#run(() => this.#tell());
      });
  }

  async #tell(): Promise<void> {
    const { changes, namespaces } = this.#parts;
    const news = changes.since(this.#position);
    if (!news) {
      this.#position = changes.last();
      return this.#send('reset', '{}', this.#position);
    }
    const until = changes.last();
    for (const { isRemoved, position, row } of news) {
      const { namespace, name } = row.summary;
      if (namespaces?.has(namespace) === false || !(await this.#may(namespace))) continue;
      if (!this.#isOpen()) return;
      if (isRemoved) this.#send('removed', JSON.stringify({ namespace, name }), position);
      else this.#send('application', row.text, position);
    }
    this.#position = Math.max(this.#position, until);
  }

  async #beat(): Promise<void> {
    const { caller, response } = this.#parts;
    this.#rights.clear();
    if (!(await caller.isStillValid())) return void response.end();
    if (this.#isOpen()) response.write(': beat\n\n');
    this.#cutSlowReader();
  }

  async #may(namespace: string): Promise<boolean> {
    const known = this.#rights.get('') === true ? true : this.#rights.get(namespace);
    if (known !== undefined) return known;
    const { caller } = this.#parts;
    const question = { verb: 'list', group: APPLICATION_GROUP, resource: PLURAL };
    const isEverywhere = this.#rights.get('') ?? (await caller.may(question));
    this.#rights.set('', isEverywhere);
    const isAllowed = isEverywhere || (await caller.may({ ...question, namespace }));
    this.#rights.set(namespace, isAllowed);
    return isAllowed;
  }

  #send(event: string, data: string, position: number): void {
    const { process, response } = this.#parts;
    this.#position = Math.max(this.#position, position);
    response.write(`event: ${event}\nid: ${process}-${position}\ndata: ${data}\n\n`);
    this.#cutSlowReader();
  }

  #cutSlowReader(): void {
    const { limits, response } = this.#parts;
    if (response.writableLength > limits.maxUnreadBytes) response.destroy();
  }

  #isOpen(): boolean {
    const { response } = this.#parts;
    return !response.destroyed && !response.writableEnded;
  }
}
