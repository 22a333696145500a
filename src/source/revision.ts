/**
 * Revisions in both directions; no other file takes one apart.
 *
 * `spec.source.revision` holds a wanted revision: 40 hex digits are a commit, `refs/…` is a full reference, `HEAD` or
 * nothing is the default branch, `semver:<range>` is the newest tag in a range of versions, anything else is looked for
 * as a branch and then as a tag. An annotated tag stands for the commit that it points at.
 *
 * A resolved revision is shown to people and stored in status: `main@sha1:<40 hex>`, `v1.2@sha1:<40 hex>`, and
 * `sha1:<40 hex>` for a commit that was named without a branch or tag. Charts and OCI artifacts have their digest in
 * the place of a commit: `6.5.4@sha256:<64 hex>`, `sha256:<64 hex>` (see application/artifact-revision.ts).
 */
import type { RepositoryPush } from '../application/repository.ts';
import { commitOfRevision, revisionOfCommit } from '../application/resolved-revision.ts';
import { newestIn, rangeOfRevision, type VersionRange } from '../application/version-range.ts';
import { printable } from '../object/printable.ts';
import { sourceError } from '../object/source-error.ts';

export interface RemoteRef {
  readonly oid: string;
  /** The object that an annotated tag points at. */
  readonly peeled?: string;
  /** The reference that this one (HEAD) stands for. */
  readonly target?: string;
}

/** References by full name. A Map, since the names are chosen by the server. */
export type RemoteRefs = ReadonlyMap<string, RemoteRef>;

export interface ResolvedRevision {
  /** `<name>@sha1:<40 hex>` or `sha1:<40 hex>`; of a chart or artifact with `sha256:<64 hex>`. */
  readonly revision: string;
  /** 40 hex digits of a commit, or 64 of the digest of a chart or artifact. */
  readonly commit: string;
  /** The annotated tag that a poll has found it by. */
  readonly tag?: ResolvedTag;
}

export interface ResolvedTag {
  /** As the server writes it, without refs/tags/. */
  readonly name: string;
  /** The id of the tag itself, 40 hex digits. */
  readonly oid: string;
}

export type WantedRevision =
  | { readonly type: 'commit'; readonly commit: string }
  /** `names`: the first one that exists counts. */
  | { readonly type: 'refs'; readonly names: readonly string[]; readonly text: string }
  /** The newest tag in the range counts. `names` is the prefix of all tags. */
  | { readonly type: 'range'; readonly names: readonly string[]; readonly text: string; readonly range: VersionRange };

const HEAD = 'HEAD';
/** Begins the full names of tags. */
export const TAGS = 'refs/tags/';
const OID = /^[0-9a-f]{40}$/;

/** Exactly what git refuses in the name of a reference (git-check-ref-format). */
const BAD_REF = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|^\/|\/$|\.$|(^|\/)\.|\.lock(\/|$)|^@$/;

const MAX_REVISION_CHARS = 512;

/** Throws StageError InvalidRevision. */
export function parseRevision(text: string | undefined): WantedRevision {
  const wanted = text === undefined || text === '' ? HEAD : text;
  if (wanted.startsWith('semver:')) {
    const range = rangeOfRevision(wanted);
    if (range) return { type: 'range', names: [TAGS], text: wanted, range };
    throw sourceError(
      'InvalidRevision',
      `${JSON.stringify(wanted.slice(0, 80))} holds no range of versions. Write it as semver:>=1.2.0 <2.0.0 or semver:^1.2.`,
    );
  }
  if (wanted.length > MAX_REVISION_CHARS || BAD_REF.test(wanted)) {
    throw sourceError(
      'InvalidRevision',
      `${JSON.stringify(wanted.slice(0, 80))} cannot be the name of a branch or tag. Name a branch, a tag, refs/… or a commit of 40 hex digits.`,
    );
  }
  return wantedOf(wanted);
}

function wantedOf(text: string): Exclude<WantedRevision, { type: 'range' }> {
  if (OID.test(text.toLowerCase())) return { type: 'commit', commit: text.toLowerCase() };
  if (text === HEAD || text.startsWith('refs/')) return { type: 'refs', names: [text], text };
  return { type: 'refs', names: [`refs/heads/${text}`, `refs/tags/${text}`], text };
}

