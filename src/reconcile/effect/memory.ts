/** The part of an Application's memory that only `effect/` writes. */

export interface PlaceMemory {
  /** Whether the destination namespace is known to exist; asked again once an apply finds it missing. */
  isNamespaceKnown: boolean;
}

export function emptyPlaceMemory(): PlaceMemory {
  return { isNamespaceKnown: false };
}
