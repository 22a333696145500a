/**
 * The objects of one kind as one identity sees them. To save memory each is kept as JSON text with the few fields that
 * are read often; the text is parsed when `body` is read, and what was parsed lives no longer than its readers. The
 * text is kept only of objects that an Application holds, and within a bound on memory: other objects are to be read by
 * name.
 *
 * Invariant: an entry never goes back in time. An event or answer with an older resourceVersion changes nothing, and
 * neither does the 404 of a GET that a later event has overtaken.
 */
import { OWNER_ANNOTATION, PART_OF_LABEL } from '../../object/applyset.ts';
import { annotationsOf, labelsOf, type ObjectId } from '../../object/identity.ts';
import { parseJson, stringifyJson } from '../../object/json.ts';
import type { KubeObject } from '../../object/value.ts';
import type { Clock } from '../../telemetry/ports.ts';
import type { LiveEntry, LiveObject } from '../live.ts';
import { withoutStatusFields } from '../live-object.ts';
import { compareResourceVersions } from '../resource-version.ts';

type Entry = PresentEntry | MissingEntry;

interface MissingEntry {
  readonly state: 'absent' | 'unseen';
  /** The last known version of the object; `0` if there is none. */
  readonly resourceVersion: string;
  readAtMs: number;
}

interface PresentEntry {
  readonly state: 'present';
  readonly id: ObjectId;
  readonly apiVersion: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly deletionTimestamp: string | undefined;
  readonly owner: string | undefined;
  /** It carries our label, so a watch tells about its changes. */
  readonly isWatched: boolean;
  /** undefined: the content is not kept. */
  json: string | undefined;
  /** Memory that the entry has taken from the budget. */
  takenBytes: number;
  /** The cluster's history went back: the next version counts as newer, even with a lower number. */
  isVoid: boolean;
  /** When an event or answer last confirmed it, by the monotonic clock. */
  readAtMs: number;
}

/** The objects whose content is kept, and the memory for it. */
export interface Bodies {
  isHeld(key: string): boolean;
  take(id: ObjectId, bytes: number): boolean;
  giveBack(id: ObjectId, bytes: number): void;
}

const UNBOUNDED: Bodies = { isHeld: () => true, take: () => true, giveBack() {} };

/** Memory of an entry without its content, in bytes. */
const ENTRY_BYTES = 512;

/** `older`: than the known version, so nothing was changed. */
export type PutResult = 'added' | 'modified' | 'unchanged' | 'older';

/** The entry that a DELETED event left behind. While it is still stored, nothing has come in between. */
export interface DeletionMark {
  readonly entry: Entry;
  readonly owner: string | undefined;
}

export interface LiveObjects {
  /** An object that was last confirmed before one of these times counts as unseen. */
  look(id: ObjectId, notBefore?: NotBefore): LiveEntry;
  /**
   * `listedAt`: the resourceVersion of the complete list that holds the object. A known version between the object's
   * and the list's belongs to a void history (a restored etcd), for otherwise the list would hold it; it is replaced.
   */
  put(object: LiveObject, listedAt?: string): PutResult;
  /** Notes that an object, by `objectKey`, is as it is known. False: this version of it is not known as a whole. */
  confirm(key: string, resourceVersion: string): boolean;
  /** A GET by name was answered with 404. With `mark`, it counts only if nothing has come in since the mark. */
  putAbsent(id: ObjectId, mark?: DeletionMark): boolean;
  /** A DELETED event: the object left the watch, so it is unseen. undefined: older than the known version. */
  markDeleted(object: LiveObject): DeletionMark | undefined;
  ownerOf(id: ObjectId): string | undefined;
  /** Drops the content of an object that no Application holds any more. */
  dropBody(key: string): void;
  /** Drops the objects that a complete list at `resourceVersion` does not hold, and returns them. */
  keepOnly(list: { namespace: string; listedKeys: ReadonlySet<string>; resourceVersion: string }): DroppedObject[];
  /** The cluster's history went back: any version of an object may replace the known one. */
  voidHistory(namespace: string): void;
  /** Drops the objects that were last confirmed before `notBeforeMs`; by default all. */
  dropNamespace(namespace: string, notBeforeMs?: number): void;
  /** Drops all objects; none is stored any more. */
  close(): void;
}

/** By the monotonic clock; without a time an object counts, however old it is. */
export interface NotBefore {
  readonly anyMs?: number;
  /** For objects without our label, which no watch tells about. */
  readonly unwatchedMs?: number;
}

export interface DroppedObject {
  readonly id: ObjectId;
  readonly owner: string | undefined;
}

