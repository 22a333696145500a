/**
 * One kind as one identity sees it: its objects, and what the watches that cover them tell.
 *
 * Invariant: an object counts as gone only after a GET or DELETE by name has said so; the echo of our own write wakes
 * nobody.
 */
import type { ObjectId } from '../../object/identity.ts';
import { createCoverage, type Coverage, type CoverageOptions, type OnState } from '../watches/coverage.ts';
import type { KindInfo } from '../kinds.ts';
import type { LiveEntry, LiveObject } from '../live.ts';
import { toLiveObject } from '../live-object.ts';
import { createLiveObjects, objectKey, type LiveObjects } from './live-objects.ts';
import type { ClusterClient, LiveStoreEvents } from '../ports.ts';
import type { Written } from './recording-client.ts';
import { startWatch } from '../watches/watch.ts';
import type { WatchOptions, WatchSink } from '../watches/watch-state.ts';
import { createWritesUnderWay, type WritesUnderWay } from './writes-under-way.ts';

export interface WatchedKindOptions
  extends
    Omit<WatchOptions, 'namespace' | 'sink'>,
    Pick<CoverageOptions, 'mayWatchEverywhere' | 'takeWatch' | 'giveWatchBack'> {
  readonly client: Pick<ClusterClient, 'get'>;
  readonly events: LiveStoreEvents;
  readonly onKindNotServed: () => void;
}

export interface WatchedKind extends Pick<Coverage, 'hold' | 'release' | 'stop' | 'polledFor'> {
  readonly kind: KindInfo;
  look(id: ObjectId): LiveEntry;
  record(id: ObjectId, object: LiveObject | undefined): void;
  /** Events on the object wait until the function returned has taken in the answer of our write. */
  beginWrite(id: ObjectId): (written: Written) => void;
}

export function createWatchedKind(options: WatchedKindOptions): WatchedKind {
  const { kind, clock, limits, mayWatchEverywhere, takeWatch, giveWatchBack } = options;
  const objects = createLiveObjects({ maxAbsentEntries: limits.maxAbsentEntries, clock });
  const writes = createWritesUnderWay();
  const coverage: Coverage = createCoverage({
    kind,
    clock,
    limits,
    mayWatchEverywhere,
    takeWatch,
    giveWatchBack,
    startWatch(namespace, onState) {
      const isCoveredElsewhere = (objectNamespace: string): boolean => {
        const other = namespace === '' ? objectNamespace : '';
        return other !== namespace && coverage.isLive(other);
      };
      const sink = createSink({ ...options, namespace, objects, writes, isCoveredElsewhere, onState });
      return startWatch({ ...options, namespace, sink });
    },
    onDropped: (namespace) => objects.dropNamespace(namespace),
  });
  /** Where nothing may be watched, what was read by name holds for a while; what a watch once told doesn't. */
  const notBeforeMs = (sinceMs: number): number => Math.max(sinceMs, clock.monotonicMs() - limits.pollIntervalMs);
  return {
    kind,
    async hold(holder, namespaces) {
      await coverage.hold(holder, namespaces);
      for (const namespace of namespaces) {
        const scope = coverage.scopeOf(namespace);
        // So that an answer is never held back by something newer that is not true any more.
        if (scope?.state === 'polled') objects.dropNamespace(namespace, notBeforeMs(scope.sinceMs));
      }
    },
    release: (holder) => coverage.release(holder),
    polledFor: (holder) => coverage.polledFor(holder),
    stop: () => coverage.stop(),
    look(id) {
      const scope = coverage.scopeOf(kind.namespaced ? id.namespace : '');
      if (!scope) return { state: 'unknown', reason: `${kind.kind} is not watched in this namespace` };
      if (scope.state === 'live') return objects.look(id);
      if (scope.state === 'polled') return objects.look(id, notBeforeMs(scope.sinceMs));
      return { state: 'unknown', reason: scope.reason };
    },
    record(id, object) {
      if (object) objects.put(object);
      else objects.putAbsent(id);
    },
    beginWrite(id) {
      const end = writes.begin(objectKey(id));
      return (written) => {
        if (written === 'gone') objects.putAbsent(id);
        else if (written) objects.put(written);
        end();
      };
    },
  };
}

interface SinkOptions extends Pick<WatchedKindOptions, 'kind' | 'client' | 'events' | 'onKindNotServed'> {
  readonly namespace: string;
  readonly objects: LiveObjects;
  readonly writes: WritesUnderWay;
  readonly isCoveredElsewhere: (namespace: string) => boolean;
  readonly onState: OnState;
}

/** What one watch tells the store. The first list wakes nobody: who asked for it is waiting for it. */
function createSink(options: SinkOptions): WatchSink {
  const { kind, client, events, onKindNotServed, namespace, objects, writes, isCoveredElsewhere, onState } = options;
  let seen: Set<string> | undefined;
  /** Of the list that is under way: items that are older than what is known. */
  const older = new Map<string, LiveObject>();
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
      const put = objects.put(read.object);
      if (put === 'added' || put === 'modified') {
        events.onChange({ id, owner: objects.ownerOf(id) ?? owner, type: 'modified' });
      }
    } else if (objects.putAbsent(id, mark)) {
      events.onChange({ id, owner, type: 'deleted' });
    }
  }

  function takeIn(object: LiveObject, isOfFirstList: boolean): void {
    const type = objects.put(object);
    if (type === 'older' && seen) older.set(objectKey(object.id), object);
    if (type === 'unchanged' || type === 'older') return;
    const isExpected = isOfFirstList && type === 'added' && !isCoveredElsewhere(object.id.namespace);
    if (!isExpected) events.onChange({ id: object.id, owner: objects.ownerOf(object.id), type });
  }

  return {
    begin(isReset) {
      seen = new Set();
      older.clear();
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
      for (const [key, object] of older) {
        older.delete(key);
        const type = objects.put(object, resourceVersion);
        if (type === 'unchanged' || type === 'older') continue;
        events.onChange({ id: object.id, owner: objects.ownerOf(object.id), type });
      }
      for (const { id, owner } of objects.keepOnly({ namespace, seen: listed, resourceVersion })) {
        events.onChange({ id, owner, type: 'deleted' });
      }
      onState('live');
    },
    live: () => onState('live'),
    failed(refusal) {
      if (refusal.code === 'KindNotServed') onKindNotServed();
      onState('failed', refusal);
    },
  };
}
