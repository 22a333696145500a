/**
 * The agent's record of one Application, and its memory between passes. Everything in the memory is in the
 * Application's status as well, or may be dropped at any time at the price of requests: a test drops it between passes.
 *
 * Invariant: only a pass over an Application writes its memory, and each group of it is written by one room alone,
 * which declares it. Signals from outside (webhooks, other Applications, a relist) stand apart: a pass reads them.
 */
import type { ObjectId } from '../object/identity.ts';
import type { KubeObject } from '../object/value.ts';
import type { ApplicationStatus } from '../application/status-schema.ts';
import type { ErrorCode } from '../object/error-code.ts';
import type { Problem } from '../object/problem.ts';
import type { ObjectStatus } from '../status/object-status.ts';
import { emptyClocksMemory, type ClocksMemory } from './attempt.ts';
import {
  emptyEndedJobsMemory,
  emptyEvidenceMemory,
  emptyHealsMemory,
  emptyHealthChecksMemory,
  emptyInventoryMemory,
  type EndedJobsMemory,
  type EvidenceMemory,
  type HealsMemory,
  type HealthChecksMemory,
  type InventoryMemory,
} from './decide/memory.ts';
import { emptyDeletionMemory, type DeletionMemory } from './deletion/memory.ts';
import { emptyDesiredMemory, type DesiredMemory } from './desired/memory.ts';
import {
  emptyPlaceMemory,
  emptyRefusedMemory,
  type PlaceMemory,
  type RefusedMemory,
  type Trial,
} from './effect/memory.ts';
import { emptyCausesMemory, emptyRestMemory, type CausesMemory, type RestMemory } from './report/memory.ts';

export interface ApplicationRecord {
  /** `namespace/name`. */
  readonly key: string;
  /** The newest known stored form: from the watch, or from the answer to our own write. */
  stored: KubeObject;
  /** Never replaced: a dry run works on a copy (`scratchOf`), and dropping it empties it in place. */
  readonly memory: Memory;
  readonly signals: Signals;
  /** Findings of the last pass, for the status API; no pass reads them. */
  view: ApplicationView | undefined;
  /** The result of the last dry run that was requested, for the status API; no pass reads it. */
  trial: DryRunView | undefined;
  /** API groups whose definitions the last pass missed or found different; no pass reads them. */
  awaitedGroups: ReadonlySet<string>;
}

export interface ApplicationView {
  readonly objects: readonly ObjectStatus[];
  readonly problems: readonly Problem[];
  /** The status that could not be written, in place of the stored one. undefined: the stored one is up to date. */
  readonly unwritten: ApplicationStatus | undefined;
}

/** A plan: what a sync would do with each object. */
export interface DryRunView {
  /** Id of the request. */
  readonly request: string;
  readonly revision: string | undefined;
  readonly outcome: 'Succeeded' | 'Failed' | 'Refused';
  /** The answer in status. */
  readonly message: string;
  /** Why a prune would be held. */
  readonly held: string | undefined;
  readonly objects: readonly Trial[];
}

/** Written from outside at any moment, also while a pass is under way; read by the pass that acts on them. */
export interface Signals {
  /** Monotonic; when the newest webhook about the source arrived. */
  hookHeardMs: number | undefined;
  /** Monotonic; when a ConfigMap or Secret of the render changed last. -Infinity: never. */
  dataChangedMs: number;
  /** Monotonic; when webhooks were last refused that may have been genuine. undefined: never. */
  hooksDoubtedMs: number | undefined;
  /** How often a poll was asked for: by Applications that saw another commit, or while no status can be written. */
  pollsAsked: number;
  /**
   * Monotonic; when a person, a webhook or another Application asked last. A poll that began earlier is no answer.
   */
  askedMs: number;
  /** The memory is no longer to be trusted: the next pass begins with an empty one. */
  isForgetAsked: boolean;
  /** By `idKey`: objects that deleted Applications hand over to this paused one; see decide/entrusted.ts. */
  readonly entrusted: Map<string, ObjectId>;
}

export interface Memory {
  readonly desired: DesiredMemory;
  readonly inventory: InventoryMemory;
  readonly evidence: EvidenceMemory;
  readonly endedJobs: EndedJobsMemory;
  readonly heals: HealsMemory;
  readonly healthChecks: HealthChecksMemory;
  readonly place: PlaceMemory;
  readonly refused: RefusedMemory;
  readonly clocks: ClocksMemory;
  readonly deletion: DeletionMemory;
  readonly causes: CausesMemory;
  readonly rest: RestMemory;
  readonly run: RunMemory;
}

/** Written by pass.ts and reconcile.ts. */
export interface RunMemory {
  /** `identityKey` of the account that saw and wrote everything else. undefined: no pass has begun yet. */
  account: string | undefined;
  /** Code of the error that ended the last pass without a status: logged once, not at every retry. */
  endedEarly: ErrorCode | undefined;
}

export function noSignals(): Signals {
  return {
    hookHeardMs: undefined,
    dataChangedMs: -Infinity,
    hooksDoubtedMs: undefined,
    pollsAsked: 0,
    askedMs: -Infinity,
    isForgetAsked: false,
    entrusted: new Map(),
  };
}

export function createRecord(key: string, stored: KubeObject): ApplicationRecord {
  return {
    key,
    stored,
    memory: emptyMemory(),
    signals: noSignals(),
    view: undefined,
    trial: undefined,
    awaitedGroups: new Set(),
  };
}

export function emptyMemory(): Memory {
  return {
    desired: emptyDesiredMemory(),
    inventory: emptyInventoryMemory(),
    evidence: emptyEvidenceMemory(),
    endedJobs: emptyEndedJobsMemory(),
    heals: emptyHealsMemory(),
    healthChecks: emptyHealthChecksMemory(),
    place: emptyPlaceMemory(),
    refused: emptyRefusedMemory(),
    clocks: emptyClocksMemory(),
    deletion: emptyDeletionMemory(),
    causes: emptyCausesMemory(),
    rest: emptyRestMemory(),
    run: { account: undefined, endedEarly: undefined },
  };
}

/** Empties a memory in place, but for the named groups. */
export function dropMemory(memory: Memory, kept: readonly (keyof Memory)[] = []): void {
  for (const [name, group] of Object.entries(emptyMemory())) {
    if (!kept.includes(name as keyof Memory)) Object.assign(memory[name as keyof Memory], group);
  }
}

/** A copy to write to and throw away: groups, maps and sets are its own, the values in them are shared. */
export function scratchOf(memory: Memory): Memory {
  const groups = Object.entries(memory).map(([name, group]) => [name, copyGroup(group as object)] as const);
  return Object.fromEntries(groups) as unknown as Memory;
}

function copyGroup(group: object): object {
  return Object.fromEntries(Object.entries(group).map(([name, value]) => [name, copyContainer(value)]));
}

function copyContainer(value: unknown): unknown {
  if (value instanceof Map) return new Map(value);
  return value instanceof Set ? new Set(value) : value;
}

/** Whether a stored Application is newer than another; resourceVersions of one cluster are ordered integers. */
export function isNewer(candidate: KubeObject, known: KubeObject): boolean {
  return resourceVersionOf(candidate) > resourceVersionOf(known);
}

function resourceVersionOf(object: KubeObject): bigint {
  const text = object.metadata['resourceVersion'];
  return typeof text === 'string' && /^\d+$/.test(text) ? BigInt(text) : 0n;
}
