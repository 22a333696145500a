/**
 * The objects of one kind that Applications hold: those that they desire or list in their inventory, and those that
 * they claim by a stored inventory before their first pass. Only their content is kept, because anybody can put our
 * label on an object.
 */

export interface HeldNames {
  isHeld(key: string): boolean;
  /** Keys of the Applications that hold an object, by `objectKey`. */
  holdersOf(key: string): Iterable<string>;
  /** Keys of all Applications that hold objects. */
  holders(): Iterable<string>;
  /** Replaces the objects that an Application holds, by `objectKey`; undefined: all. Returns those that it let go. */
  hold(application: string, keys: ReadonlySet<string> | undefined): string[];
  release(application: string): string[];
}

export interface HeldNamesOptions {
  /** Whether an Application claims an object, by `objectKey`. Default: none does. */
  readonly isClaimed?: (key: string) => boolean;
  /** Called when an Application begins to hold other objects than before. */
  readonly onHold?: (application: string) => void;
}

const NO_KEYS: ReadonlySet<string> = new Set();

export function createHeldNames({ isClaimed = () => false, onHold }: HeldNamesOptions = {}): HeldNames {
  const keysOf = new Map<string, ReadonlySet<string>>();
  const holdersOfAll = new Set<string>();
  /** Most objects have one holder, which needs no set. */
  const holdersOf = new Map<string, string | Set<string>>();

  function add(key: string, application: string): void {
    const known = holdersOf.get(key);
    if (known === undefined) holdersOf.set(key, application);
    else if (typeof known !== 'string') known.add(application);
    else if (known !== application) holdersOf.set(key, new Set([known, application]));
  }

  /** Returns true if no holder is left. */
  function remove(key: string, application: string): boolean {
    const known = holdersOf.get(key);
    if (typeof known === 'object') {
      known.delete(application);
      if (known.size > 0) return false;
    } else if (known !== application) return known === undefined;
    holdersOf.delete(key);
    return true;
  }

  function replace(application: string, keys: ReadonlySet<string>): string[] {
    const before = keysOf.get(application);
    if (before?.size === keys.size && before.isSubsetOf(keys)) return [];
    keysOf.set(application, keys);
    for (const key of keys) if (!before?.has(key)) add(key, application);
    const left: string[] = [];
    for (const key of before ?? NO_KEYS) {
      if (keys.has(key) || !remove(key, application)) continue;
      if (!isClaimed(key)) left.push(key);
    }
    onHold?.(application);
    return left;
  }

  return {
    isHeld: (key) => holdersOf.has(key) || holdersOfAll.size > 0 || isClaimed(key),
    *holdersOf(key) {
      const known = holdersOf.get(key);
      if (typeof known === 'string') yield known;
      else if (known) yield* known;
      yield* holdersOfAll;
    },
    holders: () => keysOf.keys(),
    hold(application, keys) {
      if (keys ? holdersOfAll.delete(application) : !holdersOfAll.has(application)) onHold?.(application);
      if (!keys) holdersOfAll.add(application);
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
