/**
 * Composes the next status without a pass through the pipeline: for an Application that is malformed, suspended or
 * being deleted, and for a request that only needs an answer. Invariant: all other fields stay as they are stored.
 */
import { formatTime, getCondition, setCondition } from '../application/conditions.ts';
import { encodeInventory } from '../application/inventory.ts';
import type { ApplicationMetadata, StoredStatus } from '../application/schema.ts';
import type { ApplicationStatus, HeldPruneStatus, InventoryValue, LastRequest } from '../application/status-schema.ts';
import type { ObjectId } from '../object/identity.ts';
import { isMap, type Value } from '../object/value.ts';
import { clip, mergeConditions, type ConditionValue } from './pass-conditions.ts';
import type { PassReport } from './report.ts';

export interface Bare {
  readonly metadata: ApplicationMetadata;
  readonly status: StoredStatus;
}

/** The status of an Application with a malformed spec: Stalled, and a request is refused. */
export function composeInvalid(
  {
    metadata,
    status,
    problems,
    request,
  }: Bare & Pick<PassReport, 'request'> & { readonly problems: readonly string[] },
  nowMs: number,
): ApplicationStatus {
  const message = clip(problems.join('; '));
  const values: ConditionValue[] = [
    { type: 'Ready', status: 'False', reason: 'InvalidSpec', message },
    { type: 'Stalled', status: 'True', reason: 'InvalidSpec', message },
  ];
  const next = withConditions({ metadata, status }, values, nowMs);
  return request ? { ...next, lastRequest: refusedRequest(request, message, nowMs) } : next;
}

/** The status of a suspended Application. A request is refused. */
export function composeSuspended(
  { metadata, status, request, reconcileAt }: Bare & Pick<PassReport, 'request'> & { reconcileAt: string | undefined },
  nowMs: number,
): ApplicationStatus {
  const message = 'suspended: nothing is fetched, compared or written until spec.suspend is false';
  const values: ConditionValue[] = [{ type: 'Ready', status: 'False', reason: 'Suspended', message }];
  const { inventory, ...next } = withConditions({ metadata, status }, values, nowMs);
  return {
    ...next,
    ...(inventory ? { inventory: withoutProof(inventory) } : {}),
    ...(reconcileAt === undefined ? {} : { lastHandledReconcileAt: reconcileAt }),
    ...(request ? { lastRequest: refusedRequest(request, message, nowMs) } : {}),
  };
}

/** While nothing is looked at, others may come to own any of the objects. */
function withoutProof(stored: InventoryValue): InventoryValue {
  // One that cannot be read stays as it is stored.
  if (!isMap(stored as Value)) return stored;
  const { written: _proof, ...inventory } = stored;
  return inventory;
}

/** The status as metrics and status API show it while it cannot be stored, for the reason in `message`. */
export function composeUnwritten(
  { metadata, status, message }: Pick<Bare, 'metadata'> & { readonly status: ApplicationStatus; message: string },
  nowMs: number,
): ApplicationStatus {
  const { conditions = [], ...rest } = status;
  const ready = getCondition(conditions, 'Ready');
  // Another reason is more important, and the message of the pass tells it.
  if (ready?.status === 'False') return status;
  const { generation } = metadata;
  const value = { type: 'Ready', status: 'False', reason: 'ReconciliationFailed', message: clip(message) } as const;
  return { ...rest, conditions: [...setCondition(conditions, value, { nowMs, generation })] };
}

function refusedRequest({ id, action }: Request, message: string, nowMs: number): LastRequest {
  return { id, action, outcome: 'Refused', message, finishedAt: formatTime(nowMs) };
}

type Request = NonNullable<PassReport['request']>;

/** The stored status with the answer to a request. */
export function composeAnswered(
  {
    status,
    request: { id, action },
    outcome,
    message,
  }: Bare & Pick<LastRequest, 'outcome'> & { readonly request: Request; readonly message: string },
  nowMs: number,
): ApplicationStatus {
  const { inventory, ...rest } = status;
  return {
    ...rest,
    ...(inventory === undefined ? {} : { inventory: inventory as InventoryValue }),
    lastRequest: { id, action, outcome, message: clip(message), finishedAt: formatTime(nowMs) },
  };
}

