/**
 * Brings the parts of a repository that are not in its own objects: submodules, and the content of files in Git LFS. A
 * mistake of the repository is an answer, so that the problem names the line of `.gitmodules` or the file; an outage is
 * thrown, so that the render is tried again.
 */
import { digestText } from '../../object/digest.ts';
import type { Problem } from '../../object/problem.ts';
import { printable } from '../../object/printable.ts';
import { StageError } from '../../object/stage-error.ts';
import type { LfsNeed, SubmoduleNeed } from '../../render/needs.ts';
import type { Reading } from '../pass.ts';
import type { Brought } from './brought.ts';
import { refuseSubmodule } from './host-policy.ts';
import { treeOfPart } from './other-sources.ts';

/** Throws StageError. */
export async function bringPart(
  reading: Reading,
  need: PartNeed,
): Promise<Pick<Brought, 'answer' | 'digest' | 'tree'>> {
  const problem = need.type === 'submodule' ? refuseSubmodule(need, reading.context.settings) : undefined;
  if (problem) return refused(problem);
  try {
    const tree = await treeOfPart(reading, need);
    return { answer: { type: 'tree' }, digest: tree.tree.treeOid, tree };
  } catch (error) {
    return refused(problemOfPart(error, need));
  }
}

type PartNeed = SubmoduleNeed | LfsNeed;

type Refusal = Omit<Problem, 'file' | 'line'>;

function refused(problem: Refusal): Pick<Brought, 'answer' | 'digest'> {
  return { answer: { type: 'refused', problem }, digest: digestText(problem.message) };
}

/** Errors that a later try mends although nothing is changed in the repository or its address. */
const PASSING: ReadonlySet<string> = new Set([
  ...['Network', 'Timeout', 'Cancelled', 'RateLimited', 'ServerError', 'UnexpectedStatus', 'TruncatedAnswer'],
  ...['StorageFailed', 'SnapshotGone', 'CorruptPack', 'IncompletePack', 'Killed', 'Failed', 'SandboxBusy'],
  ...['SandboxClosed', 'SecretUnreadable', 'KnownHostsUnreadable', 'SshFailed'],
]);

/** The problem of a part that cannot be read. Throws the error again, with the place, if it may pass. */
export function problemOfPart(error: unknown, need: PartNeed): Refusal {
  if (!(error instanceof StageError)) throw error;
  const { code, stage, retry, cause, message } = error;
  const what = need.type === 'lfs' ? 'the content of the file in Git LFS' : `the submodule ${printable(need.path)}`;
  if (PASSING.has(code)) {
    const place = `${printable(need.file ?? '')}:${need.line ?? 0}`;
    throw new StageError({ stage, code, retry, cause, message: `${place}: ${what} cannot be read: ${message}` });
  }
  if (need.type === 'lfs') return { code: 'LfsUnavailable', message: `${what} cannot be read: ${message}` };
  if (code !== 'RevisionNotFound' && code !== 'NotACommit') {
    return { code: 'SubmoduleInvalid', message: `${what} cannot be read: ${message}` };
  }
  return {
    code: 'SubmoduleInvalid',
    message: `${what} is at the commit ${need.commit}, which the server of ${printable(need.repoURL)} does not give out`,
    hint: 'Push the commit to a branch of that repository, or let the submodule name another commit.',
  };
}
