/**
 * A set of paths of reference tokens, walked one step at a time. The token `*` stands for any key or index, and a
 * selector for the items of a list with given values: `/spec/containers[name=app]/image`.
 *
 * Invariants: a set is never changed after it was created. Each step is computed once; repeating it takes constant time
 * for any number of paths.
 */
import { parsePointer } from './pointer.ts';
import { isMap, own, type Value } from './value.ts';

/** Fields of an item with their values as text; the field `.` is the item itself. */
export interface ItemSelector {
  readonly fields: readonly (readonly [name: string, value: string])[];
}

export type PathToken = string | ItemSelector;

/** `containers[name=app]`, or `[name=app]` alone. */
const SELECTED = /^([^[]*)((?:\[[^[\]=]+=[^[\]]*\])+)$/;

/**
 * The tokens of a pointer whose parts may end with selectors; those beside each other hold together. A part that only
 * looks like one is a key. Throws RangeError if the text is no JSON pointer.
 */
export function parsePath(pointer: string): PathToken[] {
  return parsePointer(pointer).flatMap((token): PathToken[] => {
    const [, key = '', selectors = ''] = SELECTED.exec(token) ?? [];
    if (selectors === '') return [token];
    const fields = Array.from(selectors.matchAll(/\[([^=]+)=([^\]]*)\]/g), ([, name = '', value = '']) => {
      return [name, value] as const;
    });
    return [...(key === '' ? [] : [key]), { fields }];
  });
}

/** The set at the root; `paths[i]` are the tokens of one path. */
export function pathSetOf(paths: readonly (readonly PathToken[])[]): PathSet {
  return createSet(paths.map((tokens) => ({ tokens, at: 0 })));
}

export interface PathSet {
  readonly isEmpty: boolean;
  /** Whether one of the paths ends here. */
  readonly isEnd: boolean;
  /** Whether a path leads to this key, or below it. */
  leadsTo(key: string): boolean;
  /** The rest of the paths that lead to this key. */
  below(key: string): PathSet;
  /** The rest of the paths that lead to an item: by its index, or by a selector that fits one of its forms. */
  belowItem(index: string, forms: readonly (Value | undefined)[]): PathSet;
  /** The same set, in which a path that ends here, or whose next token is empty, matches every key instead. */
  withEveryKey(): PathSet;
}

interface Path {
  readonly tokens: readonly PathToken[];
  /** Index of the next token; the tokens before it have been walked. */
  readonly at: number;
}

function createSet(paths: readonly Path[]): PathSet {
  const named = new Map<string, Path[]>();
  const any: Path[] = [];
  const selected = createSelected();
  let isEnd = false;
  for (const path of paths) {
    const token = path.tokens[path.at];
    const next = { tokens: path.tokens, at: path.at + 1 };
    if (token === undefined) isEnd = true;
    else if (typeof token !== 'string') selected.add(token, next);
    else if (token === '*') any.push(next);
    else addTo(named, token, next);
  }
  const computed = new Map<string, PathSet>();
  const known = (key: string, create: () => Path[]): PathSet => {
    const set = computed.get(key) ?? createSet(create());
    computed.set(key, set);
    return set;
  };
  let belowAny: PathSet | undefined;
  let everyKey: PathSet | undefined;
  const set: PathSet = {
    isEmpty: paths.length === 0,
    isEnd,
    leadsTo: (key) => any.length > 0 || named.has(key),
    below(key) {
      const exact = named.get(key);
      return exact ? known(`k ${key}`, () => [...exact, ...any]) : (belowAny ??= createSet(any));
    },
    belowItem(index, forms) {
      const fitting = selected.fitting(forms);
      if (fitting.size === 0) return set.below(index);
      const exact = named.get(index) ?? [];
      const key = JSON.stringify([exact.length > 0 ? index : '', ...fitting.keys()]);
      return known(`i ${key}`, () => [...exact, ...any, ...[...fitting.values()].flat()]);
    },
    withEveryKey() {
      if (!isEnd && !named.has('')) return set;
      return (everyKey ??= createSet(paths.map((path) => (path.tokens[path.at] ? path : EVERY_KEY))));
    },
  };
  return set;
}

/** Selectors by the fields that they look at, so that an item is looked at once for each combination of fields. */
function createSelected() {
  const byFields = new Map<string, { readonly names: readonly string[]; readonly byValues: Map<string, Path[]> }>();
  return {
    add({ fields }: ItemSelector, next: Path): void {
      const sorted = [...fields].sort(([a], [b]) => (a < b ? -1 : 1));
      const names = sorted.map(([name]) => name);
      const key = JSON.stringify(names);
      const group = byFields.get(key) ?? { names, byValues: new Map<string, Path[]>() };
      byFields.set(key, group);
      addTo(group.byValues, JSON.stringify(sorted.map(([, value]) => value)), next);
    },
    /** The paths of all selectors that fit, by the text of the selector. */
    fitting(forms: readonly (Value | undefined)[]): Map<string, Path[]> {
      const found = new Map<string, Path[]>();
      for (const [key, { names, byValues }] of byFields) {
        for (const form of forms) {
          const values = JSON.stringify(names.map((name) => textOf(form, name)));
          const paths = byValues.get(values);
          if (paths) found.set(`${key} ${values}`, paths);
        }
      }
      return found;
    },
  };
}

/** undefined: the field is absent, a map or a list, which no text is equal to. */
function textOf(item: Value | undefined, name: string): string | undefined {
  const value = name === '.' ? item : isMap(item) ? own(item, name) : undefined;
  return value === undefined || value === null || typeof value === 'object' ? undefined : String(value);
}

function addTo(map: Map<string, Path[]>, key: string, path: Path): void {
  const known = map.get(key);
  if (known) known.push(path);
  else map.set(key, [path]);
}

const EVERY_KEY: Path = { tokens: ['*'], at: 0 };
