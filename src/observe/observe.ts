/**
 * The live objects of a pass: from the watches, and by a GET only where a watch cannot tell. A pass in which nothing
 * changed sends no request.
 *
 * Invariant: absence is never concluded from a watch or a list; only a 404 by name proves it.
 */
import type { DesiredObject } from '../bind/desired.ts';
import { isOutOfReach, OUT_OF_REACH, type Reach } from '../bind/reach.ts';
import type { Identity } from '../cluster/identity.ts';
import { createKindFinder, kindKey, type KindInfo, type Kinds } from '../cluster/kinds.ts';
import { forEachConcurrently } from '../cluster/concurrency.ts';
import type { LiveEntry, LiveObject } from '../cluster/live.ts';
import type { ClusterClient, LiveStore, WatchScope } from '../cluster/ports.ts';
import { PART_OF_LABEL } from '../object/applyset.ts';
import { apiVersionOf, idKey, labelsOf, type ObjectId } from '../object/identity.ts';
import { sizeOf, toMib } from '../object/size.ts';
import { StageError } from '../object/stage-error.ts';
import { entryOfRead, notServed } from './read-by-name.ts';

/** The part of a cluster that is observed. */
export interface ObservedCluster {
  as(identity: Identity): Pick<ClusterClient, 'get'>;
  readonly live: Pick<LiveStore, 'keepWatched' | 'look' | 'record'>;
}

export interface ObserveOptions {
  readonly cluster: ObservedCluster;
  readonly identity: Identity;
  /** Objects out of reach are unknown, and no request is sent for them. */
  readonly reach: Reach;
  readonly kinds: Kinds;
  /** Whether objects of kinds that are not served count as gone; see reconcile/decide/missing-kinds.ts. */
  readonly isUnservedGone: boolean;
  /** `namespace/name` of the Application whose watches these are. */
  readonly application: string;
  readonly desired: readonly DesiredObject[];
  readonly inventory: ReadonlyMap<string, ObjectId>;
  /** Whether to read by name objects that were never ours, too: in mode detect no apply tells that they exist. */
  readonly shouldProveAbsence: boolean;
  /** Requests under way at once. */
  readonly concurrency: number;
  /** Size of the objects that are read by name. */
  readonly maxReadBytes: number;
}

export interface Observation {
  /** By `idKey`. */
  readonly live: ReadonlyMap<string, LiveEntry>;
  /** By `idKey`: the kind, in the version that is read. Absent: no version is served. */
  readonly kindOf: ReadonlyMap<string, KindInfo>;
}

export async function observe(options: ObserveOptions): Promise<Observation> {
  const { cluster, identity, application } = options;
  const targets = targetsOf(options);
  await cluster.live.keepWatched(application, identity, scopesOf(targets));
  const live = new Map<string, LiveEntry>();
  const asked: Target[] = [];
  for (const target of targets) {
    const entry = entryOf(target, options);
    live.set(target.key, entry);
    const isAsked = options.shouldProveAbsence ? isUnwatched(entry) : isToBeRead(entry, target, options);
    // The 404 for a path that is not served proves nothing about an object.
    if (isAsked && !target.isAwaited) asked.push(target);
  }
  const client = cluster.as(identity);
  const room = readingRoom(options.maxReadBytes);
  await forEachConcurrently(asked, { concurrency: options.concurrency }, async ({ key, kind, id }) => {
    if (!kind) return;
    const answer = await client.get(kind, id);
    if (answer.ok) cluster.live.record(identity, kind, id, answer.object);
    const entry = entryOfRead(answer);
    if (entry.state === 'present') room.take(entry.object);
    live.set(key, entry);
  });
  const kindOf = new Map(targets.flatMap(({ key, kind }) => (kind ? [[key, kind] as const] : [])));
  return { live, kindOf };
}

