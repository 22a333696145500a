/**
 * The objects of one kind that Applications hold: those that they desire or list in their inventory, and those that
 * they claim by a stored inventory before their first pass. Only their content is kept, because anybody can put our
 * label on an object.
 */

export interface HeldNames {
  isHeld(key: string): boolean;
  /** Replaces the objects that an Application holds, by `objectKey`; undefined: all. Returns those that it let go. */
  hold(application: string, keys: ReadonlySet<string> | undefined): string[];
  release(application: string): string[];
}

const NO_KEYS: ReadonlySet<string> = new Set();

/** `isClaimed`: whether an Application claims an object, by `objectKey`. */
export function createHeldNames(isClaimed: (key: string) => boolean = () => false): HeldNames {
  const keysOf = new Map<string, ReadonlySet<string>>();
  const holdersOfAll = new Set<string>();
  /** The number of Applications that hold an object. */
  const counts = new Map<string, number>();

  function replace(application: string, keys: ReadonlySet<string>): string[] {
    const before = keysOf.get(application) ?? NO_KEYS;
    keysOf.set(application, keys);
    for (const key of keys) if (!before.has(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
    const left: string[] = [];
    for (const key of before) {
      if (keys.has(key)) continue;
      const count = (counts.get(key) ?? 1) - 1;
      if (count > 0) counts.set(key, count);
      else {
        counts.delete(key);
        if (!isClaimed(key)) left.push(key);
      }
    }
    return left;
  }

  return {
    isHeld: (key) => counts.has(key) || holdersOfAll.size > 0 || isClaimed(key),
    hold(application, keys) {
      if (keys) holdersOfAll.delete(application);
      else holdersOfAll.add(application);
      return replace(application, keys ?? NO_KEYS);
    },
    release(application) {
      holdersOfAll.delete(application);
      const left = replace(application, NO_KEYS);
      keysOf.delete(application);
      return left;
    },
  };
}
