/** What all stages of one pass share: whose pass it is, what it started from, and what has failed so far. */
import type { Application, ApplicationMetadata, ApplicationSpec } from '../application/schema.ts';
import { agentIdentity, serviceAccountIdentity, type Identity } from '../cluster/identity.ts';
import { ownerOf, type Owner } from '../object/applyset.ts';
import { StageError, type Stage } from '../object/stage-error.ts';
import type { KubeObject } from '../object/value.ts';
import type { StageFailure } from '../status/report.ts';
import { actAs } from './act-as.ts';
import type { ReconcileContext } from './context.ts';
import { readAsked, type Asked } from './requests.ts';
import type { ApplicationState } from './memory.ts';

export interface Pass {
  readonly application: Application;
  readonly owner: Owner;
  /** With whose rights everything of the Application is read, written and deleted. */
  readonly identity: Identity;
  readonly state: ApplicationState;
  readonly context: ReconcileContext;
  readonly signal: AbortSignal;
  /** What is asked of it; a request may turn out to be one to refuse, once more is known. */
  asked: Asked;
  /** The stored Application that this pass started from, or that its own last write returned. */
  base: KubeObject;
  readonly failures: StageFailure[];
  /** Something newer came while the plan was carried out: the rest of it was left, and the next pass begins at once. */
  isCutShort: boolean;
}

export interface PassOptions {
  readonly application: Application;
  readonly state: ApplicationState;
  readonly context: ReconcileContext;
  readonly signal: AbortSignal;
}

export function beginPass({ application, state, context, signal }: PassOptions): Pass {
  const { namespace, name } = application.metadata;
  const owner = ownerOf({ hubId: context.cluster.clusterId, namespace, name });
  const identity = identityOf(application, context.settings);
  actAs(identity, state, context);
  const asked = readAsked(application);
  return {
    application,
    owner,
    identity,
    state,
    context,
    signal,
    asked,
    base: state.stored,
    failures: [],
    isCutShort: false,
  };
}

/** The account that the spec names, else the default one, both of the Application's own namespace; else the agent. */
export function identityOf(
  { metadata, spec }: { metadata: ApplicationMetadata; spec: Pick<ApplicationSpec, 'serviceAccountName'> | undefined },
  { defaultServiceAccount }: Pick<ReconcileContext['settings'], 'defaultServiceAccount'>,
): Identity {
  const name = spec?.serviceAccountName ?? defaultServiceAccount;
  return name === undefined ? agentIdentity : serviceAccountIdentity(metadata.namespace, name);
}

/** Runs a stage; a StageError becomes a failure of the pass and undefined. Anything else is a defect and goes up. */
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

/** The same, timed. */
export function attemptTimed<T>(pass: Pass, stage: Stage, run: () => Promise<T> | T): Promise<T | undefined> {
  return timed(pass, stage, () => attempt(pass, stage, run));
}

/** Takes the time of a stage, however it ends. */
export async function timed<T>({ context }: Pass, stage: Stage, run: () => Promise<T>): Promise<T> {
  const { clock, metrics } = context;
  const startedMs = clock.monotonicMs();
  try {
    return await run();
  } finally {
    metrics.onStage(stage, clock.monotonicMs() - startedMs);
  }
}

/** Somebody wrote the Application since the pass began: the pass is dropped and queued again. */
export class StatusConflict extends Error {}

/** What is no StageError is a defect of ours: the log has it whole, status only names it. */
function logDefect({ state, context }: Pass, stage: Stage, error: unknown): void {
  const stack = error instanceof Error ? error.stack : String(error);
  context.log.error('a stage failed unexpectedly', { application: state.key, stage, stack });
}

/** A thrown value as data. What is no StageError has no message for users: it is named as a defect, without details. */
export function toFailure(stage: Stage, error: unknown): StageFailure {
  if (error instanceof StageError) {
    return { stage: error.stage, code: error.code, message: error.message, retry: error.retry };
  }
  const name = error instanceof Error ? error.name : 'unknown error';
  return { stage, code: 'Internal', message: `unexpected ${name} in ${stage}; the log has more`, retry: 'backoff' };
}
