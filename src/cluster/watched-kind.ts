/**
 * One kind as one identity watches it: its objects, who holds which namespace, and the watches that cover them.
 *
 * Invariant: while a namespace is held, a watch covers it or `look` says why none does. One watch over all namespaces
 * replaces those of single ones as soon as its list is complete, never before.
 */
import type { ObjectId } from '../object/identity.ts';
import { objectKey, createLiveObjects, type LiveObjects } from './live-objects.ts';
import type { ClusterClient, LiveStoreEvents } from './ports.ts';
import type { Refusal } from './answers.ts';
import type { LiveEntry, LiveObject } from './live.ts';
import { toLiveObject } from './live-object.ts';
import { startWatch, type Watch } from './watch.ts';
import type { WatchOptions, WatchSink } from './watch-state.ts';
import { createWritesUnderWay, type WritesUnderWay } from './writes-under-way.ts';

export interface WatchedKindOptions extends Omit<WatchOptions, 'namespace' | 'sink'> {
  readonly client: Pick<ClusterClient, 'get'>;
  readonly events: LiveStoreEvents;
  /** Whether the identity may watch the kind in all namespaces. */
  readonly mayWatchEverywhere: () => Promise<boolean>;
  /** Takes one of the cluster's watches, or false when all are in use. */
  readonly takeWatch: () => boolean;
  readonly giveWatchBack: () => void;
}

export interface WatchedKind {
  /** Resolves once every namespace that is held has listed or failed. */
  hold(holder: string, namespaces: ReadonlySet<string>): Promise<void>;
  /** True when nobody holds the kind any more: it has stopped. */
  release(holder: string): boolean;
  look(id: ObjectId): LiveEntry;
  record(id: ObjectId, object: LiveObject | undefined): void;
  /** Events on the object wait until the function returned has taken in the answer of our write. */
  beginWrite(id: ObjectId): (object: LiveObject | undefined) => void;
  stop(): void;
}

interface Scope {
  readonly namespace: string;
  state: 'listing' | 'live' | 'failed';
  reason: string;
  failedAtMs: number;
  /** Resolves at its first list or failure, and when it is stopped. */
  readonly settled: Promise<void>;
  readonly settle: () => void;
  readonly watch: Watch | undefined;
}

/** A scope that failed is tried again when somebody asks for it, but not more often than so. */
const MIN_RETRY_MS = 2_000;

// One function holds what the watches of a kind share; what a sink does with events is createSink below.
export function createWatchedKind(options: WatchedKindOptions): WatchedKind {
  const { kind, clock, limits } = options;
  const objects = createLiveObjects(limits.maxAbsentEntries);
  const writes = createWritesUnderWay();
  const holders = new Map<string, ReadonlySet<string>>();
  const scopes = new Map<string, Scope>();
  let everywhere: { isAllowed: boolean; askedAtMs: number } | undefined;

  function heldNamespaces(): Set<string> {
    const held = new Set<string>();
    for (const namespaces of holders.values()) for (const namespace of namespaces) held.add(namespace);
    return held;
  }

  /** Which watches there should be: keys of `scopes`. */
  function neededScopes(): Set<string> {
    const held = heldNamespaces();
    if (held.size === 0) return held;
    const isWide = !kind.namespaced || held.has('') || (held.size > 1 && everywhere?.isAllowed === true);
    const keepsWide = scopes.has('') && everywhere?.isAllowed !== false;
    return isWide || keepsWide ? new Set(['']) : held;
  }

  async function decideEverywhere(): Promise<void> {
    const held = heldNamespaces();
    const hasNew = [...held].some((namespace) => !scopes.has(namespace));
    if (!kind.namespaced || held.has('') || held.size < 2 || !hasNew || scopes.has('')) return;
    if (everywhere && clock.monotonicMs() - everywhere.askedAtMs < limits.accessReviewMs) return;
    everywhere = { isAllowed: await options.mayWatchEverywhere(), askedAtMs: clock.monotonicMs() };
  }

  function startScope(namespace: string): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const canWatch = options.takeWatch();
    const scope: Scope = {
      namespace,
      state: canWatch ? 'listing' : 'failed',
      reason: canWatch ? 'its first list is not complete' : 'all watches that the agent may hold are in use',
      failedAtMs: clock.monotonicMs(),
      settled: promise,
      settle: resolve,
      watch: canWatch ? startWatch({ ...options, namespace, sink: sinkOf(namespace, resolve) }) : undefined,
    };
    if (!canWatch) resolve();
    scopes.set(namespace, scope);
  }

  function sinkOf(namespace: string, settle: () => void): WatchSink {
    const isCoveredElsewhere = (objectNamespace: string): boolean => {
      const other = namespace === '' ? objectNamespace : '';
      return other !== namespace && scopes.get(other)?.state === 'live';
    };
    const onState = (state: 'live' | 'failed', refusal?: Refusal): void => {
      const scope = scopes.get(namespace);
      if (scope) {
        scope.state = state;
        scope.reason = refusal?.message ?? '';
        scope.failedAtMs = clock.monotonicMs();
      }
      settle();
      if (refusal?.code === 'Forbidden' && namespace === '' && !heldNamespaces().has('') && kind.namespaced) {
        everywhere = { isAllowed: false, askedAtMs: clock.monotonicMs() };
        void cover();
      }
    };
    return createSink({ ...options, namespace, objects, writes, isCoveredElsewhere, onState });
  }

  function stopScope(scope: Scope): void {
    scope.watch?.stop();
    scope.settle();
    if (scope.watch) options.giveWatchBack();
    scopes.delete(scope.namespace);
  }

  async function cover(): Promise<void> {
    for (;;) {
      await decideEverywhere();
      const needed = neededScopes();
      for (const namespace of needed) if (!scopes.has(namespace)) startScope(namespace);
      await Promise.all([...needed].map((namespace) => scopes.get(namespace)?.settled));
      const isStill = [...neededScopes()].every((namespace) => needed.has(namespace));
      if (isStill) break;
    }
    trim();
  }

  /** Ends watches that nobody needs; a namespace's own only once the one over all of them serves it. */
  function trim(): void {
    const needed = neededScopes();
    const wide = scopes.get('');
    if (needed.has('') && wide?.state !== 'live') return;
    for (const scope of [...scopes.values()]) {
      if (needed.has(scope.namespace)) continue;
      stopScope(scope);
      if (!needed.has('') && scope.namespace !== '') objects.dropNamespace(scope.namespace);
    }
  }

  return {
    async hold(holder, namespaces) {
      holders.set(holder, namespaces);
      for (const scope of [...scopes.values()]) {
        const isDue = clock.monotonicMs() - scope.failedAtMs > MIN_RETRY_MS;
        if (scope.state !== 'failed' || !isDue) continue;
        if (scope.watch) scope.watch.retryNow();
        else stopScope(scope);
      }
      await cover();
    },
    release(holder) {
      holders.delete(holder);
      if (holders.size > 0) trim();
      else for (const scope of [...scopes.values()]) stopScope(scope);
      return holders.size === 0;
    },
    look(id) {
      const scope = scopes.get(kind.namespaced ? id.namespace : '');
      const wide = scopes.get('');
      const best = wide?.state === 'live' ? wide : (scope ?? wide);
      if (!best) return { state: 'unknown', reason: `${kind.kind} is not watched in this namespace` };
      if (best.state !== 'live') return { state: 'unknown', reason: best.reason };
      return objects.look(id);
    },
    record(id, object) {
      if (object) objects.put(object);
      else objects.putAbsent(id);
    },
    beginWrite(id) {
      const end = writes.begin(objectKey(id));
      return (object) => {
        if (object) objects.put(object);
        end();
      };
    },
    stop() {
      holders.clear();
      for (const scope of [...scopes.values()]) stopScope(scope);
    },
  };
}

