/** What a person or a webhook asks of a pass, by annotation on the Application. */
import { RECONCILE_AT_ANNOTATION, REQUEST_ANNOTATION } from '../application/keys.ts';
import { parseRequest } from '../application/request.ts';
import type { Application } from '../application/schema.ts';
import type { PassReport } from '../status/report.ts';

export interface Asked {
  /** Poll now, whatever the interval. */
  readonly isForced: boolean;
  /** The request to answer; undefined if there is none or it was answered before. */
  readonly request: PassReport['request'];
  /** The token to acknowledge, likewise. */
  readonly reconcileAt: string | undefined;
  /** This very request confirms the prune that is held. */
  readonly confirmsPrune: boolean;
}

export function readAsked({ metadata, status }: Application): Asked {
  const parsed = parseRequest(metadata.annotations[REQUEST_ANNOTATION]);
  const token = metadata.annotations[RECONCILE_AT_ANNOTATION];
  const reconcileAt = token !== undefined && token !== status.lastHandledReconcileAt ? token : undefined;
  const id = parsed && (parsed.ok ? parsed.request.id : parsed.id);
  const isAnswered = status.lastRequest?.id === id && status.lastRequest?.outcome !== 'InProgress';
  if (!parsed || isAnswered) {
    return { isForced: reconcileAt !== undefined, request: undefined, reconcileAt, confirmsPrune: false };
  }
  const request = parsed.ok
    ? { id: parsed.request.id, action: parsed.request.action }
    : { id: parsed.id, action: 'unknown', refusal: parsed.problem };
  return {
    // A request that takes several passes asks Git once.
    isForced: (parsed.ok && status.lastRequest?.id !== id) || reconcileAt !== undefined,
    request,
    reconcileAt,
    confirmsPrune: parsed.ok && parsed.request.action === 'confirm-prune',
  };
}

/**
 * A confirmation is for what the status showed when it was given: where Git has moved on since, it is refused at once,
 * so that no later pass takes it for a confirmation of what nobody has seen.
 */
export function forRevision(asked: Asked, { status }: Application, revision: string): Asked {
  if (!asked.confirmsPrune || !asked.request || status.sync?.revision === revision) return asked;
  const refusal = `not confirmed: the repository is at ${revision} now; look at what it would delete, and ask again`;
  return { ...asked, confirmsPrune: false, request: { ...asked.request, refusal } };
}
