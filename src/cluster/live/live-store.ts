/**
 * The live store: the objects of the cluster that carry our label, from watches. They are kept by identity and kind,
 * and shared by the Applications of one identity.
 *
 * The content of an object is kept only while an Application holds it, and within a bound for each namespace; beyond
 * that it is read by name.
 *
 * Invariant: `look` and a repeated `keepWatched` send no request, and a kind is watched only while an
 * Application needs it.
 */
import { PART_OF_LABEL } from '../../object/applyset.ts';
import { apiVersionOf, type ObjectId } from '../../object/identity.ts';
import { identityKey, type Identity } from '../identity.ts';
import { kindKey, type KindInfo } from '../kinds.ts';
import type { ClusterClient, LiveStore, LiveStoreEvents, WatchScope } from '../ports.ts';
import { createBodyBudget } from './body-budget.ts';
import { objectKey } from './live-objects.ts';
import type { WriteOutcome } from './recording-client.ts';
import { mayWatchEverywhere } from '../requests/rights.ts';
import { createWatchBudget } from './watch-budget.ts';
import { createCounter, createWatchedKind, type WatchedKind } from './watched-kind.ts';
import type { WatchOptions } from '../watches/watch-state.ts';

export interface LiveStoreOptions extends Pick<
  WatchOptions,
  'transport' | 'limits' | 'clock' | 'chance' | 'log' | 'metrics'
> {
  readonly clientOf: (identity: Identity) => ClusterClient;
  readonly events: LiveStoreEvents;
  /** A watched kind turned out not to be served. */
  readonly onKindNotServed: () => void;
}

/** The live store with the methods for its owner, the connection. */
export interface OwnedLiveStore extends LiveStore {
  /** See WatchedKind.beginWrite. */
  beginWrite(identity: Identity, kind: KindInfo, id: ObjectId): (outcome: WriteOutcome) => void;
  /** Watches that are open or being opened. */
  watchCount(): number;
  close(): void;
}

export function createLiveStore(options: LiveStoreOptions): OwnedLiveStore {
  const budget = createWatchBudget(options.limits.maxWatches);
  const bodies = createBodyBudget(options.limits);
  const [kinds, nextVersion] = [new Map<string, WatchedKind>(), createCounter()];
  /** By Application: the keys of `kinds` that it needs. */
  const keysOf = new Map<string, Set<string>>();

  function watchedKind(identity: Identity, kind: KindInfo): WatchedKind {
    const key = keyOf(identity, kind);
    const known = kinds.get(key);
    if (known) return known;
    const created = createWatchedKind({
      ...options,
      identity,
      kind,
      labelSelector: PART_OF_LABEL,
      client: options.clientOf(identity),
      mayWatchEverywhere: () => mayWatchEverywhere(options.transport, identity, kind),
      takeWatch: () => budget.take(identity),
      giveWatchBack: () => budget.giveBack(identity),
      nextVersion,
      budget: {
        take: (id, bytes) => bodies.take(payerOf(identity, id), bytes),
        giveBack: (id, bytes) => bodies.giveBack(payerOf(identity, id), bytes),
      },
    });
    kinds.set(key, created);
    return created;
  }

  function releaseKind(application: string, key: string): void {
    if (kinds.get(key)?.release(application)) kinds.delete(key);
  }

  return {
    async keepWatched(application, identity, scopes) {
      const wanted = namespacesByKind(identity, scopes);
      const keysBefore = keysOf.get(application) ?? new Set();
      keysOf.set(application, new Set(wanted.keys()));
      const listed = [...wanted.values()].map(({ kind, namespaces, held }) =>
        watchedKind(identity, kind).keepWatched(application, namespaces, held),
      );
      for (const key of keysBefore) if (!wanted.has(key)) releaseKind(application, key);
      await Promise.all(listed);
    },
    release(application) {
      for (const key of keysOf.get(application) ?? []) releaseKind(application, key);
      keysOf.delete(application);
    },
    look(identity, kind, id) {
      const watched = kinds.get(keyOf(identity, kind));
      if (watched) return watched.look(id);
      return { state: 'unknown', reason: `${kind.kind} is not watched` };
    },
    versionFor: (application) =>
      newestOf(Array.from(keysOf.get(application) ?? [], (key) => kinds.get(key)?.versionFor(application))),
    pollingReasons(application) {
      const watchedKinds = [...(keysOf.get(application) ?? [])].map((key) => kinds.get(key));
      return watchedKinds.flatMap((watched) => (watched ? pollingReasonsOf(watched, application) : []));
    },
    record(identity, kind, id, object) {
      kinds.get(keyOf(identity, kind))?.record(id, object);
    },
    beginWrite(identity, kind, id) {
      return kinds.get(keyOf(identity, kind))?.beginWrite(id) ?? (() => {});
    },
    watchCount: () => budget.count(),
    close() {
      for (const watched of kinds.values()) watched.stop();
      kinds.clear();
      keysOf.clear();
    },
  };
}

/** The highest version. undefined: there is none, or one of them is not known. */
function newestOf(versions: readonly (number | undefined)[]): number | undefined {
  const known = versions.filter((version) => version !== undefined);
  return known.length > 0 && known.length === versions.length ? Math.max(...known) : undefined;
}

interface WantedKind {
  readonly kind: KindInfo;
  readonly namespaces: Set<string>;
  /** undefined: all objects. */
  held: Set<string> | undefined;
}

/** The namespace whose share of the memory an object takes: that of the account that sees it. */
function payerOf(identity: Identity, id: ObjectId): string {
  return identity.type === 'agent' ? id.namespace : identity.namespace;
}

/** The scopes grouped by their kind, under the key of `kinds`. */
function namespacesByKind(identity: Identity, scopes: readonly WatchScope[]): Map<string, WantedKind> {
  const wanted = new Map<string, WantedKind>();
  for (const { kind, namespace, names } of scopes) {
    const key = keyOf(identity, kind);
    const entry = wanted.get(key) ?? { kind, namespaces: new Set(), held: new Set() };
    entry.namespaces.add(kind.isNamespaced ? namespace : '');
    if (!names) entry.held = undefined;
    for (const name of names ?? []) entry.held?.add(objectKey({ namespace: kind.isNamespaced ? namespace : '', name }));
    wanted.set(key, entry);
  }
  return wanted;
}

function pollingReasonsOf({ kind, polledFor }: WatchedKind, application: string): string[] {
  return polledFor(application).map(({ namespace, reason }) => {
    const where = namespace === '' ? '' : ` in namespace ${namespace}`;
    return `${kind.kind}${where}: ${reason}`;
  });
}

/** A kind that is made again with another scope or plural name is another kind, with watches of its own. */
function keyOf(identity: Identity, kind: KindInfo): string {
  const scope = kind.isNamespaced ? 'namespaced' : 'cluster-scoped';
  const served = kind.isWatchable ? 'watchable' : 'polled';
  const name = kindKey(apiVersionOf(kind.group, kind.version), kind.kind);
  return `${identityKey(identity)} ${name} ${kind.plural} ${scope} ${served}`;
}
