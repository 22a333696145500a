/**
 * The value model of Kubernetes objects: the form of YAML and JSON documents in memory.
 *
 * Invariant: integers that fit a double exactly are numbers, larger ones are bigints. Maps of our YAML reader have no
 * prototype. Maps of a JSON reader may have one, so an untrusted key is always looked up with `Object.hasOwn`,
 * `Object.keys` or `own`, never with `in` or a plain index.
 */

export type Value = null | boolean | number | bigint | string | Value[] | ValueMap;

export interface ValueMap {
  [key: string]: Value;
}

/** A value that was checked to be a Kubernetes object: it has an apiVersion, a kind and a metadata map. */
export interface KubeObject extends ValueMap {
  apiVersion: string;
  kind: string;
  metadata: ValueMap;
}

/** A map without a prototype, in which keys such as `__proto__` are ordinary keys. */
export function newMap(entries?: Iterable<readonly [string, Value]>): ValueMap {
  const map = Object.create(null) as ValueMap;
  if (entries) for (const [key, value] of entries) map[key] = value;
  return map;
}

export function isMap(value: Value | undefined): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isKubeObject(value: Value | undefined): value is KubeObject {
  return (
    isMap(value) &&
    typeof own(value, 'apiVersion') === 'string' &&
    typeof own(value, 'kind') === 'string' &&
    isMap(own(value, 'metadata'))
  );
}

/** The own member of a map; undefined if it is missing or inherited (`constructor`). */
export function own(map: ValueMap, key: string): Value | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** The value at a path of keys; undefined if a key is missing on the way. */
export function valueAt(value: Value | undefined, ...keys: string[]): Value | undefined {
  let at: Value | undefined = value;
  for (const key of keys) {
    if (!isMap(at)) return undefined;
    at = own(at, key);
  }
  return at;
}

export function mapAt(value: Value | undefined, ...keys: string[]): ValueMap {
  const found = valueAt(value, ...keys);
  return isMap(found) ? found : {};
}

export function listAt(value: Value | undefined, ...keys: string[]): Value[] {
  const found = valueAt(value, ...keys);
  return Array.isArray(found) ? found : [];
}

export function stringAt(value: Value | undefined, ...keys: string[]): string | undefined {
  const found = valueAt(value, ...keys);
  return typeof found === 'string' ? found : undefined;
}

export function numberAt(value: Value | undefined, ...keys: string[]): number | undefined {
  const found = valueAt(value, ...keys);
  return typeof found === 'number' ? found : undefined;
}

/** A deep copy, whose maps have no prototype. */
export function cloneValue<T extends Value>(value: T): T {
  if (Array.isArray(value)) return value.map((item) => cloneValue(item)) as T;
  if (!isMap(value)) return value;
  const copy = newMap();
  for (const key of Object.keys(value)) copy[key] = cloneValue(value[key] as Value);
  return copy as T;
}

/** Whether two values are equal. The order of the keys of a map does not matter, the order of a list does. */
export function isEqualValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isEqualValue(item, b[index]));
  }
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && isEqualValue(a[key], b[key]));
}
