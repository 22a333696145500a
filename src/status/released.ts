/**
 * Releases, as people are told of them: an object that left Git and stays alive without its owner is named in a
 * condition until the next revision, and in an Event.
 */
import { cutText, getCondition } from '../application/conditions.ts';
import type { Condition } from '../application/status-schema.ts';
import type { Applied } from '../apply/applied.ts';
import { compareIds, formatId } from '../object/identity.ts';
import { MAX_NOTE_CHARS, type PassEvent } from './event.ts';
import type { PassReport } from './report.ts';

export const RELEASED = 'Released';

/** The lines of the condition `Released`: those of this pass after those of earlier passes at the same revision. */
export function releasedLines(report: PassReport, previous: readonly Condition[]): string[] {
  const before = getCondition(previous, RELEASED);
  const { metadata, status } = report.application;
  const isSameRevision = report.revision === undefined || report.revision === status.sync?.revision;
  const isKept = before !== undefined && isSameRevision && before.observedGeneration === metadata.generation;
  const known = isKept ? before.message.split('\n') : [];
  const added = linesOf(report.applied).filter((line) => !known.includes(line));
  return [...known, ...added];
}

/** undefined: nothing was released. */
export function releaseEventOf(applied: Applied, action: 'Apply' | 'Delete'): PassEvent | undefined {
  const lines = linesOf(applied);
  if (lines.length === 0) return undefined;
  return { type: 'Normal', reason: RELEASED, action, note: cutText(lines.join('; '), MAX_NOTE_CHARS) };
}

function linesOf(applied: Applied): string[] {
  return [...applied.values()]
    .filter(({ outcome }) => outcome === 'released')
    .sort((a, b) => compareIds(a.change.id, b.change.id))
    .map(({ change, message }) => `${formatId(change.id)} stays in the cluster: ${message ?? 'it is released'}`);
}
