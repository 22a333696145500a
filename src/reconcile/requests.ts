/**
 * What a person or a webhook asks of a pass, by annotation on the Application, and how the pass acts on it.
 *
 * Invariant: a request changes how a pass acts for as long as it is not answered, and no longer; what is refused
 * changes nothing. All of it is in the annotation and in status: a kill loses nothing, nothing is done a second time.
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

export interface Asked {
  /** Poll now, whatever the interval. */
  readonly isForced: boolean;
  /** The request to answer; undefined if there is none or it was answered before. */
  readonly request: PassReport['request'];
  /** The token to acknowledge, likewise. */
  readonly reconcileAt: string | undefined;
  /** This very request confirms the prune that is held. */
  readonly confirmsPrune: boolean;
  readonly intent: Intent;
  /** The commit that a request names; the pass is about it, unless that is refused. */
  readonly commit: string | undefined;
  /** The answer of this request is all that the pass may write. */
  readonly isDryRun: boolean;
}

/** `spec` is undefined where it cannot be read. */
export function readAsked(application: {
  readonly metadata: ApplicationMetadata;
  readonly spec?: ApplicationSpec | undefined;
  readonly status: StoredStatus;
}): Asked {
  const { metadata, spec, status } = application;
  const parsed = parseRequest(metadata.annotations[REQUEST_ANNOTATION]);
  const annotation = metadata.annotations[RECONCILE_AT_ANNOTATION];
  // As status can hold it: a longer one would have every status refused.
  const token = annotation === undefined ? undefined : cutText(annotation, STATUS_LIMITS.maxMessageChars);
  const reconcileAt = token !== undefined && token !== status.lastHandledReconcileAt ? token : undefined;
  const id = parsed && (parsed.ok ? parsed.request.id : parsed.id);
  const isAnswered = status.lastRequest?.id === id && status.lastRequest?.outcome !== 'InProgress';
  const idle: Asked = {
    isForced: reconcileAt !== undefined,
    request: undefined,
    reconcileAt,
    confirmsPrune: false,
    intent: declaredIntent(spec),
    commit: undefined,
    isDryRun: false,
  };
  if (!parsed || isAnswered) return idle;
  if (!parsed.ok) return { ...idle, request: { id: parsed.id, action: 'unknown', refusal: parsed.problem } };
  const { request } = parsed;
  const asked = {
    ...idle,
    // A request that takes several passes asks Git once.
    isForced: status.lastRequest?.id !== id || reconcileAt !== undefined,
    request: { id: request.id, action: request.action },
  };
  if (request.action === 'refresh' || !spec) return asked;
  if (spec.sync.mode === 'detect') return refuse(asked, spec, REFUSALS.detect);
  return { ...asked, ...wishOf(request, spec) };
}

/** What the spec asks for, without any request. */
export function declaredIntent(spec: ApplicationSpec | undefined): Intent {
  return { mode: spec?.sync.mode ?? 'detect', prune: spec?.sync.prune ?? false, objects: undefined };
}

function wishOf(
  request: Exclude<ApplicationRequest, { action: 'refresh' }>,
  { sync }: ApplicationSpec,
): Pick<Asked, 'intent' | 'commit' | 'isDryRun' | 'confirmsPrune'> {
  const intent: Intent = { mode: 'auto', prune: sync.prune, objects: undefined };
  if (request.action === 'confirm-prune') return { intent, commit: undefined, isDryRun: false, confirmsPrune: true };
  const { revision, prune = sync.prune, dryRun = false, objects } = request;
  // In mode auto the newest revision is fetched all the same: `forRevision` holds the one asked for against it.
  const isPinned = sync.mode === 'manual' || dryRun;
  return {
    intent: { mode: 'auto', prune, objects: objects && new Set(objects) },
    commit: isPinned ? revision : undefined,
    isDryRun: dryRun,
    confirmsPrune: false,
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
 * A confirmation is for what the status showed when it was given: where Git has moved on since, it is refused at once,
 * so that no later pass takes it for a confirmation of what nobody has seen. In mode auto only the revision that is
 * followed can be applied: any other would be undone by the next pass.
 */
export function forRevision(asked: Asked, { metadata, spec, status }: Application, found: Found): Asked {
  const { revision, commit } = found;
  if (!asked.request || asked.request.refusal) return asked;
  if (asked.confirmsPrune && status.sync?.revision !== revision) return refuse(asked, spec, REFUSALS.moved(revision));
  const parsed = parseRequest(metadata.annotations[REQUEST_ANNOTATION]);
  const wanted = parsed?.ok && parsed.request.action === 'sync' ? parsed.request.revision : undefined;
  return wanted === undefined || wanted === commit ? asked : refuse(asked, spec, REFUSALS.follows(revision));
}

/** A request that names an object which nobody knows is refused whole: a slip of the pen must not look like success. */
export function forObjects(asked: Asked, { spec }: Application, changes: readonly Change[]): Asked {
  const { objects } = asked.intent;
  if (!objects || asked.request?.refusal) return asked;
  const known = new Set(changes.map(({ id }) => idKey(id)));
  const unknown = [...objects].filter((id) => !known.has(id));
  return unknown.length > 0 ? refuse(asked, spec, REFUSALS.unknown(unknown)) : asked;
}

type Found = Pick<Snapshot, 'revision' | 'commit'>;

function refuse(asked: Asked, spec: ApplicationSpec, refusal: string): Asked {
  if (!asked.request) return asked;
  const intent = declaredIntent(spec);
  return { ...asked, intent, confirmsPrune: false, request: { ...asked.request, refusal } };
}
