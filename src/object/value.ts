/**
 * The value model of Kubernetes objects: what YAML and JSON documents become in memory.
 *
 * Invariant: integers that fit a double exactly are numbers, larger ones are bigints; a map made by our YAML reader has
 * no prototype. A map read from JSON may have one, so own keys are always asked for with `Object.hasOwn` or
 * `Object.keys`, never with `in` or a bare look-up of an untrusted key.
 */

export type Value = null | boolean | number | bigint | string | Value[] | ValueMap;

export interface ValueMap {
  [key: string]: Value;
}

/** A value that has been checked to be an object of Kubernetes: apiVersion, kind and a metadata map. */
export interface KubeObject extends ValueMap {
  apiVersion: string;
  kind: string;
  metadata: ValueMap;
}

/** A map without prototype, optionally filled from entries. Keys such as `__proto__` are ordinary keys in it. */
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

/** The own member of a map, or undefined: inherited members (`constructor`) are never seen. */
export function own(map: ValueMap, key: string): Value | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

/** The value below `map` at the given keys, or undefined as soon as one is missing. */
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

/** A deep copy; maps of the copy have no prototype. */
export function cloneValue<T extends Value>(value: T): T {
  if (Array.isArray(value)) return value.map((item) => cloneValue(item)) as T;
  if (!isMap(value)) return value;
  const copy = newMap();
  for (const key of Object.keys(value)) copy[key] = cloneValue(value[key] as Value);
  return copy as T;
}

/** Whether two values are the same; maps without regard to the order of keys, lists with it. */
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
