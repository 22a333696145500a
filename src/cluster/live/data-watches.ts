/**
 * Watches of single ConfigMaps and Secrets that renders depend on. They tell that an object has changed, and keep none
 * of its content.
 *
 * Invariant: a watch that is refused ends; its object is read at each poll then, and watched again once an Application
 * begins to need it.
 */
import { stringAt } from '../../object/value.ts';
import { identityKey, type Identity } from '../identity.ts';
import { DATA_KINDS } from '../kinds.ts';
import type { DataRef, DataWatches } from '../ports.ts';
import { startWatch, type Watch } from '../watches/watch.ts';
import type { WatchOptions, WatchSink } from '../watches/watch-state.ts';
import { createWatchBudget } from './watch-budget.ts';

export type DataWatchOptions = Omit<WatchOptions, 'identity' | 'kind' | 'namespace' | 'sink'> & {
  /** An object that the Application depends on has changed, appeared or disappeared, or may have. */
  readonly onChange: (application: string) => void;
};

interface NamedWatch {
  readonly applications: Set<string>;
  readonly identity: Identity;
  isOpen: boolean;
  watch: Watch | undefined;
}

export interface OwnedDataWatches extends DataWatches {
  close(): void;
}

export function createDataWatches(options: DataWatchOptions): OwnedDataWatches {
  const budget = createWatchBudget(options.limits.maxWatches);
  const watches = new Map<string, NamedWatch>();
  const keysOf = new Map<string, ReadonlySet<string>>();

  function end(key: string): void {
    const named = watches.get(key);
    if (named?.watch) stop(named);
    watches.delete(key);
  }

  function stop(named: NamedWatch): void {
    named.watch?.stop();
    named.watch = undefined;
    named.isOpen = false;
    budget.giveBack(named.identity);
  }

  function begin(key: string, identity: Identity, { kind, namespace, name }: DataRef): NamedWatch {
    const named: NamedWatch = { applications: new Set(), identity, isOpen: false, watch: undefined };
    watches.set(key, named);
    if (!budget.take(identity)) return named;
    const tell = (): void => named.applications.forEach((application) => options.onChange(application));
    const sink = createSink({ named, tell, stop: () => stop(named) });
    const fieldSelector = `metadata.name=${name}`;
    named.watch = startWatch({ ...options, identity, kind: DATA_KINDS[kind], namespace, fieldSelector, sink });
    return named;
  }

  function release(application: string, kept: ReadonlySet<string> = new Set()): void {
    for (const key of keysOf.get(application) ?? []) {
      if (kept.has(key)) continue;
      const named = watches.get(key);
      named?.applications.delete(application);
      if (named?.applications.size === 0) end(key);
    }
    if (kept.size > 0) keysOf.set(application, kept);
    else keysOf.delete(application);
  }

  return {
    keep(application, identity, refs) {
      const wanted = new Map(refs.map((ref) => [keyOf(identity, ref), ref]));
      release(application, new Set(wanted.keys()));
      for (const [key, ref] of wanted) (watches.get(key) ?? begin(key, identity, ref)).applications.add(application);
    },
    isWatched: (identity, ref) => watches.get(keyOf(identity, ref))?.isOpen === true,
    release: (application) => release(application),
    close() {
      for (const key of watches.keys()) end(key);
      keysOf.clear();
    },
  };
}

interface SinkParts {
  readonly named: NamedWatch;
  readonly tell: () => void;
  readonly stop: () => void;
}

function createSink({ named, tell, stop }: SinkParts): WatchSink {
  /** The version that was seen last; undefined: the object is absent, or was not seen yet. */
  let seen: string | undefined;
  let listed: string | undefined;
  let hasListed = false;
  let isListing = false;
  return {
    begin() {
      isListing = true;
      listed = undefined;
    },
    upsert(value) {
      const version = stringAt(value, 'metadata', 'resourceVersion');
      if (isListing) listed = version;
      else if (version !== seen) {
        seen = version;
        tell();
      }
    },
    deleted() {
      seen = undefined;
      tell();
    },
    complete() {
      isListing = false;
      // The object may have changed between the read of its content and the first list.
      const isNews = !hasListed || listed !== seen;
      hasListed = true;
      seen = listed;
      if (isNews) tell();
    },
    opened() {
      named.isOpen = true;
    },
    failed({ code }) {
      named.isOpen = false;
      if (code === 'Forbidden') stop();
    },
  };
}

function keyOf(identity: Identity, { kind, namespace, name }: DataRef): string {
  return [identityKey(identity), kind, namespace, name].join('\n');
}
