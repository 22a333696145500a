/** Builds live objects for the tests of health. */
import type { LiveObject } from '../../../src/cluster/live.ts';
import { idOf } from '../../../src/object/identity.ts';
import type { KubeObject, ValueMap } from '../../../src/object/value.ts';

export interface Shape {
  metadata?: ValueMap;
  spec?: ValueMap;
  status?: ValueMap;
}

/** An object `shop/web`, unless `metadata` sets another name or namespace. */
export function live(apiVersion: string, kind: string, { metadata = {}, ...rest }: Shape): LiveObject {
  const body: KubeObject = { apiVersion, kind, metadata: { name: 'web', namespace: 'shop', ...metadata }, ...rest };
  const deletionTimestamp = metadata['deletionTimestamp'];
  return {
    id: idOf(body),
    apiVersion,
    uid: 'u',
    resourceVersion: '1',
    body,
    ...(typeof deletionTimestamp === 'string' ? { deletionTimestamp } : {}),
  };
}

export function condition(type: string, status: string, reason = '', message = ''): ValueMap {
  return { type, status, reason, message };
}
