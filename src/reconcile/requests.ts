/**
 * The goal of a pass: what the spec declares, as the request of a person or a webhook changes it by annotation.
 *
 * Invariant: a request changes the goal only as long as it is not answered; a refused request changes nothing.
 * Everything is in the annotation and in status: a kill loses nothing, and nothing is done a second time. /
 */
import { cutText } from '../application/conditions.ts';
import { RECONCILE_AT_ANNOTATION, REQUEST_ANNOTATION } from '../application/keys.ts';
import { parseRequest, type ApplicationRequest } from '../application/request.ts';
import type { Application, ApplicationMetadata, ApplicationSpec, StoredStatus } from '../application/schema.ts';
import { STATUS_LIMITS } from '../application/status-schema.ts';
import type { Change } from '../diff/changes.ts';
import { idKey } from '../object/identity.ts';
import type { Snapshot } from '../source/snapshot.ts';
import type { Intent, PassReport } from '../status/report.ts';

export interface PassGoal {
  /** Poll now, whatever the interval. */
  readonly isForced: boolean;
  /** The request to answer. undefined: there is none, or it was answered before. */
  readonly request: PassReport['request'];
  /** The token of the reconcile annotation to acknowledge. undefined: none, or acknowledged before. */
  readonly reconcileAt: string | undefined;
  /** The request confirms the prune that is held. */
  readonly confirmsPrune: boolean;
  /** The request takes over objects of Applications that do not exist any more. */
  readonly takesOver: boolean;
  readonly intent: Intent;
  /** The commit that a request names; the pass is about it, unless that is refused. */
  readonly commit: string | undefined;
  /** The pass may write nothing but the answer to the request. */
  readonly isDryRun: boolean;
}

/** `spec` is undefined where it cannot be read. */
export function readGoal(application: {
  readonly metadata: ApplicationMetadata;
  readonly spec?: ApplicationSpec | undefined;
  readonly status: StoredStatus;
}): PassGoal {
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
    confirmsPrune: false,
    takesOver: false,
    intent: declaredIntent(spec),
    commit: undefined,
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
  if (request.action === 'refresh' || !spec) return goal;
  if (spec.sync.mode === 'detect') return refuse(goal, spec, REFUSALS.detect);
  return { ...goal, ...requestedGoal(request, spec) };
}

/** The intent of the spec, without any request. */
export function declaredIntent(spec: ApplicationSpec | undefined): Intent {
  return { mode: spec?.sync.mode ?? 'detect', prune: spec?.sync.prune ?? false, objects: undefined };
}

function requestedGoal(
  request: Exclude<ApplicationRequest, { action: 'refresh' }>,
  { sync }: ApplicationSpec,
): Pick<PassGoal, 'intent' | 'commit' | 'isDryRun' | 'confirmsPrune' | 'takesOver'> {
  const intent: Intent = { mode: 'auto', prune: sync.prune, objects: undefined };
  if (request.action !== 'sync') {
    const { action } = request;
    const [confirmsPrune, takesOver] = [action === 'confirm-prune', action === 'take-over'];
    return { intent, commit: undefined, isDryRun: false, confirmsPrune, takesOver };
  }
  const { revision, prune = sync.prune, dryRun = false, objects } = request;
  // In mode auto the newest revision is fetched in any case: `goalAtRevision` compares the requested one with it.
  const isPinned = sync.mode === 'manual' || dryRun;
  return {
    intent: { mode: 'auto', prune, objects: objects && new Set(objects) },
    commit: isPinned ? revision : undefined,
    isDryRun: dryRun,
    confirmsPrune: false,
    takesOver: false,
  };
}

const REFUSALS = {
  detect: 'spec.sync.mode is detect, so nothing is ever written: set it to manual or auto, and ask again',
  moved: (revision: string) =>
    `not confirmed: the repository is at ${revision} now; look at what it would delete, and ask again`,
  follows: (revision: string) =>
    `spec.sync.mode is auto, so ${revision} would be applied again at once: to stay at another commit, set ` +
    'spec.source.revision to it, or spec.sync.mode to manual',
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
  if (goal.confirmsPrune && status.sync?.revision !== revision) return refuse(goal, spec, REFUSALS.moved(revision));
  const parsed = parseRequest(metadata.annotations[REQUEST_ANNOTATION]);
  const wanted = parsed?.ok && parsed.request.action === 'sync' ? parsed.request.revision : undefined;
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

function refuse(goal: PassGoal, spec: ApplicationSpec, refusal: string): PassGoal {
  if (!goal.request) return goal;
  const intent = declaredIntent(spec);
  return { ...goal, intent, confirmsPrune: false, takesOver: false, request: { ...goal.request, refusal } };
}
