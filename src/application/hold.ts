/**
 * A hold: an earlier revision is in force in place of the followed one, after a rollback. Everything about it is in
 * status, so that it survives a restart of the agent.
 *
 * Invariant: a hold ends with another commit on a followed revision, or on request; the passage of time never ends it.
 */
import { commitOfRevision, revisionOfCommit, shortRevision } from './resolved-revision.ts';
import type { HistoryEntry, Hold, RevisionSet, SourceRevision } from './status-schema.ts';

/** Whether two sets name the same commits. A source that only one of them names does not count. */
export function isSameSet(one: RevisionSet, other: RevisionSet): boolean {
  if (commitOfRevision(one.revision) !== commitOfRevision(other.revision)) return false;
  const known = new Map(one.sources?.map(({ name, revision }) => [name, revision]));
  return (other.sources ?? []).every(({ name, revision }) => {
    const before = known.get(name);
    return before === undefined || commitOfRevision(before) === commitOfRevision(revision);
  });
}

/** The set of a revision and the sources that spec.sources names; remote bases, which have no name, are left out. */
export function revisionSetOf(
  revision: string,
  sources: readonly SourceRevision[] | undefined,
  names: ReadonlySet<string>,
): RevisionSet {
  const named = (sources ?? []).filter(({ name }) => names.has(name));
  return { revision, ...(named.length > 0 ? { sources: named } : {}) };
}

/** The revision of a commit and those of the other sources beside it, from the history where it names the commit. */
export function revisionsAt(commit: string, history: readonly HistoryEntry[], names: ReadonlySet<string>): RevisionSet {
  const entries = history.filter(({ revision }) => commitOfRevision(revision) === commit);
  const entry = entries.find(({ outcome }) => outcome === 'Succeeded') ?? entries[0];
  return entry ? revisionSetOf(entry.revision, entry.sources, names) : { revision: revisionOfCommit(commit) };
}

/** How a person ends a hold, for messages. */
export function howToRelease({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `tautline release ${name} -n ${namespace}`;
}

/** One sentence for people: the revision in force, the reason, and how the hold ends. */
export function describeHold(
  { revision, over, reason, message, by }: Hold,
  application: { readonly namespace: string; readonly name: string },
): string {
  const asked = by === undefined ? 'rolled back on request' : `rolled back on request of ${by}`;
  const why = reason === 'RolledBack' ? 'rolled back after it failed' : asked;
  const because = message === undefined ? '' : ` (${message})`;
  return (
    `${shortRevision(revision)} is in force; ${shortRevision(over.revision)} was ${why}${because}; ` +
    `a newer commit ends the hold, or: ${howToRelease(application)}`
  );
}
