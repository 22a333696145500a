/**
 * The live store: the objects of the cluster that carry our label, from watches. They are kept by identity and kind,
 * and shared by the Applications of one identity.
 *
 * Invariant: `look` and a repeated `hold` send no request, and a kind is watched only while it is held.
 */
import { PART_OF_LABEL } from '../../object/applyset.ts';
import { apiVersionOf, type ObjectId } from '../../object/identity.ts';
import { identityKey, type Identity } from '../identity.ts';
import { kindKey, type KindInfo } from '../kinds.ts';
import type { ClusterClient, LiveStore, LiveStoreEvents, WatchScope } from '../ports.ts';
import type { WriteOutcome } from './recording-client.ts';
import { mayWatchEverywhere } from '../requests/rights.ts';
import { createWatchBudget } from './watch-budget.ts';
import { createWatchedKind, type WatchedKind } from './watched-kind.ts';
import type { WatchOptions } from '../watches/watch-state.ts';

export interface LiveStoreOptions extends Pick<
  WatchOptions,
  'transport' | 'limits' | 'clock' | 'chance' | 'log' | 'metrics'
> {
  readonly clientOf: (identity: Identity) => ClusterClient;
  readonly events: LiveStoreEvents;
  /** A held kind turned out not to be served. */
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
  const kinds = new Map<string, WatchedKind>();
  /** The keys of `kinds` that each holder holds. */
  const heldKeys = new Map<string, Set<string>>();

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
    });
    kinds.set(key, created);
    return created;
  }

  function releaseKind(holder: string, key: string): void {
    if (kinds.get(key)?.release(holder)) kinds.delete(key);
  }

  return {
    async hold(holder, identity, scopes) {
      const wanted = namespacesByKind(identity, scopes);
      const keysBefore = heldKeys.get(holder) ?? new Set();
      heldKeys.set(holder, new Set(wanted.keys()));
      const holding = [...wanted.values()].map(({ kind, namespaces }) =>
        watchedKind(identity, kind).hold(holder, namespaces),
      );
      for (const key of keysBefore) if (!wanted.has(key)) releaseKind(holder, key);
      await Promise.all(holding);
    },
    release(holder) {
      for (const key of heldKeys.get(holder) ?? []) releaseKind(holder, key);
      heldKeys.delete(holder);
    },
    look(identity, kind, id) {
      const watched = kinds.get(keyOf(identity, kind));
      if (watched) return watched.look(id);
      return { state: 'unknown', reason: `${kind.kind} is not watched` };
    },
    pollingReasons(holder) {
      const held = [...(heldKeys.get(holder) ?? [])].map((key) => kinds.get(key));
      return held.flatMap((watched) => (watched ? pollingReasonsOf(watched, holder) : []));
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
      heldKeys.clear();
    },
  };
}

interface WantedKind {
  readonly kind: KindInfo;
  readonly namespaces: Set<string>;
}

/** The scopes grouped by their kind, under the key of `kinds`. */
function namespacesByKind(identity: Identity, scopes: readonly WatchScope[]): Map<string, WantedKind> {
  const wanted = new Map<string, WantedKind>();
  for (const { kind, namespace } of scopes) {
    const key = keyOf(identity, kind);
    const entry = wanted.get(key) ?? { kind, namespaces: new Set() };
    entry.namespaces.add(kind.isNamespaced ? namespace : '');
    wanted.set(key, entry);
  }
  return wanted;
}

function pollingReasonsOf({ kind, polledFor }: WatchedKind, holder: string): string[] {
  return polledFor(holder).map(({ namespace, reason }) => {
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
