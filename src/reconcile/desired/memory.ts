/**
 * The part of an Application's memory that only `desired/` writes: the state of its source, the last render and the
 * last usable set of desired objects. All of it may be dropped at the price of a poll, a render and a bind.
 */
import type { Desired, DesiredObject } from '../../bind/desired.ts';
import type { Kinds } from '../../cluster/kinds.ts';
import type { StageError } from '../../object/stage-error.ts';
import type { Manifests } from '../../render/manifests.ts';
import type { Need } from '../../render/needs.ts';
import type { PollPace } from '../../source/poll-pace.ts';
import type { Snapshot } from '../../source/snapshot.ts';

export interface DesiredMemory {
  source: SourceMemory | undefined;
  /** The source of passes over a commit that a request names. */
  pinned: SourceMemory | undefined;
  /** The repositories of spec.sources by `$name`, and those that a render asked for by the key of the need. */
  others: Map<string, SourceMemory>;
  rendered: LastRender | undefined;
  /** The Secret of spec.render.decryption as it was last read. undefined: none was. */
  keys: KnownKeys | undefined;
  /** Sealed files that the last render has opened; bounded. undefined: none. */
  opened: OpenedFiles | undefined;
  /** The last render that was refused or killed, which is not tried again for a while. */
  refused: RefusedRender | undefined;
  /** The last usable set of desired objects: drift is healed by it while a newer commit is broken. */
  bound: Desired | undefined;
  /** Size of the render that `bound` was made of. */
  boundBytes: number;
  /** The last bind with what it was made of, so that the same manifests are not bound again. */
  binding: LastBinding | undefined;
  /** Bound objects by manifest, so that binding costs only what changed. */
  objects: Map<string, DesiredObject>;
  /** When discovery is asked again for a kind that the API server lacks. undefined: it lacks none. */
  discovery: DiscoveryPace | undefined;
}

/** The last render, with everything that it was made of. */
export interface LastRender {
  /** Trees, path and options. */
  readonly key: string;
  readonly path: string;
  /** Options, and the digests of the answers that it used. */
  readonly inputs: string;
  readonly manifests: Manifests;
  /** The answers that it used, by the key of their need. */
  readonly answers: ReadonlyMap<string, KeptAnswer>;
}

export interface LastBinding {
  readonly manifests: Manifests;
  readonly kinds: Kinds;
  /** Everything else that the bind depends on, as one text. */
  readonly options: string;
  readonly desired: Desired;
  /** `idKey` of each desired object. */
  readonly ids: ReadonlySet<string>;
}

/** An answer without its content, which may be large or secret. */
export interface KeptAnswer {
  readonly need: Need;
  readonly digest: string;
  /** Whether it is a tree, whose files the read-set of the render covers. */
  readonly isTree: boolean;
  /** The cluster and the helm that an output of helm is for; absent for other answers. */
  readonly renderedFor?: string;
  /** Monotonic; when it was brought. */
  readonly broughtMs: number;
}

export interface KnownKeys {
  /** Name of the Secret. */
  readonly secret: string;
  /** Digest of its data. */
  readonly digest: string;
  /** Monotonic. */
  readonly readMs: number;
}

export interface OpenedFiles {
  readonly keysDigest: string;
  /** By the key of their need; `broughtMs` is monotonic. */
  readonly files: ReadonlyMap<string, { readonly need: Need; readonly bytes: Uint8Array; readonly broughtMs: number }>;
}

export interface RefusedRender {
  /** As `LastRender.key`. */
  readonly key: string;
  readonly error: StageError;
  /** Monotonic; until then the error is the answer. */
  readonly untilMs: number;
}

export interface DiscoveryPace {
  /** Monotonic; discovery is not asked again before this. */
  readonly nextMs: number;
  /** The pause before `nextMs`. */
  readonly pauseMs: number;
  /** The awaited definitions, and the digests of their manifests that the server had accepted. */
  readonly definitions: string;
}

export interface SourceMemory {
  /** Repository and revision that were polled. */
  readonly key: string;
  /** The newest one that is followed. */
  readonly snapshot: Snapshot | undefined;
  /**
   * The snapshot is of another repository or revision, which an earlier spec named, or lacks a signature that the spec
   * asks for: it is not rendered by this spec.
   * Objects that were bound of it are healed until the source of this spec has been read.
   */
  readonly isOfEarlierSpec: boolean;
  /** The answers of earlier polls, which tell the order of commits; see follow-poll.ts. */
  readonly following: Following;
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
  /** The commit that status named at the last poll, if it is not the one of this process: it is polled for once. */
  readonly told: string | undefined;
  /** Failed polls in a row; the poll backs off with it. */
  readonly failures: number;
  /** The error of the last poll or fetch, reported until one succeeds. */
  readonly error: unknown;
}

export interface Following {
  /** Commits that were followed before, the oldest first; bounded. */
  readonly seen: readonly string[];
  /** An older commit that the last poll has answered. undefined: the last poll is followed. */
  readonly doubt: { readonly commit: string; readonly polls: number } | undefined;
  /** How often a poll has answered with the followed commit after a doubt, since a newer one was followed. Bounded. */
  readonly refuted: number;
}

export const NOTHING_FOLLOWED: Following = { seen: [], doubt: undefined, refuted: 0 };

/**
 * Monotonic; when the earliest poll of the sources of a pass is due. undefined: its source was not asked yet. Under a
 * hold the followed revision is polled too, since a newer commit ends the hold.
 */
export function nextPollMs(
  memory: Pick<DesiredMemory, 'source' | 'pinned' | 'others'>,
  { commit, hold }: { readonly commit: string | undefined; readonly hold?: unknown },
): number | undefined {
  const source = sourceFor(memory, commit !== undefined);
  if (!source) return undefined;
  const followed = hold === undefined ? [] : [memory.source?.nextPollMs ?? 0];
  return Math.min(source.nextPollMs, ...followed, ...Array.from(memory.others.values(), (other) => other.nextPollMs));
}

/** The key in `DesiredMemory.others` of a source that is polled while a hold keeps another commit of it in force. */
export function followedKeyOf(name: string): string {
  return `${FOLLOWED}${name}`;
}

const FOLLOWED = 'followed ';

export function isOnlyFollowed(key: string): boolean {
  return key.startsWith(FOLLOWED);
}

/** One text for the revisions of all sources, so that a new revision of any of them counts as new. */
export function revisionsOf({ others }: Pick<DesiredMemory, 'others'>, snapshot: Snapshot | undefined): string {
  const more = Array.from(others.values(), ({ snapshot: other }) => other?.revision ?? '');
  return [snapshot?.revision ?? '', ...more].join(' ');
}

/** The source of a pass. */
export function sourceFor(
  memory: Pick<DesiredMemory, 'source' | 'pinned'>,
  isPinned: boolean,
): SourceMemory | undefined {
  return isPinned ? memory.pinned : memory.source;
}

export function emptyDesiredMemory(): DesiredMemory {
  return {
    source: undefined,
    pinned: undefined,
    others: new Map(),
    rendered: undefined,
    keys: undefined,
    opened: undefined,
    refused: undefined,
    bound: undefined,
    boundBytes: 0,
    binding: undefined,
    objects: new Map(),
    discovery: undefined,
  };
}
