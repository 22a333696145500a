/**
 * `tautline rollback NAME`: goes back to an earlier revision, and holds it in force. `tautline release NAME` ends that.
 *
 * Invariant: without a revision, the one before the present one is meant that was synced with success last.
 */
import { parseApplication } from '../application/parse.ts';
import { commitOfRevision } from '../application/resolved-revision.ts';
import type { StoredStatus } from '../application/schema.ts';
import { stringAt, type KubeObject } from '../object/value.ts';
import type { Choice } from './application-name.ts';
import type { ExitCode } from './exit-code.ts';
import { forOne } from './find-application.ts';
import { resolveCommit } from './resolve-commit.ts';
import { forEachName, sendRequest } from './send-request.ts';
import { fail, type Access, type ClusterFlags } from './with-cluster.ts';

export interface RollbackCommand extends ClusterFlags {
  readonly name: string;
  /** A commit, the start of one, a branch or a tag. undefined: the revision before the present one. */
  readonly to?: string | undefined;
  readonly prune?: boolean | undefined;
  readonly reason?: string | undefined;
  readonly replace: boolean;
  /** undefined: do not wait for the answer. */
  readonly timeoutMs: number | undefined;
}

export function runRollback(command: RollbackCommand): Promise<ExitCode> {
  return forOne(command, (access, application) => rollBack(access, application, command));
}

async function rollBack(
  access: Access,
  stored: KubeObject,
  { to, prune, reason, replace, timeoutMs }: RollbackCommand,
): Promise<ExitCode> {
  const { cluster } = access;
  const name = stringAt(stored.metadata, 'name') ?? '';
  const parsed = parseApplication(stored);
  if (!parsed.ok) return fail(`${name}: the Application is malformed: ${parsed.problems.join('; ')}`);
  const { application } = parsed;
  const found = to === undefined ? earlierCommit(application.status) : await resolveCommit(cluster, application, to);
  if (!found.ok) return fail(`${name}: ${found.problem}`);
  const fields = {
    action: 'rollback' as const,
    revision: found.commit,
    ...(prune === undefined ? {} : { prune }),
    ...(reason === undefined ? {} : { reason }),
  };
  return sendRequest(access, { name, replace, timeoutMs, fields });
}

type Earlier = { readonly ok: true; readonly commit: string } | { readonly ok: false; readonly problem: string };

/** The newest commit of the history that was synced with success and is neither in force nor followed. */
export function earlierCommit({ history = [], hold, sync }: StoredStatus): Earlier {
  const present = [sync?.revision, sync?.lastAppliedRevision, hold?.over.revision].map((revision) =>
    commitOfRevision(revision ?? ''),
  );
  for (const { outcome, revision } of history) {
    const commit = commitOfRevision(revision);
    if (outcome === 'Succeeded' && commit !== undefined && !present.includes(commit)) return { ok: true, commit };
  }
  return { ok: false, problem: 'its history has no earlier revision that was synced: name one with --to' };
}

export interface ReleaseCommand extends ClusterFlags, Choice {
  readonly replace: boolean;
  /** undefined: do not wait for the answer. */
  readonly timeoutMs: number | undefined;
}

export function runRelease({ replace, timeoutMs, ...command }: ReleaseCommand): Promise<ExitCode> {
  return forEachName(command, (access, name, isOneOfSeveral) =>
    sendRequest(access, { name, replace, timeoutMs, fields: { action: 'release' }, isOneOfSeveral }),
  );
}
