/**
 * The objects of one kind as one identity sees them, kept up to date by the watches that cover them.
 *
 * Invariant: an object counts as absent only after a GET or DELETE by name has shown it, and the echo of our own write
 * is not reported as a change.
 */
import type { ObjectId } from '../../object/identity.ts';
import { createCoverage, type Coverage, type CoverageOptions, type OnWatchState } from '../watches/coverage.ts';
import type { KindInfo } from '../kinds.ts';
import type { LiveEntry, LiveObject } from '../live.ts';
import { toLiveObject } from '../live-object.ts';
import { createHeldNames, type HeldNames } from './held-names.ts';
import { createLiveObjects, objectKey, type Bodies, type LiveObjects } from './live-objects.ts';
import type { ClusterClient, LiveStoreEvents } from '../ports.ts';
import type { WriteOutcome } from './recording-client.ts';
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
  /** The memory for the content of objects. Default: without a bound. */
  readonly budget?: Pick<Bodies, 'take' | 'giveBack'>;
  /** A number that is higher than all before it. Default: counted for this kind alone. */
  readonly nextVersion?: () => number;
}

export interface WatchedKind extends Pick<Coverage, 'release' | 'stop' | 'polledFor'> {
  readonly kind: KindInfo;
  /** `held`: the objects that the Application holds, by `objectKey`; undefined: all of these namespaces. */
  keepWatched(application: string, namespaces: ReadonlySet<string>, held?: ReadonlySet<string>): Promise<void>;
  look(id: ObjectId): LiveEntry;
  /** The version of the objects that an Application holds; see LiveStore.versionFor. */
  versionFor(application: string): number | undefined;
  record(id: ObjectId, object: LiveObject | undefined): void;
  /** Delays events on the object until the returned function has recorded the outcome of our write. */
  beginWrite(id: ObjectId): (outcome: WriteOutcome) => void;
}

export function createWatchedKind(options: WatchedKindOptions): WatchedKind {
  const { kind, clock, limits, mayWatchEverywhere, takeWatch, giveWatchBack } = options;
  const { held, objects, versionOf, forget } = createHeldObjects(options);
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
        return other !== namespace && coverage.isOpen(other);
      };
      const sink = createSink({ ...options, namespace, objects, writes, isCoveredElsewhere, onState });
      return startWatch({ ...options, namespace, sink });
    },
    onDropped: (namespace) => objects.dropNamespace(namespace),
  });
  /** In a polled scope a read by name counts for a while; nothing from before the scope was polled counts. */
  const notBeforeMs = (sinceMs: number): number => Math.max(sinceMs, clock.monotonicMs() - limits.pollIntervalMs);
  return {
    kind,
    async keepWatched(application, namespaces, keys) {
      for (const key of held.hold(application, keys)) objects.dropBody(key);
      await coverage.keepWatched(application, namespaces);
      for (const namespace of namespaces) {
        const scope = coverage.scopeOf(namespace);
        // Outdated entries are dropped, so that a newer version among them does not make `put` refuse an answer.
        if (scope?.state === 'polled') objects.dropNamespace(namespace, notBeforeMs(scope.sinceMs));
      }
    },
    release(application) {
      for (const key of held.release(application)) objects.dropBody(key);
      forget(application);
      const isUnused = coverage.release(application);
      if (isUnused) objects.close();
      return isUnused;
    },
    polledFor: (application) => coverage.polledFor(application),
    stop() {
      coverage.stop();
      objects.close();
    },
    look(id) {
      const scope = coverage.scopeOf(kind.isNamespaced ? id.namespace : '');
      if (!scope) return { state: 'unknown', reason: `${kind.kind} is not watched in this namespace` };
      if (scope.state === 'open') {
        return objects.look(id, { unwatchedMs: clock.monotonicMs() - limits.unwatchedReadMs });
      }
      if (scope.state === 'polled') return objects.look(id, { anyMs: notBeforeMs(scope.sinceMs) });
      return { state: 'unknown', reason: scope.reason };
    },
    versionFor: (application) => (coverage.isOpenFor(application) ? versionOf(application) : undefined),
    record(id, object) {
      if (object) objects.put(object);
      else objects.putAbsent(id);
    },
    beginWrite(id) {
      const endWrite = writes.begin(objectKey(id));
      return (outcome) => {
        if (outcome === 'gone') objects.putAbsent(id);
        else if (outcome) objects.put(outcome);
        endWrite();
      };
    },
  };
}

interface HeldObjects extends Pick<Versions, 'versionOf' | 'forget'> {
  readonly held: HeldNames;
  readonly objects: LiveObjects;
}

/** The objects of a kind. A change of one gives the Applications that hold it another version. */
function createHeldObjects({ kind, clock, limits, budget, events, nextVersion }: WatchedKindOptions): HeldObjects {
  const { versionOf, bump, forget } = createVersions(nextVersion);
  const held = createHeldNames({ isClaimed: (key) => events.isClaimed?.(idOfKey(kind, key)) ?? false, onHold: bump });
  const bodies: Bodies = {
    take: (id, bytes) => budget?.take(id, bytes) ?? true,
    giveBack: (id, bytes) => budget?.giveBack(id, bytes),
    isHeld: (key) => held.isHeld(key),
  };
  const objects = createLiveObjects({
    ...{ maxAbsentEntries: limits.maxAbsentEntries, clock, bodies },
    onChange(key) {
      for (const holder of key === undefined ? held.holders() : held.holdersOf(key)) bump(holder);
    },
  });
  return { held, objects, versionOf, forget };
}

