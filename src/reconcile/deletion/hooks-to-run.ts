/**
 * The hooks that a deleted Application still has to run, read from the revision that was applied last. Status tells how
 * many there are, so that an Application without hooks is deleted without its source.
 */
import type { StoredStatus } from '../../application/schema.ts';
import type { DesiredObject } from '../../bind/desired.ts';
import type { ObjectId } from '../../object/identity.ts';
import { formatProblem } from '../../object/problem.ts';
import { StageError } from '../../object/stage-error.ts';
import type { ConfirmationStatus } from '../../status/compose-bare.ts';
import type { Deletion } from './deletion.ts';
import { tellWait } from './tell-progress.ts';

export interface HooksToRun {
  readonly preDelete: readonly DesiredObject[];
  readonly postDelete: readonly DesiredObject[];
}

const NONE: HooksToRun = { preDelete: [], postDelete: [] };

export interface Rest {
  /** The objects that are left. */
  readonly left: readonly ObjectId[];
  readonly confirmation?: ConfirmationStatus;
}

/** Whether a deletion has hooks to run before its objects are deleted, or after. */
export function hooksDue({ deletion, deletionHooks }: StoredStatus): Readonly<Record<keyof HooksToRun, boolean>> {
  const phase = deletion?.phase ?? 'PreDelete';
  return {
    preDelete: phase === 'PreDelete' && (deletionHooks?.preDelete ?? 0) > 0,
    postDelete: phase !== 'Cleanup' && (deletionHooks?.postDelete ?? 0) > 0,
  };
}

/** `waiting`: they cannot be read now, and status says why. */
export async function hooksToRun(deletion: Deletion, rest: Rest): Promise<HooksToRun | 'waiting'> {
  const { status } = deletion.deleted;
  const due = hooksDue(status);
  if (!due.preDelete && !due.postDelete) return NONE;
  try {
    const desired = await deletion.context.readApplied();
    if (!desired) return NONE;
    const of = (phase: 'isPreDelete' | 'isPostDelete'): DesiredObject[] =>
      desired.objects.filter(({ policy }) => policy?.[phase] === true);
    const found = { preDelete: of('isPreDelete'), postDelete: of('isPostDelete') };
    const counts = status.deletionHooks;
    const isShort =
      found.preDelete.length < (counts?.preDelete ?? 0) || found.postDelete.length < (counts?.postDelete ?? 0);
    const [problem] = desired.problems;
    if (isShort && problem) return await tellUnread(deletion, rest, formatProblem(problem));
    return {
      preDelete: due.preDelete ? found.preDelete : [],
      postDelete: due.postDelete ? found.postDelete : [],
    };
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    return tellUnread(deletion, rest, error.message);
  }
}

async function tellUnread(deletion: Deletion, { left, confirmation }: Rest, why: string): Promise<'waiting'> {
  const reason = `the hooks of the deletion cannot be read, so it waits: ${why}; ${HOW_TO_SKIP_HOOKS}`;
  await tellWait(deletion, { left, reason, isHookFailed: true, ...(confirmation ? { confirmation } : {}) });
  return 'waiting';
}

export const HOW_TO_SKIP_HOOKS =
  'to delete the Application without them, set spec.deletionPolicy to Orphan, which leaves its objects alive';
