/** The parts of an Application's memory that only `effect/` writes, and the findings of a dry run. */
import type { ObjectId } from '../../object/identity.ts';

export interface PlaceMemory {
  /** Whether the destination namespace is known to exist; asked again once an apply finds it missing. */
  isNamespaceKnown: boolean;
}

export interface RefusedMemory {
  /**
   * Lines of the refused fields of the last pass, by object, manifest and field, so that a retry does not ask the child
   * again; undefined: the line is not known.
   */
  lines: ReadonlyMap<string, number | undefined>;
}

export function emptyRefusedMemory(): RefusedMemory {
  return { lines: new Map() };
}

export function emptyPlaceMemory(): PlaceMemory {
  return { isNamespaceKnown: false };
}

export interface Trial {
  readonly id: ObjectId;
  readonly word: (typeof TRIAL_WORDS)[number];
  /** The object would be deleted and created again. */
  readonly isRecreated?: true;
  /** undefined: the object stays as it is. */
  readonly detail: string | undefined;
}

/** In the order of the counts. */
export const TRIAL_WORDS = [
  'created',
  'changed',
  'adopted',
  'pruned',
  'released',
  'held',
  'waiting',
  'kept',
  'unknown',
  'refused',
  'unchanged',
] as const;
