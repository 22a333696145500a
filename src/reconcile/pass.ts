/** The values that all stages of one pass share: its Application, its rights, its goal, and the failures so far. */
import type { Application, ApplicationMetadata, ApplicationSpec } from '../application/schema.ts';
import { windowsAt } from '../application/windows.ts';
import { agentIdentity, identityKey, serviceAccountIdentity, type Identity } from '../cluster/identity.ts';
import type { Cluster, CredentialSecrets, DataWatches, Hub, HubClient } from '../cluster/ports.ts';
import { ownerOf, type Owner } from '../object/applyset.ts';
import { StageError, type Stage } from '../object/stage-error.ts';
import type { KubeObject } from '../object/value.ts';
import type { StageFailure } from '../status/report.ts';
import type { ReconcileContext } from './context.ts';
import type { Neighbours } from './neighbours/neighbours.ts';
import { dropMemory, noSignals, scratchOf, type ApplicationRecord, type Memory, type Signals } from './memory.ts';
import { readGoal, type PassGoal } from './requests.ts';

export interface Pass {
  /** Those of the record. */
  readonly signals: ApplicationRecord['signals'];
  readonly application: Application;
  /** The marks that the objects of the Application carry. */
  readonly owner: Owner;
  /** The rights with which everything of the Application is read, written and deleted. */
  readonly identity: Identity;
  /** Where its objects go. */
  readonly target: Cluster;
  readonly record: ApplicationRecord;
  /** The memory of the record; in a dry run a copy that is thrown away. */
  readonly memory: Memory;
  readonly context: ReconcileContext;
  readonly signal: AbortSignal;
  /** A later stage may refuse the request, once more is known. */
  goal: PassGoal;
  /** The stored Application that this pass started from, or that its own last write returned. */
  base: KubeObject;
  readonly failures: StageFailure[];
  /** Something newer came while the plan was carried out: the rest of it was left, and the next pass begins at once. */
  isCutShort: boolean;
}

/** The part of a pass that reading desired objects needs. */
export interface Reading extends Pick<Pass, 'application' | 'owner' | 'identity' | 'signal'> {
  readonly target: Pick<Cluster, 'kinds' | 'capabilities'>;
  readonly memory: Pick<Memory, 'desired' | 'evidence'>;
  readonly context: ReadingContext;
  /** Questions from outside that a poll has to answer. */
  readonly signals: Readonly<Signals>;
}

export interface ReadingContext extends Pick<ReconcileContext, 'render' | 'helm' | 'sops' | 'clock' | 'chance'> {
  readonly source: Pick<ReconcileContext['source'], 'find' | 'fetch' | 'discard' | 'poll' | 'recall'>;
  readonly metrics: Pick<ReconcileContext['metrics'], 'onGitRequest'>;
  readonly hub: {
    as(identity: Identity): Pick<HubClient, 'readSecret' | 'readConfigMap'>;
    readonly data: Pick<DataWatches, 'isWatched'>;
    readonly credentialSecrets: CredentialSecrets;
  };
  readonly settings: Pick<
    ReconcileContext['settings'],
    | 'allowCrossNamespace'
    | 'discoveryRetryMs'
    | 'awaitedDiscoveryRetryMs'
    | 'maxNamespaceRenderedBytes'
    | 'maxTotalRenderedBytes'
    | 'pollJitter'
    | 'remoteBaseHosts'
    | 'chartHosts'
    | 'submoduleHosts'
    | 'remoteBaseAllowUnpinned'
    | 'minPollBackoffMs'
    | 'maxPollBackoffMs'
  >;
  readonly neighbours: Pick<Neighbours, 'renderedSizes'>;
}

export interface PassOptions {
  readonly application: Application;
  readonly record: ApplicationRecord;
  readonly context: ReconcileContext;
  readonly signal: AbortSignal;
}

export function beginPass({ application, record, context, signal }: PassOptions): Pass {
  const { windows } = application.spec.sync;
  const goal = readGoal(application, windowsAt(windows, context.clock.now()));
  const identity = identityOf(application, context.settings);
  changeAccount(identity, record, context.cluster);
  const memory = goal.isDryRun ? scratchOf(record.memory) : record.memory;
  return {
    ...beginReading({ application, memory, context, signal, signals: record.signals }),
    target: context.cluster,
    memory,
    context,
    record,
    signals: record.signals,
    goal,
    base: record.stored,
    failures: [],
    isCutShort: false,
  };
}

