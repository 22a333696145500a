/**
 * The confirmation that a deleted Application needs if objects of it ask for one (`Delete=confirm`): it is held and
 * confirmed as a prune is, by a digest that status shows (docs/adr/0008).
 *
 * Invariant: only a request that names the objects that status showed confirms their deletion, and status records it
 * before the first of them is deleted.
 */
import { REQUEST_ANNOTATION } from '../../application/keys.ts';
import { DELETION, digestPrune, type LeftObject } from '../../application/prune-digest.ts';
import { howToConfirm, parseRequest, type ApplicationRequest } from '../../application/request.ts';
import type { HeldPruneStatus, LastRequest } from '../../application/status-schema.ts';
import { formatId, type ObjectId } from '../../object/identity.ts';
import { judgeConfirmation, OTHER_SET } from '../../plan/prune-guard.ts';
import type { DeletedApplication } from './deletion.ts';

/**
 * - unneeded: no object asks for a confirmation.
 * - given: a person has confirmed it. `isRecorded`: status says so already.
 * - missing: nothing is deleted until a person confirms it.
 */
export type EndConfirmation =
  | { readonly type: 'unneeded' }
  | { readonly type: 'given'; readonly request: ConfirmRequest; readonly isRecorded: boolean }
  | { readonly type: 'missing'; readonly reason: string; readonly refused: Answer | undefined };

type ConfirmRequest = Extract<ApplicationRequest, { action: 'confirm-prune' }>;

/** The part of `status.lastRequest` that the end of an Application decides. */
export type Answer = Pick<LastRequest, 'id' | 'action' | 'outcome' | 'message'>;

export interface EndQuestion {
  /** All objects that the Application still holds. */
  readonly ids: readonly ObjectId[];
  /** Those of them that ask for a confirmation. */
  readonly asking: readonly ObjectId[];
}

export function judgeEnd(deleted: DeletedApplication, { ids, asking }: EndQuestion): EndConfirmation {
  const shown = deleted.status.pruneGuard?.held;
  const request = unansweredConfirmation(deleted);
  const isRecorded = request !== undefined && shown?.confirmedBy === request.id;
  if (asking.length === 0 && !isRecorded) return { type: 'unneeded' };
  const reason = `${reasonToAsk(asking, ids)}; ${howToConfirm(deleted.metadata)}`;
  if (!request) return { type: 'missing', reason, refused: undefined };
  const judgement = judgeConfirmation({
    shown,
    requestId: request.id,
    digest: request.digest,
    isUnderWay: deleted.status.lastRequest?.id === request.id,
    prune: pruneOf(deleted, ids),
    isHeld: true,
  });
  if (judgement.type === 'confirmed') return { type: 'given', request, isRecorded };
  if (asking.length === 0) return { type: 'unneeded' };
  const message = judgement.type === 'refused' ? judgement.reason : OTHER_SET;
  const refused: Answer = { id: request.id, action: request.action, outcome: 'Refused', message };
  return { type: 'missing', reason, refused };
}

/** As status shows it. */
export function heldEndOf(
  deleted: DeletedApplication,
  ids: readonly ObjectId[],
  confirmedBy?: string,
): HeldPruneStatus {
  const { sync } = deleted.status;
  return {
    digest: digestPrune(pruneOf(deleted, ids)),
    objects: ids.length,
    revision: sync?.lastAppliedRevision ?? sync?.revision ?? '',
    ...(confirmedBy === undefined ? {} : { confirmedBy }),
  };
}

function pruneOf({ metadata }: DeletedApplication, ids: readonly ObjectId[]): Parameters<typeof digestPrune>[0] {
  const left = ids.map((id): LeftObject => ({ id, behind: [] }));
  return { commit: DELETION, generation: metadata.generation, left };
}

function unansweredConfirmation({ metadata, status }: DeletedApplication): ConfirmRequest | undefined {
  const parsed = parseRequest(metadata.annotations[REQUEST_ANNOTATION]);
  if (!parsed?.ok || parsed.request.action !== 'confirm-prune') return undefined;
  const { lastRequest } = status;
  const isAnswered = lastRequest?.id === parsed.request.id && lastRequest.outcome !== 'InProgress';
  return isAnswered ? undefined : parsed.request;
}

function reasonToAsk([first, ...more]: readonly ObjectId[], ids: readonly ObjectId[]): string {
  const others = more.length > 0 ? ` and ${more.length} more` : '';
  const verb = more.length > 0 ? 'ask' : 'asks';
  const named = first ? `${formatId(first)}${others} ${verb} for a confirmation (Delete=confirm)` : '';
  return `${named}, so none of the ${ids.length} objects of the Application is deleted`;
}