/** The key of an object among those of its kind. */
export function objectKey({ namespace, name }: Pick<ObjectId, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

export interface LiveObjectsOptions {
  /** Proofs of absence that are kept. */
  readonly maxAbsentEntries: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Default: everything is kept. */
  readonly bodies?: Bodies;
  /** Called when `look` may tell something else of an object, by `objectKey`; undefined: of any object. */
  readonly onChange?: (key: string | undefined) => void;
}

export function createLiveObjects(options: LiveObjectsOptions): LiveObjects {
  const { maxAbsentEntries, clock, bodies = UNBOUNDED, onChange = () => {} } = options;
  const entries = createEntries(maxAbsentEntries, bodies, onChange);
  const storage = createStorage(entries, bodies, onChange);

  return {
    look: (id, notBefore) => lookAt(entries.get(objectKey(id)), notBefore, storage.isPartial()),
    put(object, listedAt) {
      const [key, known] = [objectKey(object.id), entries.get(objectKey(object.id))];
      // An object that only lost its label has the resourceVersion of its DELETED event.
      const isFoundAgain = known?.state === 'unseen' && known.resourceVersion === object.resourceVersion;
      const readAtMs = clock.monotonicMs();
      if (!isFoundAgain && !isNewer(known, object.resourceVersion, listedAt)) {
        if (known?.resourceVersion !== object.resourceVersion) return 'older';
        known.readAtMs = readAtMs;
        const isContentMissing = known.state === 'present' && known.json === undefined;
        if (isContentMissing && bodies.isHeld(key)) storage.store(key, object, readAtMs);
        return 'unchanged';
      }
      storage.store(key, object, readAtMs);
      return known?.state === 'present' ? 'modified' : 'added';
    },
    confirm(key, resourceVersion) {
      const known = entries.get(key);
      const isKnown = known?.state === 'present' && !known.isVoid && known.resourceVersion === resourceVersion;
      if (!isKnown || (known.json === undefined && bodies.isHeld(key))) return false;
      known.readAtMs = clock.monotonicMs();
      return true;
    },
    putAbsent(id, mark) {
      const key = objectKey(id);
      const known = entries.get(key);
      if (mark && known !== mark.entry) return false;
      const resourceVersion = known?.resourceVersion ?? '0';
      entries.set(key, { state: 'absent', resourceVersion, readAtMs: clock.monotonicMs() });
      return true;
    },
    markDeleted({ id, resourceVersion }) {
      const key = objectKey(id);
      const known = entries.get(key);
      if (known?.state === 'absent' || !isNewer(known, resourceVersion)) return undefined;
      const entry: Entry = { state: 'unseen', resourceVersion, readAtMs: clock.monotonicMs() };
      entries.set(key, entry);
      return { entry, owner: known?.state === 'present' ? known.owner : undefined };
    },
    ownerOf(id) {
      const entry = entries.get(objectKey(id));
      return entry?.state === 'present' ? entry.owner : undefined;
    },
    dropBody: (key) => storage.dropBody(key),
    keepOnly({ namespace, listedKeys, resourceVersion }) {
      const dropped: DroppedObject[] = [];
      for (const [key, entry] of entries.presentIn(namespace)) {
        if (listedKeys.has(key)) continue;
        // Written after the list was made, so the list cannot hold it.
        if (!entry.isVoid && compareResourceVersions(entry.resourceVersion, resourceVersion) === 1) continue;
        entries.delete(key);
        dropped.push({ id: entry.id, owner: entry.owner });
      }
      return dropped;
    },
    voidHistory(namespace) {
      for (const [, entry] of entries.presentIn(namespace)) entry.isVoid = true;
      entries.deleteMissing();
    },
    dropNamespace(namespace, notBeforeMs = Infinity) {
      for (const [key, { readAtMs }] of entries.all()) {
        if (readAtMs < notBeforeMs && key.startsWith(`${namespace}/`)) entries.delete(key);
      }
    },
    close: () => storage.close(),
  };
}

function lookAt(
  entry: Entry | undefined,
  { anyMs = -Infinity, unwatchedMs = -Infinity }: NotBefore = {},
  isPartial: boolean,
): LiveEntry {
  if (!entry) return isPartial ? { state: 'unseen', isUnread: true } : { state: 'unseen' };
  const isUnwatched = entry.state === 'present' && !entry.isWatched;
  if (entry.readAtMs < (isUnwatched ? Math.max(anyMs, unwatchedMs) : anyMs)) return { state: 'unseen' };
  if (entry.state !== 'present') return { state: entry.state };
  const { json } = entry;
  return json === undefined
    ? { state: 'unseen', isUnread: true }
    : { state: 'present', object: unpack({ ...entry, json }) };
}

interface Storage {
  /** Stores an object, with its content if it is held, within the budget. */
  store(key: string, object: LiveObject, readAtMs: number): void;
  dropBody(key: string): void;
  /** There was no memory for the entry of an object, so an object without an entry may exist. */
  isPartial(): boolean;
  close(): void;
}

function createStorage(entries: Entries, bodies: Bodies, onChange: (key: string | undefined) => void): Storage {
  let isPartial = false;
  let isClosed = false;
  return {
    store(key, object, readAtMs) {
      if (isClosed) return;
      entries.delete(key);
      const json = bodies.isHeld(key) ? jsonOf(object) : undefined;
      const takenBytes = ENTRY_BYTES + Buffer.byteLength(json ?? '');
      if (json !== undefined && bodies.take(object.id, takenBytes)) {
        entries.set(key, pack(object, { readAtMs, json, takenBytes }));
      } else if (bodies.take(object.id, ENTRY_BYTES)) {
        entries.set(key, pack(object, { readAtMs, json: undefined, takenBytes: ENTRY_BYTES }));
      } else {
        isPartial = true;
        onChange(undefined);
      }
    },
    dropBody(key) {
      const entry = entries.get(key);
      if (entry?.state !== 'present' || entry.json === undefined) return;
      bodies.giveBack(entry.id, entry.takenBytes - ENTRY_BYTES);
      entry.json = undefined;
      entry.takenBytes = ENTRY_BYTES;
      onChange(key);
    },
    isPartial: () => isPartial,
    close() {
      isClosed = true;
      for (const [key] of entries.all()) entries.delete(key);
    },
  };
}

/** The text to be kept: that of the API server where nothing of it is left out. */
function jsonOf({ body, json }: LiveObject): string {
  const kept = withoutStatusFields(body);
  return json !== undefined && kept === body ? json : stringifyJson(kept);
}

function isNewer(known: Entry | undefined, resourceVersion: string, listedAt?: string): boolean {
  if (!known || (known.state === 'present' && known.isVoid)) return true;
  if (known.resourceVersion === resourceVersion) return false;
  if (listedAt !== undefined && compareResourceVersions(known.resourceVersion, listedAt) !== 1) return true;
  // Versions that cannot be compared are taken in the order in which they come.
  return compareResourceVersions(resourceVersion, known.resourceVersion) !== -1;
}

interface Entries {
  get(key: string): Entry | undefined;
  set(key: string, entry: Entry): void;
  delete(key: string): void;
  /** Deletes the entries of absent and unseen objects. */
  deleteMissing(): void;
  all(): Iterable<[string, Entry]>;
  /** The present objects of a namespace, or of all namespaces where it is empty. */
  presentIn(namespace: string): Iterable<[string, PresentEntry]>;
}

/** The entries by key, with at most `maxMissing` of absent and unseen objects: the oldest of these is deleted first. */
function createEntries(maxMissing: number, bodies: Pick<Bodies, 'giveBack'>, onChange: (key: string) => void): Entries {
  const entries = new Map<string, Entry>();
  /** In the order in which the entries were set. */
  const missing = new Set<string>();
  const giveBack = (key: string): void => {
    const entry = entries.get(key);
    if (entry?.state === 'present') bodies.giveBack(entry.id, entry.takenBytes);
  };
  return {
    get: (key) => entries.get(key),
    set(key, entry) {
      giveBack(key);
      entries.set(key, entry);
      onChange(key);
      missing.delete(key);
      if (entry.state === 'present') return;
      missing.add(key);
      for (const oldest of missing) {
        if (missing.size <= maxMissing) break;
        missing.delete(oldest);
        entries.delete(oldest);
        onChange(oldest);
      }
    },
    delete(key) {
      giveBack(key);
      entries.delete(key);
      missing.delete(key);
      onChange(key);
    },
    deleteMissing() {
      for (const key of missing) {
        entries.delete(key);
        onChange(key);
      }
      missing.clear();
    },
    all: () => entries,
    *presentIn(namespace) {
      for (const [key, entry] of entries) {
        if (entry.state === 'present' && (namespace === '' || entry.id.namespace === namespace)) yield [key, entry];
      }
    },
  };
}

type Kept = Pick<PresentEntry, 'readAtMs' | 'json' | 'takenBytes'>;

function pack(object: LiveObject, kept: Kept): PresentEntry {
  return {
    state: 'present',
    id: object.id,
    apiVersion: object.apiVersion,
    uid: object.uid,
    resourceVersion: object.resourceVersion,
    deletionTimestamp: object.deletionTimestamp,
    owner: annotationsOf(object.body)[OWNER_ANNOTATION],
    isWatched: labelsOf(object.body)[PART_OF_LABEL] !== undefined,
    isVoid: false,
    ...kept,
  };
}

function unpack(entry: PresentEntry & { readonly json: string }): LiveObject {
  const { id, apiVersion, uid, resourceVersion, deletionTimestamp } = entry;
  let kept: WeakRef<KubeObject> | undefined;
  return {
    id,
    apiVersion,
    uid,
    resourceVersion,
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    get body() {
      const known = kept?.deref();
      if (known) return known;
      const body = parseJson(entry.json) as KubeObject;
      kept = new WeakRef(body);
      return body;
    },
  };
}
