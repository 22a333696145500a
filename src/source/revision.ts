/**
 * Which commit a revision means: 40 hex digits are a commit, `refs/…` is taken as it is, `HEAD` or nothing is the
 * default branch, anything else a branch and then a tag. Annotated tags are peeled to what they point at.
 */
import { printable } from '../object/printable.ts';
import { sourceError } from './source-error.ts';

export interface RemoteRef {
  readonly oid: string;
  /** What an annotated tag points at. */
  readonly peeled?: string;
  /** The reference that this one (HEAD) stands for. */
  readonly target?: string;
}

/** References by full name. A Map, since names come from outside. */
export type RemoteRefs = ReadonlyMap<string, RemoteRef>;

export interface ResolvedRevision {
  /** As in `Snapshot.revision`. */
  readonly revision: string;
  /** 40 hex digits. */
  readonly commit: string;
}

export type WantedRevision =
  | { readonly type: 'commit'; readonly commit: string }
  /** In the order in which they are taken. */
  | { readonly type: 'refs'; readonly names: readonly string[]; readonly text: string };

const OID = /^[0-9a-f]{40}$/;

/** What git itself refuses in a reference's name (git-check-ref-format), and no more. */
const BAD_REF = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|^\/|\/$|\.$|(^|\/)\.|\.lock(\/|$)|^@$/;

const MAX_REVISION_CHARS = 512;

/** Throws StageError InvalidRevision or UnsupportedRevision. */
export function parseRevision(text: string | undefined): WantedRevision {
  const wanted = text === undefined || text === '' ? 'HEAD' : text;
  if (OID.test(wanted.toLowerCase())) return { type: 'commit', commit: wanted.toLowerCase() };
  if (wanted.startsWith('semver:')) {
    throw sourceError(
      'UnsupportedRevision',
      'Revisions of the form semver:<range> are not supported. Name a tag, a branch or a commit.',
    );
  }
  if (wanted.length > MAX_REVISION_CHARS || BAD_REF.test(wanted)) {
    throw sourceError(
      'InvalidRevision',
      `${JSON.stringify(wanted.slice(0, 80))} cannot be the name of a branch or tag. Name a branch, a tag, refs/… or a commit of 40 hex digits.`,
    );
  }
  if (wanted === 'HEAD') return { type: 'refs', names: ['HEAD'], text: wanted };
  if (wanted.startsWith('refs/')) return { type: 'refs', names: [wanted], text: wanted };
  return { type: 'refs', names: [`refs/heads/${wanted}`, `refs/tags/${wanted}`], text: wanted };
}

/** The revision among the references that a server sent, or undefined. */
export function resolveRevision(wanted: WantedRevision, refs: RemoteRefs): ResolvedRevision | undefined {
  if (wanted.type === 'commit') return { commit: wanted.commit, revision: `sha1:${wanted.commit}` };
  for (const name of wanted.names) {
    const ref = refs.get(name);
    if (!ref) continue;
    const commit = ref.peeled ?? ref.oid;
    const branch = name === 'HEAD' ? branchOf(ref) : undefined;
    return { commit, revision: `${printable(branch ?? wanted.text)}@sha1:${commit}` };
  }
  return undefined;
}

/** The server says what HEAD stands for: only what can be a branch is repeated. */
function branchOf({ target }: RemoteRef): string | undefined {
  if (!target?.startsWith('refs/heads/') || target.length > MAX_REVISION_CHARS || BAD_REF.test(target))
    return undefined;
  return target.slice('refs/heads/'.length);
}
