/**
 * The goal of a pass: what the spec declares, as the request of a person or a webhook changes it by annotation.
 *
 * Invariant: a request changes the goal only as long as it is not answered; a refused request changes nothing.
 * Everything is in the annotation and in status: a kill loses nothing, and nothing is done a second time.
 */
import { cutText } from '../application/conditions.ts';
import { RECONCILE_AT_ANNOTATION, REQUEST_ANNOTATION } from '../application/keys.ts';
import { parseRequest, type ApplicationRequest } from '../application/request.ts';
import type { Application, ApplicationMetadata, ApplicationSpec, StoredStatus } from '../application/schema.ts';
import { STATUS_LIMITS, type Hold } from '../application/status-schema.ts';
import { describeWindow, type WindowState } from '../application/windows.ts';
import type { Change } from '../diff/changes.ts';
import { idKey } from '../object/identity.ts';
import { NOTHING_HELD, otherDigest } from '../plan/prune-guard.ts';
import type { Snapshot } from '../source/snapshot.ts';
import type { Intent, PassReport } from '../status/report.ts';

export interface PassGoal {
  /** Poll now, whatever the interval. */
  readonly isForced: boolean;
  /** The request to answer. undefined: there is none, or it was answered before. */
  readonly request: PassReport['request'];
  /** The token of the reconcile annotation to acknowledge. undefined: none, or acknowledged before. */
  readonly reconcileAt: string | undefined;
  /** The request confirms the prune that is held. undefined: it does not, or the confirmation is refused. */
  readonly confirmation: Confirmation | undefined;
  /** The request takes over objects of Applications that do not exist any more. */
  readonly takesOver: boolean;
  readonly intent: Intent;
  /** The commit that a request names, or that is held; the pass is about it, unless that is refused. */
  readonly commit: string | undefined;
  /** The hold in force. Until the source is read, it is the one of status; see desired/bring-snapshot.ts. */
  readonly hold?: Hold | undefined;
  /** The request asks for a hold, or for its end. */
  readonly holdRequest?: HoldRequest | undefined;
  /** The state of spec.sync.windows. undefined: there are none. */
  readonly window?: WindowState | undefined;
  /** The pass may write nothing but the answer to the request. */
  readonly isDryRun: boolean;
}

export interface Confirmation {
  readonly requestId: string;
  /** undefined: the one that status shows. */
  readonly digest: string | undefined;
  /** An earlier pass has accepted it. */
  readonly isUnderWay: boolean;
}

export interface HoldRequest {
  readonly request: Extract<ApplicationRequest, { action: 'rollback' | 'release' }>;
  /** An earlier pass has accepted it. */
  readonly isUnderWay: boolean;
}

/** `spec` is undefined where it cannot be read. `window`: the state of spec.sync.windows. */
export function readGoal(
  application: {
    readonly metadata: ApplicationMetadata;
    readonly spec?: ApplicationSpec | undefined;
    readonly status: StoredStatus;
  },
  window?: WindowState,
): PassGoal {
  const { metadata, spec, status } = application;
  const parsed = parseRequest(metadata.annotations[REQUEST_ANNOTATION]);
  const annotation = metadata.annotations[RECONCILE_AT_ANNOTATION];
  // Cut to the length that status can hold: a longer one would make the API server refuse every status.
  const token = annotation === undefined ? undefined : cutText(annotation, STATUS_LIMITS.maxMessageChars);
  const reconcileAt = token !== undefined && token !== status.lastHandledReconcileAt ? token : undefined;
  const id = parsed && (parsed.ok ? parsed.request.id : parsed.id);
  const isAnswered = status.lastRequest?.id === id && status.lastRequest?.outcome !== 'InProgress';
  const declared: PassGoal = {
    isForced: reconcileAt !== undefined,
    request: undefined,
    reconcileAt,
    confirmation: undefined,
    takesOver: false,
    intent: declaredIntent(spec, { hold: status.hold, window }),
    commit: undefined,
    hold: status.hold,
    holdRequest: undefined,
    window,
    isDryRun: false,
  };
  if (!parsed || isAnswered) return declared;
  if (!parsed.ok) return { ...declared, request: { id: parsed.id, action: 'unknown', refusal: parsed.problem } };
  const { request } = parsed;
  const goal = {
    ...declared,
    // A request that takes several passes polls Git once.
    isForced: status.lastRequest?.id !== id || reconcileAt !== undefined,
    request: { id: request.id, action: request.action },
  };
  return spec ? goalOfAction(goal, request, { metadata, spec, status }) : goal;
}

