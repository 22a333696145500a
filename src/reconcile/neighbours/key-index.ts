/** An index of keys by the values that each of them has: Applications by the repositories that they name. */
import { addMember, removeMember } from '../../object/set-map.ts';

export interface KeyIndex {
  set(key: string, values: ReadonlySet<string>): void;
  delete(key: string): void;
  keysOf(value: string): Iterable<string>;
}

/** Keys by their values. */
export function createIndex(): KeyIndex {
  const valuesOf = new Map<string, ReadonlySet<string>>();
  const keysOf = new Map<string, Set<string>>();
  const remove = (key: string): void => {
    for (const value of valuesOf.get(key) ?? []) removeMember(keysOf, value, key);
    valuesOf.delete(key);
  };
  return {
    set(key, values) {
      const before = valuesOf.get(key);
      if (before?.size === values.size && before.isSubsetOf(values)) return;
      remove(key);
      valuesOf.set(key, values);
      for (const value of values) addMember(keysOf, value, key);
    },
    delete: remove,
    keysOf: (value) => keysOf.get(value) ?? [],
  };
}
