/**
 * What source/ hands on: one immutable tree at one commit. Plain data, so that it can cross a process border; the
 * objects behind it are read from `gitDir` by object id and never change.
 */

export interface Snapshot {
  /** The repository as the Application names it. */
  readonly repoUrl: string;
  /** `<name>@sha1:<40 hex>`, for people and for status: `main@sha1:…`, `v1.2@sha1:…`, `sha1:…` for a bare commit. */
  readonly revision: string;
  /** 40 hex digits. */
  readonly commit: string;
  /** Object id of the commit's tree, 40 hex digits. */
  readonly treeOid: string;
  /** Where it is kept: the repository, as the credential that it was fetched with sees it. */
  readonly place: string;
  /** Folder with the packs and their indexes. */
  readonly gitDir: string;
}
