/**
 * The read-set of a render over several trees, as one record: paths of the tree of `spec.source` stand as they are,
 * those of other trees behind the name of the tree.
 */
export type ReadSet = Readonly<Record<string, string>>;

/** Stands between the name of a tree and a path; neither holds it. */
const SEPARATOR = '\0';

/** `main` is the read-set of the tree of `spec.source`. */
export function joinReadSets(main: ReadSet, others: Iterable<readonly [name: string, readSet: ReadSet]>): ReadSet {
  const joined: Record<string, string> = Object.assign(Object.create(null), main);
  for (const [name, readSet] of others) {
    for (const [path, found] of Object.entries(readSet)) joined[`${name}${SEPARATOR}${path}`] = found;
  }
  return joined;
}

/** The read-sets by the name of their tree; `''` is the tree of `spec.source`. */
export function splitReadSet(joined: ReadSet): ReadonlyMap<string, ReadSet> {
  const split = new Map<string, Record<string, string>>();
  for (const [key, found] of Object.entries(joined)) {
    const at = key.indexOf(SEPARATOR);
    const name = at < 0 ? '' : key.slice(0, at);
    const readSet = split.get(name) ?? (Object.create(null) as Record<string, string>);
    split.set(name, readSet);
    readSet[at < 0 ? key : key.slice(at + 1)] = found;
  }
  return split;
}
