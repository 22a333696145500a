/** The parts of an Application's memory that only `effect/` writes. */

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