export interface ReadingOptions
  extends Pick<Reading, 'application' | 'memory' | 'signal'>, Partial<Pick<Reading, 'signals'>> {
  readonly context: ReadingContext & {
    readonly hub: Pick<Hub, 'hubId'>;
    readonly cluster: Reading['target'];
    readonly settings: Pick<ReconcileContext['settings'], 'defaultServiceAccount'>;
  };
}

export function beginReading({ application, memory, context, signal, signals = noSignals() }: ReadingOptions): Reading {
  const { allowLiveAnnotations } = application.spec.sync;
  return {
    application,
    owner: ownerMarks(context.hub, application.metadata, allowLiveAnnotations),
    identity: identityOf(application, context.settings),
    target: context.cluster,
    memory,
    context,
    signal,
    signals,
  };
}

/** The marks of an Application, and whether annotations that are not from Git count on its objects. */
export function ownerMarks(
  { hubId }: Pick<Hub, 'hubId'>,
  { namespace, name }: Pick<ApplicationMetadata, 'namespace' | 'name'>,
  allowsLiveAnnotations: boolean,
): Owner {
  return { ...ownerOf({ hubId, namespace, name }), allowsLiveAnnotations };
}

/** The account that the spec names, else the default one, both of the Application's own namespace; else the agent. */
export function identityOf(
  { metadata, spec }: { metadata: ApplicationMetadata; spec: Pick<ApplicationSpec, 'serviceAccountName'> | undefined },
  { defaultServiceAccount }: Pick<ReconcileContext['settings'], 'defaultServiceAccount'>,
): Identity {
  const name = spec?.serviceAccountName ?? defaultServiceAccount;
  return name === undefined ? agentIdentity : serviceAccountIdentity(metadata.namespace, name);
}

/**
 * Drops everything that another account saw, accepted or bound, and ends the watches with its rights. The inventory
 * stays: it was read from the status, not with the rights of an account.
 */
export function changeAccount(
  identity: Identity,
  { key, memory }: Pick<ApplicationRecord, 'key' | 'memory'>,
  { live }: { readonly live: Pick<Cluster['live'], 'release'> },
): void {
  const account = identityKey(identity);
  const before = memory.run.account;
  if (before === account) return;
  if (before !== undefined) {
    dropMemory(memory, ['inventory']);
    live.release(key);
  }
  memory.run.account = account;
}

/** Runs a stage; a StageError becomes a failure of the pass and undefined. Any other error is a defect. */
export async function attempt<T>(pass: Pass, stage: Stage, run: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (pass.signal.aborted) throw error;
    if (error instanceof StatusConflict) throw error;
    if (!(error instanceof StageError)) logDefect(pass, stage, error);
    pass.failures.push(toFailure(stage, error));
    return undefined;
  }
}

/** Like `attempt`, and measures how long the stage takes. */
export function attemptTimed<T>(pass: Pass, stage: Stage, run: () => Promise<T> | T): Promise<T | undefined> {
  return timed(pass, stage, () => attempt(pass, stage, run));
}

/** Measures how long a stage takes, however it ends. */
export async function timed<T>({ context }: Pass, stage: Stage, run: () => Promise<T>): Promise<T> {
  const { clock, metrics } = context;
  const startedMs = clock.monotonicMs();
  try {
    return await run();
  } finally {
    metrics.onStage(stage, clock.monotonicMs() - startedMs);
  }
}

/** The Application was written by someone else since the pass began: the pass is dropped and queued again. */
export class StatusConflict extends Error {}

/** An error that is not a StageError is a defect of Tautline: the log has it in full, status only names it. */
function logDefect({ record, context }: Pass, stage: Stage, error: unknown): void {
  const stack = error instanceof Error ? error.stack : String(error);
  context.log.error('a stage failed unexpectedly', { application: record.key, stage, stack });
}

/** A thrown value as data. The message of a defect is not for users: it is named, without details. */
export function toFailure(stage: Stage, error: unknown): StageFailure {
  if (error instanceof StageError) {
    return { stage: error.stage, code: error.code, message: error.message, retry: error.retry };
  }
  const name = error instanceof Error ? error.name : 'unknown error';
  return { stage, code: 'Internal', message: `unexpected ${name} in ${stage}; the log has more`, retry: 'backoff' };
}

/** When an Application wants its next pass. */
export type NextPass =
  /** Only when something happens. */
  | { readonly type: 'none' }
  /** After a delay that doubles with each such answer, between two bounds. The least delay is 0 by default. */
  | { readonly type: 'backoff'; readonly atLeastMs?: number; readonly atMostMs: number }
  | { readonly type: 'after'; readonly delayMs: number };
