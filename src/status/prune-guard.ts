/**
 * The state of the prune guard in status. Invariant: what status shows as held is what the digest names, and it stays
 * until a pass finds that nothing is held at that generation of the spec.
 */
import { digestPrune, type LeftObject } from '../application/prune-digest.ts';
import type { StoredStatus } from '../application/schema.ts';
import type { HeldPruneStatus, LastRequest, PruneGuardStatus } from '../application/status-schema.ts';
import { idKey } from '../object/identity.ts';
import type { PassReport } from './report.ts';

/** `answer` is the answer to the request, as this pass writes it. */
export function nextPruneGuard(
  previous: StoredStatus,
  report: PassReport,
  answer: LastRequest | undefined,
): PruneGuardStatus | undefined {
  const { guard } = report;
  const objectsBefore = guard ? guard.objectsBefore : previous.pruneGuard?.objectsBefore;
  const held = nextHeld(previous, report, answer);
  if (objectsBefore === undefined && held === undefined) return undefined;
  return { ...(objectsBefore === undefined ? {} : { objectsBefore }), ...(held ? { held } : {}) };
}

function nextHeld(
  previous: StoredStatus,
  report: PassReport,
  answer: LastRequest | undefined,
): HeldPruneStatus | undefined {
  const { application, applied, guard, held } = report;
  if (!guard?.left) {
    // Such a pass knows nothing about the prune. In mode manual it follows each sync that was held.
    const isSameSpec = previous.observedGeneration === application.metadata.generation;
    return isSameSpec ? previous.pruneGuard?.held : undefined;
  }
  const { left, confirmedBy } = guard;
  if (held) return heldStatus(report, left);
  if (confirmedBy === undefined) return undefined;
  const rest = left.filter(({ id }) => !GONE.has(applied.get(idKey(id))?.outcome ?? ''));
  if (rest.length === 0) return undefined;
  if (answer?.outcome !== 'InProgress') return heldStatus(report, rest);
  const bare = rest.map(({ id }) => ({ id, behind: [] }));
  return { ...heldStatus(report, bare), confirmedBy };
}

const GONE: ReadonlySet<string> = new Set(['pruned', 'released']);

function heldStatus(
  { application, commit = '', revision = '' }: PassReport,
  left: readonly LeftObject[],
): HeldPruneStatus {
  const { generation } = application.metadata;
  return { digest: digestPrune({ commit, generation, left }), objects: left.length, revision };
}
