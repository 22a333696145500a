/**
 * The law of patches: when the library applies a patch to the live object, its compared fields become the desired ones.
 *
 * Invariant: the library gets maps without prototype, so that no key is special to it.
 */
import assert from 'node:assert/strict';
import jsonPatch, { type Operation } from 'fast-json-patch';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import type { Change, ObjectPatch } from '../../../src/diff/changes.ts';
import { compareObject } from '../../../src/diff/compare.ts';
import { diffObjects } from '../../../src/diff/diff.ts';
import { withDerivedDefaults } from '../../../src/diff/derived-defaults.ts';
import { asSent, withoutIgnored } from '../../../src/diff/ignored.ts';
import { findingsAmong } from '../../../src/diff/json-patch.ts';
import { stringifyJson } from '../../../src/object/json.ts';
import { idKey } from '../../../src/object/identity.ts';
import { formatPointer, parsePointer } from '../../../src/object/pointer.ts';
import { isEqualValue, isMap, listAt, newMap, own, type KubeObject, type Value } from '../../../src/object/value.ts';
import { ACCEPTED, desiredOf, kindsOf, owner } from './fixtures.ts';

/** Throws where an operation does not apply. */
export function patched(live: KubeObject, { operations }: ObjectPatch): KubeObject {
  const copy = mapScalars(operations as unknown as Value, hideInteger) as unknown as Operation[];
  const { newDocument } = jsonPatch.applyPatch(mapScalars(live, hideInteger), copy, true, true, false);
  return mapScalars(newDocument, showInteger) as KubeObject;
}

/** The library clones objects as JSON, which has no integers beyond 2^53; so they are texts meanwhile. */
const INTEGER = '\u0000integer ';
const hideInteger = (value: Value): Value => (typeof value === 'bigint' ? `${INTEGER}${value}` : value);
const showInteger = (value: Value): Value =>
  typeof value === 'string' && value.startsWith(INTEGER) ? BigInt(value.slice(INTEGER.length)) : value;

/** A copy whose maps have no prototype. */
function mapScalars(value: Value, change: (scalar: Value) => Value): Value {
  if (Array.isArray(value)) return value.map((item) => mapScalars(item, change));
  if (!isMap(value)) return change(value);
  return newMap(Object.keys(value).map((key) => [key, mapScalars(value[key] ?? null, change)] as const));
}

/**
 * Asserts that the patched live object no longer differs where it differed, and that a masked patch does not apply. The
 * change must come from a comparison of the two objects, not from a dry run.
 */
export function assertLaw({ desired, live, patch }: Change, title = ''): void {
  assert.ok(desired && live);
  const text = `${title}\n${stringifyJson((patch ?? null) as unknown as Value, 2)}`;
  if (patch?.isMasked) {
    assert.throws(() => patched(live.body, patch), /Test operation failed/, text);
    return;
  }
  const sent = asSent(desired, live);
  const body = patch ? stored(patched(sent.live.body, patch)) : live.body;
  const compared = withoutIgnored(desired, live);
  const { findings: before } = compareObject(compared.desired, compared.live, 1000);
  const { findings: after } = compareObject(sent.desired, { ...sent.live, body }, 1000);
  const concerned = desired.ignored ? findingsAmong(after, before) : after;
  const left = concerned.filter((found) => !isEqualValue(found.desired, found.live) && !found.held);
  assert.deepEqual(
    left.map(({ tokens }) => formatPointer(tokens)),
    [],
    text,
  );
}

/** Adds the defaults that the server derives from the values it stores. */
function stored(body: KubeObject): KubeObject {
  if (body.kind !== 'LimitRange' || !isMap(body['spec']) || listAt(body, 'spec', 'limits').length === 0) return body;
  const limits = listAt(body, 'spec', 'limits').map((item) => {
    return withDerivedDefaults(body.kind, ['spec', 'limits', '0'], item, item);
  });
  return { ...body, spec: { ...body['spec'], limits } };
}

/** Lists that are merged by key: the key is one of these fields. */
const KEYED: ReadonlyMap<string, readonly string[]> = new Map([
  ['containers', ['name']],
  ['initContainers', ['name']],
  ['env', ['name']],
  ['volumes', ['name']],
  ['imagePullSecrets', ['name']],
  ['volumeMounts', ['mountPath']],
  ['volumeDevices', ['devicePath']],
  ['hostAliases', ['ip']],
  ['ports', ['containerPort', 'port']],
]);

/** Whether all items of each keyed list have different keys. The server refuses others, or fills in the key. */
export function hasSoundKeys(value: Value, field = ''): boolean {
  if (isMap(value)) return Object.keys(value).every((key) => hasSoundKeys(value[key] ?? null, key));
  if (!Array.isArray(value)) return true;
  return value.every((item) => hasSoundKeys(item)) && hasEachAKey(value, KEYED.get(field));
}

function hasEachAKey(items: readonly Value[], fields: readonly string[] | undefined): boolean {
  if (!fields) return true;
  return fields.some((field) => {
    const keys = items.map((item) => (isMap(item) ? own(item, field) : undefined));
    return !keys.includes(undefined) && new Set(keys).size === items.length;
  });
}

/** The change of an object that is in the inventory and was accepted before. */
export function judgePair(desired: DesiredObject, live: LiveObject): Change {
  const key = idKey(desired.id);
  const [change] = diffObjects({
    desired: { objects: [desired], problems: [], digest: '' },
    live: new Map([[key, { state: 'present', object: live }]]),
    inventory: new Map([[key, desired.id]]),
    owner,
    memory: ACCEPTED,
    kinds: kindsOf(desired.body),
  });
  assert.ok(change);
  return change;
}

export function ignoring(
  body: KubeObject,
  pointers: readonly string[],
  managers: readonly string[] = [],
): DesiredObject {
  const digest = JSON.stringify([pointers, managers]);
  return { ...desiredOf(body), ignored: { paths: pointers.map(parsePointer), managers, digest } };
}

/** JSON with sorted keys, to compare and to show. */
export function textOf(value: unknown): string {
  return stringifyJson(sorted(value as Value), 1);
}

function sorted(value: Value): Value {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMap(value)) return value;
  const keys = Object.keys(value).sort();
  return newMap(keys.map((key) => [key, sorted(value[key] ?? null)] as const));
}
