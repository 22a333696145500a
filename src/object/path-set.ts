/**
 * Many paths of reference tokens at once, `*` standing for any: what is left of them one step further down.
 *
 * Invariant: a step costs the same however many paths there are, once it was made; a set that was made is never
 * changed.
 */

/** From the root: `paths[i]` are the tokens of one. */
export function pathSetOf(paths: readonly (readonly string[])[]): PathSet {
  return createSet(paths.map((tokens) => ({ tokens, at: 0 })));
}

export interface PathSet {
  readonly isEmpty: boolean;
  /** Whether one of the paths ends here. */
  readonly isEnd: boolean;
  /** Whether a path leads to this key or item, or below. */
  leadsTo(key: string): boolean;
  below(key: string): PathSet;
  /** The same with each path that ends here, or names no key, meaning every key instead. */
  membersInstead(): PathSet;
}

interface Path {
  readonly tokens: readonly string[];
  /** What comes before was walked. */
  readonly at: number;
}

function createSet(paths: readonly Path[]): PathSet {
  const named = new Map<string, Path[]>();
  const any: Path[] = [];
  let isEnd = false;
  for (const path of paths) {
    const token = path.tokens[path.at];
    const next = { tokens: path.tokens, at: path.at + 1 };
    if (token === undefined) isEnd = true;
    else if (token === '*') any.push(next);
    else {
      const known = named.get(token);
      if (known) known.push(next);
      else named.set(token, [next]);
    }
  }
  const made = new Map<string, PathSet>();
  let others: PathSet | undefined;
  let members: PathSet | undefined;
  const set: PathSet = {
    isEmpty: paths.length === 0,
    isEnd,
    leadsTo: (key) => any.length > 0 || named.has(key),
    below(key) {
      const own = named.get(key);
      if (!own) return (others ??= createSet(any));
      const known = made.get(key) ?? createSet([...own, ...any]);
      made.set(key, known);
      return known;
    },
    membersInstead() {
      if (!isEnd && !named.has('')) return set;
      return (members ??= createSet(paths.map((path) => (path.tokens[path.at] ? path : EVERY_KEY))));
    },
  };
  return set;
}

const EVERY_KEY: Path = { tokens: ['*'], at: 0 };
