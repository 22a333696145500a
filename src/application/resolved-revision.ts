/** Resolved revisions as status stores them: `main@sha1:<40 hex>`, `6.5.4@sha256:<64 hex>`, or without a name. */

const COMMIT = /(?:^|@)(?:sha1:([0-9a-f]{40})|sha256:([0-9a-f]{64}))$/;

/** The commit (40 hex digits) or digest (64). undefined: the text is no resolved revision. */
export function commitOfRevision(revision: string): string | undefined {
  const [, commit, digest] = COMMIT.exec(revision) ?? [];
  return commit ?? digest;
}

/** The revision of a commit or digest that is named without a branch or tag. */
export function revisionOfCommit(commit: string): string {
  return `${commit.length === DIGEST_DIGITS ? 'sha256' : 'sha1'}:${commit}`;
}

const DIGEST_DIGITS = 64;

/** With the first 12 digits of the commit, for messages: `main@sha1:0123456789ab`. */
export function shortRevision(revision: string): string {
  const commit = commitOfRevision(revision);
  return commit === undefined ? revision : revision.slice(0, revision.length - commit.length + 12);
}
