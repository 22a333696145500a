/**
 * Makes LiveObjects of the API server's JSON.
 *
 * Invariant: every object that enters the agent from an object API passes `toLiveObject`, which removes Secret values
 * and the last-applied annotation.
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

/** Fills in kind and apiVersion, which items of a list lack. undefined: not an object. */
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

/** The object of a whole answer. Its text is kept beside it where no Secret value and no field had to be removed. */
export function readLiveObject(kind: KindInfo, text: string): LiveObject | undefined {
  const value = tryParseJson(text);
  const object = toLiveObject(kind, value);
  return object && object.body === value ? { ...object, json: text.trim() } : object;
}

/** undefined: not an object, or one without a name. */
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
      namespace: kind.isNamespaced ? (stringAt(metadata, 'namespace') ?? '') : '',
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
 * Drops the fields of the status from managedFields: they are a fifth of a Deployment's size, and no reader needs them.
 * The managedFields that a take-over writes back come from a new read, never from here. Returns the same object where
 * there is nothing to drop.
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

/** undefined: not JSON. */
export function tryParseJson(text: string): Value | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