function goalOfAction(
  goal: PassGoal,
  request: ApplicationRequest,
  { metadata, spec, status }: Pick<Application, 'metadata' | 'spec' | 'status'>,
): PassGoal {
  if (request.action === 'refresh') return goal;
  if (spec.sync.mode === 'detect') return refuse(goal, spec, REFUSALS.detect);
  const isUnderWay = status.lastRequest?.id === request.id;
  // A request that was accepted is carried out to its end.
  if (isForbidden(request, goal.window) && !isUnderWay) return refuse(goal, spec, REFUSALS.closed(goal.window));
  switch (request.action) {
    case 'confirm-prune': {
      const refusal = refusalOfConfirmation(request, { metadata, status, isUnderWay });
      if (refusal !== undefined) return refuse(goal, spec, refusal);
      return { ...goal, ...confirmingGoal(request, spec, isUnderWay) };
    }
    case 'release':
      return { ...goal, holdRequest: { request, isUnderWay } };
    case 'rollback':
      return { ...goal, holdRequest: { request, isUnderWay }, intent: actingIntent(request.prune ?? spec.sync.prune) };
    case 'take-over':
      return { ...goal, intent: actingIntent(goal.intent.prune), takesOver: true };
    default:
      return { ...goal, ...requestedGoal(request, spec, goal.intent.prune) };
  }
}

/** Whether the request would change objects while the windows forbid that to requests as well. */
function isForbidden(request: ApplicationRequest, window: WindowState | undefined): window is WindowState {
  const isHarmless = request.action === 'release' || (request.action === 'sync' && request.dryRun === true);
  return window !== undefined && !window.mayRequest && !isHarmless;
}

function actingIntent(prune: boolean): Intent {
  return { mode: 'auto', prune, objects: undefined };
}

/**
 * The intent of the spec, without any request. A hold may have a say of its own about prunes. While the windows are
 * closed, mode auto waits as mode manual does.
 */
export function declaredIntent(
  spec: ApplicationSpec | undefined,
  { hold, window }: Pick<PassGoal, 'hold' | 'window'>,
): Intent {
  const prune = spec !== undefined && (hold?.prune ?? spec.sync.prune);
  const mode = spec?.sync.mode ?? 'detect';
  return { mode: mode === 'auto' && window?.isOpen === false ? 'manual' : mode, prune, objects: undefined };
}

function requestedGoal(
  request: Extract<ApplicationRequest, { action: 'sync' }>,
  { sync }: ApplicationSpec,
  declaredPrune: boolean,
): Pick<PassGoal, 'intent' | 'commit' | 'isDryRun'> {
  const { revision, prune = declaredPrune, dryRun = false, objects } = request;
  // In mode auto the newest revision is fetched in any case: `goalAtRevision` compares the requested one with it.
  const isPinned = sync.mode === 'manual' || dryRun;
  return {
    intent: { mode: 'auto', prune, objects: objects && new Set(objects) },
    commit: isPinned ? revision : undefined,
    isDryRun: dryRun,
  };
}

type ConfirmPrune = Extract<ApplicationRequest, { action: 'confirm-prune' }>;

/** The held prune may have been requested with `prune: true`: the confirmation prunes in any case. */
function confirmingGoal(
  { id, digest, revision }: ConfirmPrune,
  { sync }: ApplicationSpec,
  isUnderWay: boolean,
): Pick<PassGoal, 'intent' | 'commit' | 'confirmation'> {
  return {
    intent: { mode: 'auto', prune: true, objects: undefined },
    commit: sync.mode === 'manual' ? revision : undefined,
    confirmation: { requestId: id, digest, isUnderWay },
  };
}

