/**
 * The objects of one kind as one identity sees them, kept small: the JSON text of each and the few fields that are
 * asked for often; the text is parsed when somebody reads `body`.
 *
 * Invariant: what is stored never goes back in time: by resourceVersion, an older event or answer changes nothing, and
 * neither does the 404 of a GET that an event has overtaken.
 */
import { OWNER_ANNOTATION } from '../../object/applyset.ts';
import type { ObjectId } from '../../object/identity.ts';
import { annotationsOf } from '../../object/identity.ts';
import { parseJson, stringifyJson } from '../../object/json.ts';
import type { KubeObject } from '../../object/value.ts';
import type { Clock } from '../../telemetry/ports.ts';
import type { LiveEntry, LiveObject } from '../live.ts';
import { compareResourceVersions, withoutStatusFields } from '../live-object.ts';

type Entry = PresentEntry | LackingEntry;

interface LackingEntry {
  readonly state: 'absent' | 'unseen';
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
  readonly json: string;
  /** The cluster's history went back: whatever comes next is newer. */
  isVoid: boolean;
  /** When it was last heard or read, by the monotonic clock. */
  readAtMs: number;
}

/** `older`: than what is known, so nothing was changed. */
export type Put = 'added' | 'modified' | 'unchanged' | 'older';

/** Stands for "a DELETED event was here": proof that nothing else came in between. */
export type DeletionMark = { readonly key: string; readonly entry: Entry; readonly owner: string | undefined };

export interface LiveObjects {
  /** What was last heard or read before `notBeforeMs` counts as unseen. */
  look(id: ObjectId, notBeforeMs?: number): LiveEntry;
  /**
   * With `listedAt`, the resourceVersion of the complete list that holds the object: what is known in a version between
   * the two is of a history that is void (a restored etcd), since the list would have it.
   */
  put(object: LiveObject, listedAt?: string): Put;
  /** A GET by name found nothing. With `mark`, only if nothing was heard of the object since that mark. */
  putAbsent(id: ObjectId, mark?: DeletionMark): boolean;
  /** A DELETED event: says only that the object left the watch. undefined: older than what is known. */
  markDeleted(object: LiveObject): DeletionMark | undefined;
  ownerOf(id: ObjectId): string | undefined;
  /** Forgets what a complete list at `resourceVersion` did not name; returns what was forgotten. */
  keepOnly(list: { namespace: string; seen: ReadonlySet<string>; resourceVersion: string }): Forgotten[];
  voidHistory(namespace: string): void;
  /** Forgets what was last heard or read before `notBeforeMs`; all by default. */
  dropNamespace(namespace: string, notBeforeMs?: number): void;
}

export interface Forgotten {
  readonly id: ObjectId;
  readonly owner: string | undefined;
}

