/**
 * The part of an Application's memory that only `desired/` writes: the state of its source, the last render and the
 * last usable set of desired objects. All of it may be dropped at the price of a poll, a render and a bind.
 */
import type { Desired, DesiredObject } from '../../bind/desired.ts';
import type { Manifests } from '../../render/manifests.ts';
import type { PollPace } from '../../source/poll-pace.ts';
import type { Snapshot } from '../../source/snapshot.ts';

export interface DesiredMemory {
  source: SourceMemory | undefined;
  /** The last render, with the tree and path that it was made of. */
  rendered: { readonly key: string; readonly manifests: Manifests } | undefined;
  /** The last usable set of desired objects: drift is healed by it while a newer commit is broken. */
  bound: Desired | undefined;
  /** Bound objects by manifest, so that binding costs only what changed. */
  objects: Map<string, DesiredObject>;
  /** When discovery is asked again for a kind that the API server lacks. */
  discovery: DiscoveryPace;
}

export interface DiscoveryPace {
  /** Monotonic; discovery is not asked again before this. */
  readonly nextMs: number;
  /** The pause before `nextMs`. 0: no kind was lacking. */
  readonly pauseMs: number;
  /** The awaited definitions, and the digests of their manifests that the server had accepted. */
  readonly definitions: string;
}

export const NO_DISCOVERY: DiscoveryPace = { nextMs: 0, pauseMs: 0, definitions: '' };

export interface SourceMemory {
  /** Repository, revision and Secret that were polled: with another key the snapshot is worthless. */
  readonly key: string;
  readonly snapshot: Snapshot | undefined;
  /** `Signals.pollsAsked` when the last poll began: a higher count asks for another poll. */
  readonly pollsAsked: number;
  /** Monotonic; when the last poll ended. */
  readonly polledMs: number;
  /** The last poll that brought an answer. Monotonic. undefined: none did. */
  readonly answered: { readonly begunMs: number; readonly endedMs: number } | undefined;
  /** Monotonic. */
  readonly nextPollMs: number;
  /** By how much webhooks lengthen the interval. */
  readonly pace: PollPace;
  /** Failed polls in a row; the poll backs off with it. */
  readonly failures: number;
  /** The error of the last poll or fetch, reported until one succeeds. */
  readonly error: unknown;
}

export function emptyDesiredMemory(): DesiredMemory {
  return { source: undefined, rendered: undefined, bound: undefined, objects: new Map(), discovery: NO_DISCOVERY };
}
