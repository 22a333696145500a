/**
 * The memory for live objects, by namespace.
 *
 * Invariants: a namespace never takes more than its bound. All namespaces together take at most twice the total bound:
 * while the total is used up, a namespace still gets an equal share of it.
 */
export interface BodyBudget {
  /** Takes memory for an object; false if there is none left for the namespace. */
  take(namespace: string, bytes: number): boolean;
  giveBack(namespace: string, bytes: number): void;
  /** Bytes that are taken now. */
  total(): number;
}

export interface BodyLimits {
  readonly maxNamespaceLiveBytes: number;
  readonly maxTotalLiveBytes: number;
}

export function createBodyBudget({ maxNamespaceLiveBytes, maxTotalLiveBytes }: BodyLimits): BodyBudget {
  const taken = new Map<string, number>();
  let totalBytes = 0;
  return {
    take(namespace, bytes) {
      const ownBytes = (taken.get(namespace) ?? 0) + bytes;
      if (ownBytes > maxNamespaceLiveBytes) return false;
      const namespaces = taken.has(namespace) ? taken.size : taken.size + 1;
      if (totalBytes + bytes > maxTotalLiveBytes && ownBytes > maxTotalLiveBytes / namespaces) return false;
      taken.set(namespace, ownBytes);
      totalBytes += bytes;
      return true;
    },
    giveBack(namespace, bytes) {
      const left = (taken.get(namespace) ?? 0) - bytes;
      if (left > 0) taken.set(namespace, left);
      else taken.delete(namespace);
      totalBytes -= bytes;
    },
    total: () => totalBytes,
  };
}
