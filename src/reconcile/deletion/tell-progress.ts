/** The status of a deleted Application: what is left, and why. */
import type { Applied } from '../../apply/applied.ts';
import type { Live } from '../../cluster/live.ts';
import { formatId, idKey, type ObjectId } from '../../object/identity.ts';
import { composeDeleting, type ConfirmationStatus, type HookProgress } from '../../status/compose-bare.ts';
import type { Clock } from '../../telemetry/ports.ts';
import type { NextPass } from '../pass.ts';
import { writeStatusValue, type StatusPutter } from '../report/status-writer.ts';
import type { Deletion } from './deletion.ts';

/** The part of a deletion that its progress is told with. */
export interface Telling extends StatusPutter {
  readonly deleted: Pick<Deletion['deleted'], 'metadata' | 'status'>;
  readonly context: StatusPutter['context'] & {
    readonly clock: Pick<Clock, 'now'>;
    readonly settings: Pick<Deletion['context']['settings'], 'progressCheckMs'>;
  };
}

export interface Waiting {
  /** The objects that the stored inventory keeps. */
  readonly left: readonly ObjectId[];
  /** For people. */
  readonly reason: string;
  readonly confirmation?: ConfirmationStatus;
  /** undefined: it stays as it is stored. */
  readonly hooks?: HookProgress;
  /** It waits for a hook that failed or cannot be read. */
  readonly isHookFailed?: boolean;
}

export async function tellWait(deletion: Telling, waiting: Waiting): Promise<NextPass> {
  const { left, reason, confirmation, hooks, isHookFailed } = waiting;
  const { metadata, status } = deletion.deleted;
  const parts = { metadata, status, inventory: left, message: reason, isStalled: false, confirmation };
  const more = { ...(hooks ? { hooks } : {}), ...(isHookFailed ? { isHookFailed } : {}) };
  await writeStatusValue(deletion, composeDeleting({ ...parts, ...more }, deletion.context.clock.now()));
  return { type: 'backoff', atMostMs: deletion.context.settings.progressCheckMs };
}

export interface Progress {
  /** The objects that the stored inventory keeps. */
  readonly left: readonly ObjectId[];
  /** The part of it that the message may name; default: all. */
  readonly named?: readonly ObjectId[];
  readonly applied: Applied;
  readonly live: Live;
  readonly confirmation?: ConfirmationStatus;
}

export async function tellProgress(deletion: Telling, progress: Progress): Promise<void> {
  const { metadata, status } = deletion.deleted;
  const { message, isStalled } = describeProgress(progress);
  const parts = {
    metadata,
    status,
    inventory: progress.left,
    message,
    isStalled,
    confirmation: progress.confirmation,
  };
  await writeStatusValue(deletion, composeDeleting(parts, deletion.context.clock.now()));
}

/** Names the object that holds up the deletion: one that failed, else one that was tried, else the first. */
export function describeProgress({ left, named = left, applied, live }: Progress): {
  message: string;
  isStalled: boolean;
} {
  const failed = named.find((id) => applied.get(idKey(id))?.refusal);
  const first = failed ?? named.find((id) => applied.has(idKey(id))) ?? named[0];
  if (!first) return { message: '', isStalled: false };
  const result = applied.get(idKey(first));
  const entry = live.get(idKey(first));
  const unknown = entry?.state === 'unknown' ? entry.reason : undefined;
  const why = result?.refusal?.message ?? result?.message ?? unknown ?? 'waits for the objects before it';
  return { message: `${left.length} left; ${formatId(first)}: ${why}`, isStalled: failed !== undefined };
}