/** The reason that status alone gives to refuse a confirmation; the rest is known once the pass has a plan. */
function refusalOfConfirmation(
  { id, digest }: ConfirmPrune,
  {
    metadata,
    status,
    isUnderWay,
  }: { readonly metadata: ApplicationMetadata; readonly status: StoredStatus; readonly isUnderWay: boolean },
): string | undefined {
  const held = status.pruneGuard?.held;
  if (!held) return isUnderWay ? undefined : NOTHING_HELD;
  if (status.observedGeneration !== metadata.generation) return REFUSALS.otherSpec;
  const isOther = digest !== undefined && digest !== held.digest && held.confirmedBy !== id;
  return isOther ? otherDigest(held) : undefined;
}

const REFUSALS = {
  detect: 'spec.sync.mode is detect, so nothing is ever written: set it to manual or auto, and ask again',
  closed: (window: WindowState | undefined) =>
    `spec.sync.windows forbid it now: ${window ? describeWindow(window) : ''}; a window with manual: true allows requests`,
  otherSpec:
    'not confirmed: the spec has changed since the prune was held; look at what it would delete now, and ask again',
  moved: (held: string, revision: string, mode: ApplicationSpec['sync']['mode']) =>
    `not confirmed: the held prune is that of ${held}, and this is ${revision}; ` +
    (mode === 'manual'
      ? 'to confirm it, ask again with its commit as revision'
      : 'look at what it would delete, and ask again'),
  follows: (revision: string) =>
    `spec.sync.mode is auto, so ${revision} would be applied again at once: to stay at another commit, roll back to ` +
    'it (tautline rollback), or set spec.source.revision to it, or spec.sync.mode to manual',
  unknown: (objects: readonly string[]) =>
    `no object of this revision or of the inventory: ${objects.join(', ')}; name them group/Kind/namespace/name`,
} as const;

/**
 * The goal once the revision is known. A confirmation is for the prune that status showed when it was given: if Git has
 * moved on since, it is refused at once, so that no later pass takes it for a confirmation of another prune. In mode
 * auto only the followed revision can be applied: the next pass would undo any other.
 */
export function goalAtRevision(
  goal: PassGoal,
  { metadata, spec, status }: Application,
  { revision, commit }: Pick<Snapshot, 'revision' | 'commit'>,
): PassGoal {
  if (!goal.request || goal.request.refusal) return goal;
  const shown = status.pruneGuard?.held?.revision ?? status.sync?.revision ?? 'no revision';
  if (goal.confirmation && !shown.endsWith(commit)) {
    return refuse(goal, spec, REFUSALS.moved(shown, revision, spec.sync.mode));
  }
  const parsed = parseRequest(metadata.annotations[REQUEST_ANNOTATION]);
  const wanted = parsed?.ok && 'revision' in parsed.request ? parsed.request.revision : undefined;
  return wanted === undefined || wanted === commit ? goal : refuse(goal, spec, REFUSALS.follows(revision));
}

/** A request that names an unknown object is refused as a whole: a misspelt name must not look like success. */
export function goalForObjects(goal: PassGoal, { spec }: Application, changes: readonly Change[]): PassGoal {
  const { objects } = goal.intent;
  if (!objects || goal.request?.refusal) return goal;
  const known = new Set(changes.map(({ id }) => idKey(id)));
  const unknown = [...objects].filter((id) => !known.has(id));
  return unknown.length > 0 ? refuse(goal, spec, REFUSALS.unknown(unknown)) : goal;
}

/** The request is refused: the pass goes on as the spec declares it. */
export function refuse(goal: PassGoal, spec: ApplicationSpec, refusal: string): PassGoal {
  if (!goal.request) return goal;
  const refused = { intent: declaredIntent(spec, goal), confirmation: undefined, takesOver: false };
  return { ...goal, ...refused, holdRequest: undefined, request: { ...goal.request, refusal } };
}
