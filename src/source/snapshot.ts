/**
 * A snapshot: the files of a repository at one commit, or those of a chart or OCI artifact with one digest. It is
 * immutable plain data, so it can cross a process border. The objects behind it stay on disk and are read by object id.
 */

export interface Snapshot {
  /**
   * Names this snapshot among all that one process fetches: by repository, by the credential that it was fetched with,
   * and by commit. Opaque outside source/: compare it, but do not take it apart.
   */
  readonly id: string;
  /** The address of the repository as the Application writes it. */
  readonly repoUrl: string;
  /** For people and for status; see revision.ts, which alone takes it apart. */
  readonly revision: string;
  /** As `ResolvedRevision.commit`. The same for every credential that can fetch it. */
  readonly commit: string;
  readonly lineage?: Lineage;
  readonly tree: SnapshotTree;
  /** Absent for a snapshot of an older version of the agent. */
  readonly about?: CommitAbout;
}

/** Subject, author, date and signer of a commit; printable and bounded. */
export interface CommitAbout {
  /** First line of the message. */
  readonly subject?: string;
  /** Name of the author, without the address. */
  readonly author?: string;
  /** Author date (RFC 3339). */
  readonly date?: string;
  /** The person who signed it, with the key. Present only if the spec asks for signatures of Git or helm. */
  readonly signer?: string;
}

/** The place of a commit among others, as the commit itself tells it. */
export interface Lineage {
  /** The first parents, 40 hex digits each. */
  readonly parents: readonly string[];
  /** The time of the committer, in seconds since 1970. undefined: the commit names none that can be read. */
  readonly committedS: number | undefined;
}

/** Where the files of a snapshot are read from. */
export interface SnapshotTree {
  /** Folder with the packs and their indexes. */
  readonly gitDir: string;
  /** Object id of the root tree, 40 hex digits. Equal ids mean equal files, whatever the commit. */
  readonly treeOid: string;
  /** The commit that must name this tree; a reader checks it. Absent: the tree is of no commit. */
  readonly commit?: string;
}

/** The parts of an id. On disk they are the names of the snapshot's folders. */
export interface SnapshotKey {
  /** See repository.ts. */
  readonly repositoryKey: string;
  readonly commit: string;
}

export function snapshotId({ repositoryKey, commit }: SnapshotKey): string {
  return `${repositoryKey}/${commit}`;
}

export function parseSnapshotId(id: string): SnapshotKey {
  const slash = id.indexOf('/');
  return { repositoryKey: id.slice(0, slash), commit: id.slice(slash + 1) };
}
