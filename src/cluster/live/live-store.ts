/**
 * Live: what the cluster holds of our objects, from watches on our label, keyed by identity and kind, shared by the
 * Applications of one identity.
 *
 * Invariant: `look` and a repeated `hold` cost no request; nothing is watched that nobody holds; the accounts of one
 * namespace have no more than half of the watches, so that nobody takes them from all others.
 */
import { PART_OF_LABEL } from '../../object/applyset.ts';
import { apiVersionOf, type ObjectId } from '../../object/identity.ts';
import { identityKey, type Identity } from '../identity.ts';
import { kindKey, type KindInfo } from '../kinds.ts';
import type { ClusterClient, LiveStore, LiveStoreEvents } from '../ports.ts';
import type { Written } from './recording-client.ts';
import { mayWatchEverywhere } from '../requests/rights.ts';
import { createWatchedKind, type WatchedKind } from './watched-kind.ts';
import type { WatchOptions } from '../watches/watch-state.ts';

export interface LiveStoreOptions extends Pick<
  WatchOptions,
  'transport' | 'limits' | 'clock' | 'chance' | 'log' | 'metrics'
> {
  readonly clientOf: (identity: Identity) => ClusterClient;
  readonly events: LiveStoreEvents;
  /** A kind that somebody holds turned out not to be served. */
  readonly onKindNotServed: () => void;
}

export interface OwnedLiveStore extends LiveStore {
  /** See WatchedKind.beginWrite. */
  beginWrite(identity: Identity, kind: KindInfo, id: ObjectId): (written: Written) => void;
  /** Watches now open or being opened. */
  watchCount(): number;
  close(): void;
}

export function createLiveStore(options: LiveStoreOptions): OwnedLiveStore {
  const kinds = new Map<string, WatchedKind>();
  /** What each holder holds: keys of `kinds`. */
  const held = new Map<string, Set<string>>();
  let watches = 0;
  /** Of these, by namespace of the account. */
  const watchesOf = new Map<string, number>();

  function watchedKind(identity: Identity, kind: KindInfo): WatchedKind {
    const key = keyOf(identity, kind);
    const known = kinds.get(key);
    if (known) return known;
    const tenant = identity.type === 'agent' ? undefined : identity.namespace;
    const count = (change: 1 | -1): void => {
      watches += change;
      if (tenant === undefined) return;
      const left = (watchesOf.get(tenant) ?? 0) + change;
      if (left > 0) watchesOf.set(tenant, left);
      else watchesOf.delete(tenant);
    };
    const created = createWatchedKind({
      ...options,
      identity,
      kind,
      labelSelector: PART_OF_LABEL,
      client: options.clientOf(identity),
      mayWatchEverywhere: () => mayWatchEverywhere(options.transport, identity, kind),
      takeWatch() {
        const { maxWatches } = options.limits;
        const isShareUsed = tenant !== undefined && (watchesOf.get(tenant) ?? 0) >= Math.ceil(maxWatches / 2);
        if (watches >= maxWatches || isShareUsed) return false;
        count(1);
        return true;
      },
      giveWatchBack: () => count(-1),
    });
    kinds.set(key, created);
    return created;
  }

  function letGo(holder: string, key: string): void {
    if (kinds.get(key)?.release(holder)) kinds.delete(key);
  }

  return {
    async hold(holder, identity, scopes) {
      const wanted = new Map<string, { kind: KindInfo; namespaces: Set<string> }>();
      for (const { kind, namespace } of scopes) {
        const key = keyOf(identity, kind);
        const entry = wanted.get(key) ?? { kind, namespaces: new Set() };
        entry.namespaces.add(kind.namespaced ? namespace : '');
        wanted.set(key, entry);
      }
      const before = held.get(holder) ?? new Set();
      held.set(holder, new Set(wanted.keys()));
      const holding = [...wanted.values()].map(({ kind, namespaces }) =>
        watchedKind(identity, kind).hold(holder, namespaces),
      );
      for (const key of before) if (!wanted.has(key)) letGo(holder, key);
      await Promise.all(holding);
    },
    release(holder) {
      for (const key of held.get(holder) ?? []) letGo(holder, key);
      held.delete(holder);
    },
    look(identity, kind, id) {
      const watched = kinds.get(keyOf(identity, kind));
      if (watched) return watched.look(id);
      return { state: 'unknown', reason: `${kind.kind} is not watched` };
    },
    pollingReasons(holder) {
      return [...(held.get(holder) ?? [])].flatMap((key) => {
        const watched = kinds.get(key);
        return (watched?.polledFor(holder) ?? []).map(({ namespace, reason }) => {
          const where = namespace === '' ? '' : ` in namespace ${namespace}`;
          return `${watched?.kind.kind}${where}: ${reason}`;
        });
      });
    },
    record(identity, kind, id, object) {
      kinds.get(keyOf(identity, kind))?.record(id, object);
    },
    beginWrite(identity, kind, id) {
      return kinds.get(keyOf(identity, kind))?.beginWrite(id) ?? (() => {});
    },
    watchCount: () => watches,
    close() {
      for (const watched of kinds.values()) watched.stop();
      kinds.clear();
      held.clear();
    },
  };
}

function keyOf(identity: Identity, kind: KindInfo): string {
  return `${identityKey(identity)} ${kindKey(apiVersionOf(kind.group, kind.version), kind.kind)}`;
}
