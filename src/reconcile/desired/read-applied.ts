/**
 * The objects of the revision that was applied last, for the end of an Application: hooks of its deletion are in no
 * cluster yet. Where Git does not answer, the files on disk are used.
 */
import { revisionsAt } from '../../application/hold.ts';
import { commitOfRevision } from '../../application/resolved-revision.ts';
import type { Application } from '../../application/schema.ts';
import type { RevisionSet } from '../../application/status-schema.ts';
import type { Desired } from '../../bind/desired.ts';
import { formatProblem } from '../../object/problem.ts';
import { StageError } from '../../object/stage-error.ts';
import type { Pass } from '../pass.ts';
import { bindDesired } from './bind-desired.ts';
import { bringRevisions } from './bring-snapshot.ts';
import { isUsable, renderSnapshot } from './render-snapshot.ts';

/** undefined: no revision was ever applied. Throws StageError if it cannot be read, rendered or bound. */
export async function readApplied(pass: Pass): Promise<Desired | undefined> {
  const revisions = appliedRevisions(pass.application);
  if (!revisions) return undefined;
  const snapshot = await bringRevisions(pass, revisions);
  const manifests = await renderSnapshot(pass, snapshot);
  const [problem] = manifests.problems;
  if (!isUsable(manifests) && problem) {
    throw new StageError({ stage: 'render', code: problem.code, retry: 'backoff', message: formatProblem(problem) });
  }
  return (await bindDesired(pass, manifests))?.desired;
}

/** A first sync that failed has applied a part of its revision. */
function appliedRevisions({ spec, status }: Application): RevisionSet | undefined {
  const { lastAppliedRevision, lastAttemptedRevision } = status.sync ?? {};
  const revision = lastAppliedRevision ?? lastAttemptedRevision;
  const commit = revision === undefined ? undefined : commitOfRevision(revision);
  if (revision === undefined || commit === undefined) return undefined;
  const names = new Set(spec.sources?.map(({ name }) => name));
  return { ...revisionsAt(commit, status.history ?? [], names), revision };
}
