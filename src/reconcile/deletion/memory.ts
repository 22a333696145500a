/** The part of an Application's memory that only `deletion/` writes. */

export interface DeletionMemory {
  /** Monotonic; when this process began to finish the deleted Application. */
  sinceMs: number | undefined;
}

export function emptyDeletionMemory(): DeletionMemory {
  return { sinceMs: undefined };
}