interface SinkOptions extends Pick<WatchedKindOptions, 'kind' | 'client' | 'events'> {
  readonly namespace: string;
  readonly objects: LiveObjects;
  readonly writes: WritesUnderWay;
  readonly isCoveredElsewhere: (namespace: string) => boolean;
  readonly onState: (state: 'live' | 'failed', refusal?: Refusal) => void;
}

/** What one watch tells the store. The first list wakes nobody: who asked for it is waiting for it. */
function createSink(options: SinkOptions): WatchSink {
  const { kind, client, events, namespace, objects, writes, isCoveredElsewhere, onState } = options;
  let seen: Set<string> | undefined;
  let isFirst = true;

  /** DELETED is told also when an object only lost its label: a GET by name decides. */
  async function verifyDeletion(object: LiveObject): Promise<void> {
    const mark = objects.markDeleted(object);
    if (!mark) return;
    const { id } = object;
    const read = await client.get(kind, id);
    const owner = mark.owner;
    if (!read.ok) return events.onChange({ id, owner, type: 'deleted' });
    if (read.object) {
      if (objects.put(read.object) !== 'unchanged') {
        events.onChange({ id, owner: objects.ownerOf(id) ?? owner, type: 'modified' });
      }
    } else if (objects.putAbsent(id, mark)) {
      events.onChange({ id, owner, type: 'deleted' });
    }
  }

  function takeIn(object: LiveObject, isOfFirstList: boolean): void {
    const type = objects.put(object);
    if (type === 'unchanged') return;
    const isExpected = isOfFirstList && type === 'added' && !isCoveredElsewhere(object.id.namespace);
    if (!isExpected) events.onChange({ id: object.id, owner: objects.ownerOf(object.id), type });
  }

  return {
    begin(isReset) {
      seen = new Set();
      if (isReset) objects.voidHistory(namespace);
    },
    upsert(value) {
      const object = toLiveObject(kind, value);
      if (!object) return;
      const key = objectKey(object.id);
      seen?.add(key);
      const isOfFirstList = isFirst;
      writes.whenSettled(key, () => takeIn(object, isOfFirstList));
    },
    deleted(value) {
      const object = toLiveObject(kind, value);
      if (!object) return;
      const key = objectKey(object.id);
      seen?.delete(key);
      // A rejection would be a fault of ours, and ends no watch: the object stays unseen, and whoever asks reads it.
      writes.whenSettled(key, () => void verifyDeletion(object).catch(() => {}));
    },
    complete(resourceVersion) {
      const listed = seen ?? new Set<string>();
      seen = undefined;
      isFirst = false;
      for (const { id, owner } of objects.keepOnly({ namespace, seen: listed, resourceVersion })) {
        events.onChange({ id, owner, type: 'deleted' });
      }
      onState('live');
    },
    live: () => onState('live'),
    failed: (refusal) => onState('failed', refusal),
  };
}
