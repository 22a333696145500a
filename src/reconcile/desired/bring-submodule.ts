/**
 * Brings the trees of submodules. A mistake of the repository is an answer, so that the problem names the line of
 * `.gitmodules`; an outage is thrown, so that the render is tried again.
 */
import { digestText } from '../../object/digest.ts';
import type { Problem } from '../../object/problem.ts';
import { printable } from '../../object/printable.ts';
import { StageError } from '../../object/stage-error.ts';
import type { SubmoduleNeed } from '../../render/needs.ts';
import type { Reading } from '../pass.ts';
import type { Brought } from './brought.ts';
import { refuseSubmodule } from './host-policy.ts';
import { treeOfSubmodule } from './other-sources.ts';

/** Throws StageError. */
export async function bringSubmodule(
  reading: Reading,
  need: SubmoduleNeed,
): Promise<Pick<Brought, 'answer' | 'digest' | 'tree'>> {
  const problem = refuseSubmodule(need, reading.context.settings);
  if (problem) return refused(problem);
  try {
    const tree = await treeOfSubmodule(reading, need);
    return { answer: { type: 'tree' }, digest: tree.tree.treeOid, tree };
  } catch (error) {
    return refused(problemOfSubmodule(error, need));
  }
}

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

/** The problem of a submodule that cannot be read. Throws the error again, with the place, if it may pass. */
export function problemOfSubmodule(error: unknown, { path, repoURL, commit, file, line }: SubmoduleNeed): Refusal {
  if (!(error instanceof StageError)) throw error;
  const { code, stage, retry, cause, message } = error;
  const name = printable(path);
  if (PASSING.has(code)) {
    const place = `the submodule ${name} (${printable(file ?? '')}:${line ?? 0})`;
    throw new StageError({ stage, code, retry, cause, message: `${place} cannot be read: ${message}` });
  }
  if (code === 'RevisionNotFound' || code === 'NotACommit') {
    return {
      code: 'SubmoduleInvalid',
      message: `the submodule ${name} is at the commit ${commit}, which the server of ${printable(repoURL)} does not give out`,
      hint: 'Push the commit to a branch of that repository, or let the submodule name another commit.',
    };
  }
  return { code: 'SubmoduleInvalid', message: `the submodule ${name} cannot be read: ${message}` };
}
