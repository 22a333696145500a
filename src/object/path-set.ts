/**
 * A set of paths of reference tokens, walked one step at a time. The token `*` stands for any key or index.
 *
 * Invariants: a set is never changed after it was created. Each step is computed once; repeating it takes constant time
 * for any number of paths.
 */

/** The set at the root; `paths[i]` are the reference tokens of one path. */
export function pathSetOf(paths: readonly (readonly string[])[]): PathSet {
  return createSet(paths.map((tokens) => ({ tokens, at: 0 })));
}

export interface PathSet {
  readonly isEmpty: boolean;
  /** Whether one of the paths ends here. */
  readonly isEnd: boolean;
  /** Whether a path leads to this key or item, or below it. */
  leadsTo(key: string): boolean;
  /** The rest of the paths that lead to this key or item. */
  below(key: string): PathSet;
  /** The same set, in which a path that ends here, or whose next token is empty, matches every key instead. */
  withEveryKey(): PathSet;
}

interface Path {
  readonly tokens: readonly string[];
  /** Index of the next token; the tokens before it have been walked. */
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
  const computed = new Map<string, PathSet>();
  let belowAny: PathSet | undefined;
  let everyKey: PathSet | undefined;
  const set: PathSet = {
    isEmpty: paths.length === 0,
    isEnd,
    leadsTo: (key) => any.length > 0 || named.has(key),
    below(key) {
      const own = named.get(key);
      if (!own) return (belowAny ??= createSet(any));
      const next = computed.get(key) ?? createSet([...own, ...any]);
      computed.set(key, next);
      return next;
    },
    withEveryKey() {
      if (!isEnd && !named.has('')) return set;
      return (everyKey ??= createSet(paths.map((path) => (path.tokens[path.at] ? path : EVERY_KEY))));
    },
  };
  return set;
}

const EVERY_KEY: Path = { tokens: ['*'], at: 0 };
