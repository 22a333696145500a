/**
 * The API groups whose definitions an Application waits for: a kind is not served, or its definition refuses a manifest
 * that it may accept once it changes.
 */
import type { RefusalCode } from '../../cluster/answers.ts';
import { BUILT_IN_GROUPS } from '../../object/built-in-groups.ts';
import { idKey } from '../../object/identity.ts';
import { isPassing } from '../../object/problem.ts';
import type { PassReport } from '../../status/report.ts';

export function awaitedGroupsOf({
  applied,
  changes,
  problems,
}: Pick<PassReport, 'applied' | 'changes' | 'problems'>): ReadonlySet<string> {
  const groups = new Set<string>();
  for (const problem of problems) if (problem.object && isPassing(problem)) groups.add(problem.object.group);
  for (const { change, refusal } of applied.values()) {
    if (refusal && MAY_HANG_ON_DEFINITION.has(refusal.code)) groups.add(change.id.group);
  }
  for (const { type, id } of changes) {
    // An object that is unsure and was not sent: a dry run of it was refused.
    if (type === 'unknown' || (type === 'unsure' && !applied.has(idKey(id)))) groups.add(id.group);
  }
  for (const group of BUILT_IN_GROUPS) groups.delete(group);
  return groups;
}

const MAY_HANG_ON_DEFINITION: ReadonlySet<RefusalCode> = new Set(['InvalidManifest', 'Immutable', 'KindNotServed']);
