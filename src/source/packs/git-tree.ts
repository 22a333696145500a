/**
 * Parses trees and commits as git stores them.
 *
 * Invariant: a tree is refused as a whole if it holds a name that git would not check out, or two entries of one name.
 * So a render never differs from one of a clone.
 */
import { cleanText } from '../../object/printable.ts';
import { sourceError } from '../../object/source-error.ts';
import type { Lineage } from '../snapshot.ts';

export interface TreeEntry {
  readonly type: 'file' | 'folder' | 'link' | 'submodule';
  /** 40 hex digits; for a submodule, a commit of another repository. */
  readonly oid: string;
}

const TYPE_OF_MODE: Readonly<Record<number, TreeEntry['type']>> = {
  0o040000: 'folder',
  0o100000: 'file',
  0o120000: 'link',
  0o160000: 'submodule',
};
const TYPE_MASK = 0o170000;
const MAX_NAME_BYTES = 4096;
const OID_BYTES = 20;

/** The entries by name, in the order of the tree. `path` is for messages. Throws StageError MalformedTree. */
export function parseTree(data: Buffer, path: string): Map<string, TreeEntry> {
  const entries = new Map<string, TreeEntry>();
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(0x20, at);
    const end = space < 0 ? -1 : data.indexOf(0, space);
    if (end < 0 || end + 1 + OID_BYTES > data.length) throw refused(path, 'breaks off');
    const mode = data.toString('latin1', at, space);
    const type = /^[0-7]{5,6}$/.test(mode) ? TYPE_OF_MODE[Number.parseInt(mode, 8) & TYPE_MASK] : undefined;
    const name = data.toString('utf8', space + 1, end);
    if (!type) throw refused(path, `holds the entry ${quoted(name)} of an unknown mode`);
    if (end - space > MAX_NAME_BYTES || isForbiddenName(name)) throw refused(path, `holds the name ${quoted(name)}`);
    if (entries.has(name)) throw refused(path, `holds the name ${quoted(name)} twice`);
    at = end + 1 + OID_BYTES;
    entries.set(name, { type, oid: data.toString('hex', end + 1, at) });
  }
  return entries;
}

/** Git refuses to write more parents than 16 at a time; a commit that is made by hand may hold any number. */
const MAX_PARENTS = 32;
/** The longest beginning of a commit that is read: the message may be of any size. */
const MAX_HEADER_BYTES = 64 * 1024;

/** Throws StageError NotACommit. */
export function parseCommit(data: Buffer, oid: string): { readonly treeOid: string; readonly lineage: Lineage } {
  const text = data.toString('latin1', 0, Math.min(data.length, MAX_HEADER_BYTES));
  const [header = ''] = text.split('\n\n', 1);
  const treeOid = /^tree ([0-9a-f]{40})(?:\n|$)/.exec(header)?.[1];
  if (treeOid === undefined) throw notACommit(oid);
  const lines = header.split('\n');
  const parents = lines.flatMap((line) => /^parent ([0-9a-f]{40})$/.exec(line)?.[1] ?? []).slice(0, MAX_PARENTS);
  const committer = lines.find((line) => line.startsWith('committer '));
  const seconds = committer && /> (\d{1,15}) [-+]\d{4}$/.exec(committer)?.[1];
  return { treeOid, lineage: { parents, committedS: seconds ? Number(seconds) : undefined } };
}

export function notACommit(oid: string): Error {
  return sourceError('NotACommit', `The object ${oid} is not a commit. Name a branch, a tag of a commit, or a commit.`);
}

/** HFS+ ignores these code points in a name. */
const IGNORED_BY_HFS = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** Names that HFS+ or NTFS takes for `.git`: other case, trailing dots and blanks, a stream, the short name. */
const GIT_FOLDER = /^(\.git|git~1)[. ]*(:.*)?$/i;

/** Names that git refuses to check out (verify_path in its read-cache.c, with protectHFS and protectNTFS). */
function isForbiddenName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) return true;
  return GIT_FOLDER.test(name) || GIT_FOLDER.test(name.replace(IGNORED_BY_HFS, ''));
}

function refused(path: string, defect: string): Error {
  return sourceError(
    'MalformedTree',
    `Git refuses to check out the folder ${quoted(path === '' ? '/' : path)} of the repository: it ${defect}. Remove it from the repository.`,
  );
}

function quoted(name: string): string {
  return cleanText(JSON.stringify(name), 120);
}
