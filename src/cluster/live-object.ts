/**
 * LiveObjects out of what the API server sends.
 *
 * Invariant: every object that enters the agent from an object API passes `toLiveObject`, so no Secret value and no
 * last-applied annotation gets past it.
 */
import { apiVersionOf } from '../object/identity.ts';
import { parseJson } from '../object/json.ts';
import { redactLive } from '../object/redact.ts';
import {
  isKubeObject,
  isMap,
  listAt,
  newMap,
  own,
  stringAt,
  valueAt,
  type KubeObject,
  type Value,
} from '../object/value.ts';
import type { KindInfo } from './kinds.ts';
import type { LiveObject } from './live.ts';

/** Items of a list carry neither kind nor apiVersion: both are filled in from what was asked for. */
export function asObjectOf(kind: KindInfo, value: Value | undefined): KubeObject | undefined {
  if (isKubeObject(value)) return value;
  if (!isMap(value) || !isMap(own(value, 'metadata'))) return undefined;
  const filled = newMap([
    ['apiVersion', apiVersionOf(kind.group, kind.version)],
    ['kind', kind.kind],
  ]);
  for (const key of Object.keys(value)) filled[key] = value[key] as Value;
  return isKubeObject(filled) ? filled : undefined;
}

/** undefined: no object with a name. */
export function toLiveObject(kind: KindInfo, value: Value | undefined): LiveObject | undefined {
  const object = asObjectOf(kind, value);
  const name = stringAt(object?.metadata, 'name');
  if (!object || name === undefined) return undefined;
  const body = redactLive(object);
  const { metadata } = body;
  const deletionTimestamp = stringAt(metadata, 'deletionTimestamp');
  return {
    id: {
      group: kind.group,
      kind: kind.kind,
      namespace: kind.namespaced ? (stringAt(metadata, 'namespace') ?? '') : '',
      name,
    },
    apiVersion: object.apiVersion,
    uid: stringAt(metadata, 'uid') ?? '',
    resourceVersion: stringAt(metadata, 'resourceVersion') ?? '',
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    body,
  };
}

/**
 * Without the record of who wrote which field of the status: a fifth of a Deployment, and nobody asks for it. What is
 * written back (a take-over) is made of a fresh read, never of this. Returns the same object where there is none.
 */
export function withoutStatusFields(object: KubeObject): KubeObject {
  const entries = listAt(object.metadata, 'managedFields');
  if (!entries.some(isOfStatus)) return object;
  const managedFields = entries.map((entry) => {
    const fieldsV1 = valueAt(entry, 'fieldsV1');
    if (!isMap(entry) || !isOfStatus(entry) || !isMap(fieldsV1)) return entry;
    const { 'f:status': _, ...kept } = fieldsV1;
    return { ...entry, fieldsV1: kept };
  });
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

function isOfStatus(entry: Value): boolean {
  return stringAt(entry, 'subresource') === 'status';
}

/** undefined: no JSON. */
export function tryParseJson(text: string): Value | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/**
 * Orders resourceVersions of one kind (decimal numbers in every API server we know; compared as such since Kubernetes
 * 1.35 promises it). undefined: one of them is none.
 */
export function compareResourceVersions(a: string, b: string): number | undefined {
  if (!/^\d+$/.test(a) || !/^\d+$/.test(b)) return undefined;
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
