/**
 * Finds the commit that a person names: by its 40 digits, by its first ones as `get` shows them, or by a branch or tag.
 * The start of a commit is looked for in the status of the Application, a name is asked of the Git server. The digest
 * of a chart or artifact stands for a commit: it is named by its 64 digits, its first ones, or a version or tag.
 */
import type { Application, StoredStatus } from '../application/schema.ts';
import type { UserCluster } from '../cluster/user-cluster.ts';
import { StageError } from '../object/stage-error.ts';
import { readRevision, resolvedCommit, type ResolvedRevision } from '../source/revision.ts';
import { pollRevision } from './rendered.ts';

export type FoundCommit = ({ readonly ok: true } & ResolvedRevision) | { readonly ok: false; readonly problem: string };

export async function resolveCommit(
  cluster: UserCluster,
  application: Application,
  text: string,
): Promise<FoundCommit> {
  const digits = text.toLowerCase().replace(/^sha256:/, '');
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(digits)) return { ok: true, ...resolvedCommit(digits) };
  const isStart = /^[0-9a-f]{4,63}$/.test(digits);
  const found = isStart ? knownCommits(application.status).filter((commit) => commit.startsWith(digits)) : [];
  if (found.length === 1 && found[0] !== undefined) return { ok: true, ...resolvedCommit(found[0]) };
  if (found.length > 1) return { ok: false, problem: `${text} is the start of several commits: ${found.join(', ')}` };
  try {
    return { ok: true, ...(await pollRevision(cluster, application, text)) };
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    const hint = isStart ? `no commit of its history begins with ${text}, and as a branch or tag: ` : '';
    return { ok: false, problem: hint + error.message };
  }
}

/** The commits that the status names, each once. */
function knownCommits({ history = [], sync, pruneGuard }: StoredStatus): string[] {
  const revisions = [
    sync?.revision,
    sync?.lastAppliedRevision,
    sync?.lastAttemptedRevision,
    pruneGuard?.held?.revision,
    ...history.map(({ revision }) => revision),
  ];
  const commits = revisions.flatMap((revision) => readRevision(revision ?? '')?.commit ?? []);
  return [...new Set(commits)];
}