/**
 * Whether a push may have moved a wanted revision. In doubt it may: a needless poll costs one small request. A commit
 * may be followed before it is pushed, so every push counts for it.
 */
export function mayHaveMoved(revision: string, { refs, defaultBranch }: RepositoryPush): boolean {
  if (revision.startsWith('semver:')) return refs.length === 0 || refs.some((name) => name.startsWith(TAGS));
  const wanted = wantedOf(revision);
  if (refs.length === 0 || wanted.type === 'commit') return true;
  if (revision === HEAD) return defaultBranch === undefined || refs.includes(`refs/heads/${defaultBranch}`);
  return wanted.names.some((name) => refs.includes(name));
}

/** Finds a wanted revision among the references of a server. */
export function resolveRevision(wanted: WantedRevision, refs: RemoteRefs): ResolvedRevision | undefined {
  if (wanted.type === 'commit') return resolvedCommit(wanted.commit);
  if (wanted.type === 'range') return newestTag(wanted.range, refs);
  for (const name of wanted.names) {
    const ref = refs.get(name);
    if (!ref) continue;
    const commit = ref.peeled ?? ref.oid;
    const branch = name === HEAD ? branchOf(ref) : undefined;
    return { commit, revision: `${printable(branch ?? wanted.text)}@sha1:${commit}`, ...tagOf(name, ref) };
  }
  return undefined;
}

function newestTag(range: VersionRange, refs: RemoteRefs): ResolvedRevision | undefined {
  const tags = [...refs].filter(([name]) => name.startsWith(TAGS));
  const found = newestIn(tags, ([name]) => name.slice(TAGS.length), range);
  if (!found) return undefined;
  const [name, ref] = found;
  const commit = ref.peeled ?? ref.oid;
  return { commit, revision: `${printable(name.slice(TAGS.length))}@sha1:${commit}`, ...tagOf(name, ref) };
}

/** A tag that is not annotated is no object of its own. */
function tagOf(name: string, { oid, peeled }: RemoteRef): Pick<ResolvedRevision, 'tag'> {
  return name.startsWith(TAGS) && peeled !== undefined ? { tag: { name: name.slice(TAGS.length), oid } } : {};
}

/** The annotated tags of a commit, in the order of the server; `name`, without refs/tags/, excludes all others. */
export function tagsOfCommit(refs: RemoteRefs, { commit, name }: TagQuestion): readonly ResolvedTag[] {
  return [...refs].flatMap(([full, ref]) => {
    const { tag } = tagOf(full, ref);
    return tag && ref.peeled === commit && (name === undefined || name === tag.name) ? [tag] : [];
  });
}

export interface TagQuestion {
  /** 40 hex digits. */
  readonly commit: string;
  readonly name: string | undefined;
}

/** A commit that is named without a branch or tag, or a digest without a tag (64 hex digits). */
export function resolvedCommit(commit: string): ResolvedRevision {
  return { commit, revision: revisionOfCommit(commit) };
}

/** The digest (`sha256:` and 64 hex digits) of a chart or artifact, with the version or tag that it was found by. */
export function resolvedDigest(digest: string, name?: string): ResolvedRevision {
  const commit = digest.slice('sha256:'.length);
  return { commit, revision: name === undefined ? digest : `${printable(name)}@${digest}` };
}

/** A resolved revision as status stores it; undefined for any other text. */
export function readRevision(text: string): ResolvedRevision | undefined {
  const commit = commitOfRevision(text);
  return commit === undefined ? undefined : { commit, revision: text };
}

/** `main` of the resolved revision `main@sha1:<40 hex>`; a bare commit or digest is its own name. */
export function nameOfRevision(revision: string): string {
  const at = revision.lastIndexOf('@');
  return at < 0 ? revision : revision.slice(0, at);
}

/** The branch that HEAD stands for. The server says so, and only a possible name of a branch is shown to people. */
function branchOf({ target }: RemoteRef): string | undefined {
  if (!target?.startsWith('refs/heads/') || target.length > MAX_REVISION_CHARS || BAD_REF.test(target))
    return undefined;
  return target.slice('refs/heads/'.length);
}