interface Versions {
  readonly versionOf: (application: string) => number | undefined;
  readonly bump: (application: string) => void;
  readonly forget: (application: string) => void;
}

/** Counts from 1. */
export function createCounter(): () => number {
  let last = 0;
  return () => ++last;
}

/** A number for each Application, which grows with each change of an object that it holds. */
function createVersions(next: () => number = createCounter()): Versions {
  const versions = new Map<string, number>();
  return {
    versionOf: (application) => versions.get(application),
    bump: (application) => void versions.set(application, next()),
    forget: (application) => void versions.delete(application),
  };
}

/** The object of an `objectKey`. */
function idOfKey({ group, kind }: KindInfo, key: string): ObjectId {
  const slash = key.indexOf('/');
  return { group, kind, namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

interface SinkOptions extends Pick<WatchedKindOptions, 'kind' | 'client' | 'events' | 'onKindNotServed'> {
  readonly namespace: string;
  readonly objects: LiveObjects;
  readonly writes: WritesUnderWay;
  readonly isCoveredElsewhere: (namespace: string) => boolean;
  readonly onState: OnWatchState;
}

/** Takes the lists and events of one watch in. `keepWatched` waits for the first list, which reports no changes. */
function createSink(options: SinkOptions): WatchSink {
  const { kind, events, onKindNotServed, namespace, objects, writes, isCoveredElsewhere, onState } = options;
  /** The keys of the list that is under way. */
  let listedKeys: Set<string> | undefined;
  /** Items of the list that is under way whose version is older than the known one. */
  const olderItems = new Map<string, LiveObject>();
  let isFirst = true;

  function takeIn(object: LiveObject, isOfFirstList: boolean): void {
    const type = objects.put(object);
    if (type === 'older' && listedKeys) olderItems.set(objectKey(object.id), object);
    if (type === 'unchanged' || type === 'older') return;
    const isExpected = isOfFirstList && type === 'added' && !isCoveredElsewhere(object.id.namespace);
    if (!isExpected) events.onChange({ id: object.id, owner: objects.ownerOf(object.id), type });
  }

  return {
    begin(isReset) {
      listedKeys = new Set();
      olderItems.clear();
      if (isReset) objects.voidHistory(namespace);
    },
    upsert(value) {
      const object = toLiveObject(kind, value);
      if (!object) return;
      const key = objectKey(object.id);
      listedKeys?.add(key);
      const isOfFirstList = isFirst;
      writes.whenSettled(key, () => takeIn(object, isOfFirstList));
    },
    headed({ name, namespace: objectNamespace, resourceVersion }, read) {
      const key = objectKey({ namespace: kind.isNamespaced ? objectNamespace : '', name });
      writes.whenSettled(key, () => {
        if (objects.confirm(key, resourceVersion)) return;
        const object = toLiveObject(kind, read());
        if (object) takeIn(object, false);
      });
    },
    deleted(value) {
      const object = toLiveObject(kind, value);
      if (!object) return;
      const key = objectKey(object.id);
      listedKeys?.delete(key);
      // Only a defect of ours can reject here. It must not end the watch: the object stays unseen, and is read by name.
      writes.whenSettled(key, () => void verifyDeletion(object, options).catch(() => {}));
    },
    complete(resourceVersion) {
      const keys = listedKeys ?? new Set<string>();
      listedKeys = undefined;
      isFirst = false;
      for (const [key, object] of olderItems) {
        olderItems.delete(key);
        const type = objects.put(object, resourceVersion);
        if (type === 'unchanged' || type === 'older') continue;
        events.onChange({ id: object.id, owner: objects.ownerOf(object.id), type });
      }
      for (const { id, owner } of objects.keepOnly({ namespace, listedKeys: keys, resourceVersion })) {
        events.onChange({ id, owner, type: 'deleted' });
      }
      onState('open');
    },
    opened: () => onState('open'),
    failed(refusal) {
      if (refusal.code === 'KindNotServed') onKindNotServed();
      onState('failed', refusal);
    },
  };
}

/** A DELETED event also comes when an object only lost its label, so a GET by name decides. */
async function verifyDeletion(
  object: LiveObject,
  { kind, client, events, objects }: Pick<SinkOptions, 'kind' | 'client' | 'events' | 'objects'>,
): Promise<void> {
  const mark = objects.markDeleted(object);
  if (!mark) return;
  const { id } = object;
  const { owner } = mark;
  const read = await client.get(kind, id);
  if (!read.ok) return events.onChange({ id, owner, type: 'deleted' });
  if (read.object) {
    const result = objects.put(read.object);
    if (result === 'added' || result === 'modified') {
      events.onChange({ id, owner: objects.ownerOf(id) ?? owner, type: 'modified' });
    }
  } else if (objects.putAbsent(id, mark)) {
    events.onChange({ id, owner, type: 'deleted' });
  }
}
