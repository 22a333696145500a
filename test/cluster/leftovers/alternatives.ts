/**
 * The form of a case in which the live object holds a value that the server refuses beside the one of Git, left by a
 * person, by a default of the server or by another manager.
 */
import type { Manifest } from '../../support/objects.ts';

export interface Case {
  /** The object as Git has it first. */
  readonly before: Manifest;
  /** A merge patch (RFC 7396) by a person, after the first apply. */
  readonly hand?: Manifest;
  /** A part of the object that another manager applies, after the first apply. */
  readonly applied?: Manifest;
  /** The object as Git has it then; absent: as before. */
  readonly after?: Manifest;
  /** By path: the value that must be there afterwards; undefined: none. */
  readonly expected: Readonly<Record<string, unknown>>;
}

export const META = { name: 'x', namespace: 'default' };
