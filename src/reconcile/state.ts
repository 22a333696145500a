/**
 * What the agent remembers of one Application between passes. All of it is in the Application's status or may be
 * dropped at any time at the price of requests: `forgetMemory` does exactly that, and a test calls it between passes.
 */
import type { Desired, DesiredObject } from '../bind/desired.ts';
import type { Baseline, SettledChange } from '../diff/changes.ts';
import type { ErrorCode } from '../object/error-code.ts';
import type { ObjectId } from '../object/identity.ts';
import type { KubeObject, Value } from '../object/value.ts';
import type { HealRecord } from '../plan/brake.ts';
import type { Manifests } from '../render/manifests.ts';
import type { Snapshot } from '../source/snapshot.ts';
import type { PollPace } from './poll-pace.ts';
import type { ObjectStatus } from '../status/object-status.ts';

export interface ApplicationState {
  readonly key: string;
  /** As stored, the newest known: from the watch, or the answer to our own write. */
  stored: KubeObject;
  memory: Memory;
  /** What the last pass found, for the status API; never read by a pass. */
  view: ApplicationView | undefined;
}

export interface ApplicationView {
  readonly objects: readonly ObjectStatus[];
}

export interface Memory {
  /** `identityKey` of the account with whose eyes the rest was seen; see act-as.ts. */
  identity: string | undefined;
  /** By `idKey`; undefined until the status was read, or while its inventory cannot be read. */
  inventory: Map<string, ObjectId> | undefined;
  /** The stored inventory that went into it last. */
  storedInventory: Value | undefined;
  source: SourceMemory | undefined;
  /** Monotonic; when the newest webhook for the source came. */
  heardMs: number | undefined;
  rendered: { readonly key: string; readonly manifests: Manifests } | undefined;
  /** The last bound set that was usable: drift is healed by it while a newer commit is broken. */
  desired: Desired | undefined;
  /** Bound objects by manifest, so that binding costs what changed. */
  bound: Map<string, DesiredObject>;
  baselines: Map<string, Baseline>;
  /** By `idKey`: the manifest digest that the server accepted last. */
  accepted: Map<string, string>;
  /** By `idKey`: a settled verdict and what it was about. */
  verdicts: Map<string, SettledChange>;
  /** By `idKey`: Jobs and bare Pods seen finished, with the digest of their manifest. undefined: not read yet. */
  finished: Map<string, string> | undefined;
  /** By `idKey`: objects that were healed lately; see plan/brake.ts. */
  heals: Map<string, HealMemory>;
  /** What was desired at which commit, when all of it was known last: others of the source ask before they prune. */
  read: { readonly commit: string; readonly generation: number; readonly ids: ReadonlySet<string> } | undefined;
  /** Since when which Applications are waited for at a commit; see hand-over.ts. */
  handOver: { readonly commit: string; readonly sinceMs: number; readonly asked: Set<string> } | undefined;
  /** When the attempt at the present revision began. */
  attempt: { readonly revision: string; readonly startedAt: string; readonly startedMs: number } | undefined;
  /** Since when which revision is not Healthy; see health-deadline.ts. */
  unwell: { readonly revision: string | undefined; readonly sinceMs: number } | undefined;
  /** Monotonic; kinds that nobody serves are asked for again no sooner. */
  nextDiscoveryMs: number;
  isNamespaceEnsured: boolean;
  /** Why the last pass ended without a status, as a code: told once, not at every retry. */
  endedEarly: ErrorCode | undefined;
  /** Since when discovery lacks a kind of the inventory, and whether it was asked again since; see settle-kinds.ts. */
  unserved: { readonly sinceMs: number; readonly isSettled: boolean } | undefined;
  /** Since when the deleted Application is being finished. */
  finalisingSinceMs: number | undefined;
}

/** A record with who stood on the other side, for people. */
export interface HealMemory extends HealRecord {
  readonly other: string;
}

export interface SourceMemory {
  /** What was asked for: another repository or revision makes the snapshot worthless. */
  readonly key: string;
  readonly snapshot: Snapshot | undefined;
  /** Monotonic. */
  readonly polledMs: number;
  /** Monotonic. */
  readonly nextPollMs: number;
  /** How far webhooks are relied on. */
  readonly pace: PollPace;
  /** In a row; the poll backs off with it. */
  readonly failures: number;
  /** The failure of the last poll or fetch, if it failed: reported until one succeeds. */
  readonly error: unknown;
}

export function emptyMemory(): Memory {
  return {
    identity: undefined,
    inventory: undefined,
    storedInventory: undefined,
    source: undefined,
    heardMs: undefined,
    rendered: undefined,
    desired: undefined,
    bound: new Map(),
    baselines: new Map(),
    accepted: new Map(),
    verdicts: new Map(),
    finished: undefined,
    heals: new Map(),
    read: undefined,
    handOver: undefined,
    attempt: undefined,
    unwell: undefined,
    nextDiscoveryMs: 0,
    isNamespaceEnsured: false,
    endedEarly: undefined,
    unserved: undefined,
    finalisingSinceMs: undefined,
  };
}

/** Drops all that may be dropped. */
export function forgetMemory(state: ApplicationState): void {
  state.memory = emptyMemory();
}

/** Whether a stored Application is newer than another; resourceVersions of one cluster are ordered integers. */
export function isNewer(candidate: KubeObject, known: KubeObject): boolean {
  return revisionNumber(candidate) > revisionNumber(known);
}

function revisionNumber(object: KubeObject): bigint {
  const text = object.metadata['resourceVersion'];
  return typeof text === 'string' && /^\d+$/.test(text) ? BigInt(text) : 0n;
}