export function objectKey({ namespace, name }: Pick<ObjectId, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

export interface LiveObjectsOptions {
  /** Proofs of absence kept. */
  readonly maxAbsentEntries: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

export function createLiveObjects({ maxAbsentEntries, clock }: LiveObjectsOptions): LiveObjects {
  const entries = new Map<string, Entry>();
  /** In the order in which absence was proven. */
  const absent = new Set<string>();

  function store(key: string, entry: Entry): void {
    entries.set(key, entry);
    absent.delete(key);
    if (entry.state === 'present') return;
    absent.add(key);
    for (const oldest of absent) {
      if (absent.size <= maxAbsentEntries) break;
      absent.delete(oldest);
      entries.delete(oldest);
    }
  }

  function isNewer(known: Entry | undefined, resourceVersion: string, listedAt?: string): boolean {
    if (!known || (known.state === 'present' && known.isVoid)) return true;
    if (known.resourceVersion === resourceVersion) return false;
    if (listedAt !== undefined && compareResourceVersions(known.resourceVersion, listedAt) !== 1) return true;
    // Where the two cannot be compared, what comes last counts.
    return compareResourceVersions(resourceVersion, known.resourceVersion) !== -1;
  }

  function* presentIn(namespace: string): Generator<[string, PresentEntry]> {
    for (const [key, entry] of entries) {
      if (entry.state === 'present' && (namespace === '' || entry.id.namespace === namespace)) yield [key, entry];
    }
  }

  return {
    look(id, notBeforeMs = -Infinity) {
      const entry = entries.get(objectKey(id));
      if (entry && entry.readAtMs < notBeforeMs) return { state: 'unseen' };
      if (entry?.state === 'present') return { state: 'present', object: unpack(entry) };
      return { state: entry?.state ?? 'unseen' };
    },
    put(object, listedAt) {
      const key = objectKey(object.id);
      const known = entries.get(key);
      // An object that only lost its label has the very resourceVersion of its DELETED event.
      const isBack = known?.state === 'unseen' && known.resourceVersion === object.resourceVersion;
      const readAtMs = clock.monotonicMs();
      if (!isBack && !isNewer(known, object.resourceVersion, listedAt)) {
        if (known?.resourceVersion !== object.resourceVersion) return 'older';
        known.readAtMs = readAtMs;
        return 'unchanged';
      }
      store(key, pack(object, readAtMs));
      return known?.state === 'present' ? 'modified' : 'added';
    },
    putAbsent(id, mark) {
      const key = objectKey(id);
      const known = entries.get(key);
      if (mark && known !== mark.entry) return false;
      const resourceVersion = known?.resourceVersion ?? '0';
      store(key, { state: 'absent', resourceVersion, readAtMs: clock.monotonicMs() });
      return true;
    },
    markDeleted({ id, resourceVersion }) {
      const key = objectKey(id);
      const known = entries.get(key);
      if (known?.state === 'absent' || !isNewer(known, resourceVersion)) return undefined;
      const entry: Entry = { state: 'unseen', resourceVersion, readAtMs: clock.monotonicMs() };
      store(key, entry);
      return { key, entry, owner: known?.state === 'present' ? known.owner : undefined };
    },
    ownerOf(id) {
      const entry = entries.get(objectKey(id));
      return entry?.state === 'present' ? entry.owner : undefined;
    },
    keepOnly({ namespace, seen, resourceVersion }) {
      const forgotten: Forgotten[] = [];
      for (const [key, entry] of presentIn(namespace)) {
        if (seen.has(key)) continue;
        // Written after the list was made: the list could not know it.
        if (!entry.isVoid && compareResourceVersions(entry.resourceVersion, resourceVersion) === 1) continue;
        entries.delete(key);
        forgotten.push({ id: entry.id, owner: entry.owner });
      }
      return forgotten;
    },
    voidHistory(namespace) {
      for (const [, entry] of presentIn(namespace)) entry.isVoid = true;
      for (const key of absent) entries.delete(key);
      absent.clear();
    },
    dropNamespace(namespace, notBeforeMs = Infinity) {
      for (const [key, { readAtMs }] of entries) {
        if (readAtMs >= notBeforeMs || !key.startsWith(`${namespace}/`)) continue;
        entries.delete(key);
        absent.delete(key);
      }
    },
  };
}

function pack(object: LiveObject, readAtMs: number): PresentEntry {
  return {
    state: 'present',
    id: object.id,
    apiVersion: object.apiVersion,
    uid: object.uid,
    resourceVersion: object.resourceVersion,
    deletionTimestamp: object.deletionTimestamp,
    owner: annotationsOf(object.body)[OWNER_ANNOTATION],
    json: stringifyJson(withoutStatusFields(object.body)),
    isVoid: false,
    readAtMs,
  };
}

function unpack(entry: PresentEntry): LiveObject {
  const { id, apiVersion, uid, resourceVersion, deletionTimestamp } = entry;
  let body: KubeObject | undefined;
  return {
    id,
    apiVersion,
    uid,
    resourceVersion,
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    get body() {
      return (body ??= parseJson(entry.json) as KubeObject);
    },
  };
}
