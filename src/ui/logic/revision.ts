/** Revisions as people read them. */

/** The branch, tag or version and the short digest of `main@sha1:<40 hex>`. */
export interface Revision {
  readonly name: string;
  readonly digest: string;
  /** All hex digits, as requests name it; empty if the text has none. */
  readonly full: string;
}

export function readRevision(text = ''): Revision {
  const found = /^(.*)@sha\d+:([0-9a-f]+)$/.exec(text);
  if (!found) return { name: text, digest: '', full: '' };
  const [, name = '', full = ''] = found;
  return { name, digest: full.slice(0, 12), full };
}

/** An address of a repository without its scheme and its ending. */
export function shortRepository(url: string): string {
  return url.replace(/^(?:https?|ssh|oci):\/\/(?:[^/@]*@)?/, '').replace(/\.git$/, '');
}