/** Whether only a read by name shows the object. */
function isToBeRead(
  entry: LiveEntry,
  { key, isOnlyCreated }: Target,
  { inventory }: Pick<ObserveOptions, 'inventory'>,
): boolean {
  return entry.state === 'unseen' && (entry.isUnread === true || inventory.has(key) || isOnlyCreated);
}

/** Bounds the memory of the objects that one pass reads by name. Throws StageError TooLarge. */
function readingRoom(maxReadBytes: number): { take(object: LiveObject): void } {
  let totalBytes = 0;
  return {
    take({ body }) {
      totalBytes += sizeOf(body);
      if (totalBytes <= maxReadBytes) return;
      throw new StageError({
        stage: 'observe',
        code: 'TooLarge',
        retry: 'backoff',
        message:
          `the live objects that are read by name have a size of more than ${toMib(maxReadBytes)} MiB ` +
          '(--max-namespace-live-mib). Make the objects smaller, split the Application, or increase the setting.',
      });
    },
  };
}

/** An object without our label is in no watch: an earlier read of it may be out of date. */
function isUnwatched(entry: LiveEntry): boolean {
  if (entry.state === 'present') return labelsOf(entry.object.body)[PART_OF_LABEL] === undefined;
  return entry.state !== 'unknown';
}

interface Target {
  readonly key: string;
  readonly id: ObjectId;
  readonly kind: KindInfo | undefined;
  /** Its CRD is not served yet: nothing can be watched or asked. */
  readonly isAwaited: boolean;
  readonly isOutOfReach: boolean;
  /** It is left as it is where it exists, and may exist without our label. */
  readonly isOnlyCreated: boolean;
}

function targetsOf({ desired, inventory, kinds, reach }: ObserveOptions): Target[] {
  const targets = new Map<string, Target>();
  const findKind = createKindFinder(kinds);
  for (const { id, kind, awaitsCrd, policy } of desired) {
    const isAwaited = awaitsCrd !== undefined;
    const isOnlyCreated = policy?.ssa === 'IfNotPresent' && !isAwaited;
    const target = { key: idKey(id), id, kind, isAwaited, isOnlyCreated, isOutOfReach: isOutOfReach(id, reach) };
    targets.set(target.key, target);
  }
  for (const [key, id] of inventory) {
    if (targets.has(key)) continue;
    const found = findKind(id);
    const kind = found === 'unavailable' ? undefined : found;
    const isLeft = { isAwaited: false, isOnlyCreated: false };
    targets.set(key, { key, id, kind, ...isLeft, isOutOfReach: isOutOfReach(id, reach) });
  }
  return [...targets.values()];
}

function scopesOf(targets: readonly Target[]): WatchScope[] {
  const scopes = new Map<string, WatchScope & { readonly names: Set<string> }>();
  for (const { kind, id, ...target } of targets) {
    if (!kind || target.isAwaited || target.isOutOfReach) continue;
    const key = `${kindKey(apiVersionOf(kind.group, kind.version), kind.kind)}|${id.namespace}`;
    const scope = scopes.get(key) ?? { kind, namespace: id.namespace, names: new Set() };
    scope.names.add(id.name);
    scopes.set(key, scope);
  }
  return [...scopes.values()];
}

function entryOf(
  { id, kind, isAwaited, ...target }: Target,
  { cluster, identity, kinds, isUnservedGone }: ObserveOptions,
): LiveEntry {
  if (target.isOutOfReach) return { state: 'unknown', reason: OUT_OF_REACH };
  if (isAwaited) return { state: 'unseen' };
  if (kind) return cluster.live.look(identity, kind, id);
  // A group that does not answer says nothing about its objects; a kind that is served no more took them with it.
  const isStale = [...kinds.stale].some((groupVersion) => groupVersion.split('/')[0] === id.group);
  if (isStale) return { state: 'unknown', reason: `the API group ${id.group} does not answer` };
  if (isUnservedGone) return { state: 'absent' };
  return notServed(id);
}
