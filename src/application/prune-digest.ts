/**
 * The digest by which status and a request name one prune: the objects that it would delete, at one commit and one
 * generation of the spec. Invariant: another object, commit or generation gives another digest.
 */
import { digestText } from '../object/digest.ts';
import { idKey, type ObjectId } from '../object/identity.ts';

/** An object that left Git, and the objects that would be deleted with it. */
export interface LeftObject {
  readonly id: ObjectId;
  /** For an Application: the objects that it would delete in turn. */
  readonly behind: readonly ObjectId[];
}

/** The state at which a deleted Application prunes its objects, in place of a commit. */
export const DELETION = 'deletion';

export interface PruneSet {
  /** 40 hex digits, or `DELETION`. */
  readonly commit: string;
  readonly generation: number | undefined;
  readonly left: readonly LeftObject[];
}

/** 43 characters of base64url. The order of the objects does not matter. */
export function digestPrune({ commit, generation, left }: PruneSet): string {
  const keys = new Set(left.flatMap(({ id, behind }) => [id, ...behind].map(idKey)));
  return digestText([commit, String(generation ?? ''), ...[...keys].sort()].join('\n'));
}