export interface Deleting extends Bare {
  /** undefined: the inventory cannot be read, and stays as it is stored. */
  readonly inventory: readonly ObjectId[] | undefined;
  readonly message: string;
  readonly isStalled: boolean;
  /** undefined: the confirmation stays as it is stored. */
  readonly confirmation?: ConfirmationStatus | undefined;
  /** undefined: the progress of hooks stays as it is stored. */
  readonly hooks?: HookProgress;
  /** A hook failed, or hooks cannot be read, and the deletion waits for that. */
  readonly isHookFailed?: boolean;
}

/** How far the hooks of a deletion have come, with the records of their Jobs. undefined: there are none. */
export interface HookProgress extends Pick<ApplicationStatus, 'deletion'> {
  readonly finished: Record<string, string> | undefined;
  readonly started: Record<string, string> | undefined;
}

/** A confirmation of the deletion of all objects, as far as status tells it. */
export interface ConfirmationStatus {
  /** undefined: none is needed. */
  readonly held: HeldPruneStatus | undefined;
  /** The answer to the request. undefined: there is none, or it is stored already. */
  readonly answer?: Pick<LastRequest, 'id' | 'action' | 'outcome' | 'message'> | undefined;
}

/** The status while the deletion of an Application is under way: the remaining objects, and the reason in `message`. */
export function composeDeleting(
  { metadata, status, inventory, message, isStalled, confirmation, hooks, isHookFailed = false }: Deleting,
  nowMs: number,
): ApplicationStatus {
  const reason = isStalled ? 'PruneFailed' : 'Deleting';
  const ready = { type: 'Ready', status: 'False', message: clip(message) } as const;
  const values: ConditionValue[] = [
    isHookFailed ? { ...ready, reason: 'HookFailed' } : { ...ready, reason },
    { type: 'Reconciling', status: 'True', reason: 'Progressing', message: clip(message) },
  ];
  const next = withHooks(withConditions({ metadata, status }, values, nowMs), hooks);
  const told = confirmation ? withConfirmation(next, confirmation, nowMs) : next;
  return inventory ? { ...told, inventory: encodeInventory([...inventory]) } : told;
}

function withHooks(status: ApplicationStatus, hooks: HookProgress | undefined): ApplicationStatus {
  if (!hooks) return status;
  const { deletion: _deletion, finished: _finished, started: _started, ...rest } = status;
  const { deletion, finished, started } = hooks;
  return {
    ...rest,
    ...(deletion ? { deletion } : {}),
    ...(finished ? { finished } : {}),
    ...(started ? { started } : {}),
  };
}

function withConfirmation(
  { pruneGuard, ...rest }: ApplicationStatus,
  { held, answer }: ConfirmationStatus,
  nowMs: number,
): ApplicationStatus {
  const { held: _before, ...measure } = pruneGuard ?? {};
  const guard = { ...measure, ...(held ? { held } : {}) };
  const isFinal = answer !== undefined && answer.outcome !== 'InProgress';
  return {
    ...rest,
    ...(Object.keys(guard).length > 0 ? { pruneGuard: guard } : {}),
    ...(answer ? { lastRequest: { ...answer, ...(isFinal ? { finishedAt: formatTime(nowMs) } : {}) } } : {}),
  };
}

function withConditions({ metadata, status }: Bare, values: ConditionValue[], nowMs: number): ApplicationStatus {
  const { generation } = metadata;
  const { inventory, nextAttemptAt: _none, ...rest } = status;
  return {
    ...rest,
    observedGeneration: generation,
    conditions: mergeConditions(values, { previous: status.conditions ?? [], nowMs, generation }),
    // The stored value is kept even if it cannot be read. Only a pass that read it writes a new one.
    ...(inventory === undefined ? {} : { inventory: inventory as InventoryValue }),
  };
}
