/** Builds desired objects, live objects with managedFields, and a DiffMemory for tests of diff/. */
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { KindInfo, Kinds } from '../../../src/cluster/kinds.ts';
import { kindKey } from '../../../src/cluster/kinds.ts';
import type { LiveEntry, LiveObject } from '../../../src/cluster/live.ts';
import type { Baseline, Change, DiffMemory } from '../../../src/diff/changes.ts';
import { diffObjects, type DiffOptions } from '../../../src/diff/diff.ts';
import { OWNER_ANNOTATION, ownerOf, PART_OF_LABEL } from '../../../src/object/applyset.ts';
import { digestValue } from '../../../src/object/digest.ts';
import { groupOf, idKey, idOf, versionOf } from '../../../src/object/identity.ts';
import { cloneValue, isMap, type KubeObject, type Value, type ValueMap } from '../../../src/object/value.ts';

export const owner = ownerOf({ hubId: 'hub', namespace: 'shop', name: 'web' });

/** An object in namespace `shop` with our owner marks. */
export function ours(apiVersion: string, kind: string, name: string, rest: ValueMap = {}): KubeObject {
  const { metadata, ...others } = rest;
  const more = isMap(metadata) ? metadata : {};
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace: 'shop',
      ...more,
      labels: { [PART_OF_LABEL]: owner.applySetId, ...asMap(more['labels']) },
      annotations: { [OWNER_ANNOTATION]: owner.ownerAnnotation, ...asMap(more['annotations']) },
    },
    ...others,
  };
}

export function kindOf(body: KubeObject): KindInfo {
  return {
    group: groupOf(body.apiVersion),
    version: versionOf(body.apiVersion),
    kind: body.kind,
    plural: `${body.kind.toLowerCase()}s`,
    isNamespaced: true,
    hasStatus: true,
    isWatchable: true,
  };
}

export function desiredOf(body: KubeObject): DesiredObject {
  return { id: idOf(body), kind: kindOf(body), body, digest: digestValue(body), file: 'a.yaml', line: 1 };
}

export interface Entry {
  manager: string;
  fields: ValueMap;
  operation?: string;
  apiVersion?: string;
  subresource?: string;
  time?: string;
}

/** A live object as if we had applied `owned`, by default the whole body. null: without an entry of ours. */
export function liveOf(body: KubeObject, { owned = body, entries = [], version = '1' }: LiveOptions = {}): LiveObject {
  const all: Entry[] = owned === null ? entries : [{ manager: 'tautline', fields: fieldsOf(owned) }, ...entries];
  const managedFields = all.map(({ fields, operation = 'Apply', apiVersion = body.apiVersion, ...entry }) => ({
    ...entry,
    operation,
    apiVersion,
    fieldsV1: fields,
    time: entry.time ?? '2026-01-01T00:00:00Z',
  }));
  const object: KubeObject = {
    ...cloneValue(body),
    metadata: { ...cloneValue(body.metadata), uid: 'u', resourceVersion: version, managedFields },
  };
  const deletionTimestamp = body.metadata['deletionTimestamp'];
  return {
    id: idOf(body),
    apiVersion: body.apiVersion,
    uid: 'u',
    resourceVersion: version,
    body: object,
    ...(typeof deletionTimestamp === 'string' ? { deletionTimestamp } : {}),
  };
}

interface LiveOptions {
  owned?: KubeObject | null;
  entries?: Entry[];
  version?: string;
}

/** Keyed lists of the fixtures with their keys. `finalizers` is a set; all other lists are atomic. */
const KEYS: Record<string, string[]> = { containers: ['name'], env: ['name'], ports: ['containerPort', 'protocol'] };
const SERVICE_PORT_KEYS = ['port', 'protocol'];
const ATOMIC_MAPS = new Set(['selector', 'nodeSelector']);

/** The field set that a server-side apply of a body gives its manager. */
export function fieldsOf(body: KubeObject): ValueMap {
  const { apiVersion: _, kind: __, metadata, ...rest } = body;
  const { name: ___, namespace: ____, ...own } = metadata;
  return asMap(fieldsOfValue({ metadata: own, ...rest }, ''));
}

function fieldsOfValue(value: Value, name: string): Value {
  if (isMap(value) && !ATOMIC_MAPS.has(name)) {
    return Object.fromEntries(Object.keys(value).map((key) => [`f:${key}`, fieldsOfValue(value[key] ?? null, key)]));
  }
  if (!Array.isArray(value)) return {};
  if (name === 'finalizers') return Object.fromEntries(value.map((item) => [`v:${JSON.stringify(item)}`, {}]));
  const keys = name === 'ports' && isMap(value[0]) && 'port' in value[0] ? SERVICE_PORT_KEYS : KEYS[name];
  if (!keys) return {};
  return Object.fromEntries(
    value.map((item) => {
      const map = asMap(item);
      const key = Object.fromEntries(keys.map((part) => [part, map[part] ?? 'TCP']));
      return [`k:${JSON.stringify(key)}`, { '.': {}, ...asMap(fieldsOfValue(item, '')) }];
    }),
  );
}

export const ACCEPTED: DiffMemory = { baselines: new Map(), isAccepted: () => true };

export function memoryWith(desired: DesiredObject, baseline: Baseline): DiffMemory {
  return { baselines: new Map([[idKey(desired.id), baseline]]), isAccepted: () => true };
}

export function kindsOf(...bodies: KubeObject[]): Kinds {
  return {
    served: new Map(bodies.map((body) => [kindKey(body.apiVersion, body.kind), kindOf(body)])),
    stale: new Set(),
    preferred: new Map(),
  };
}

/** The change of one desired object that is in the inventory. */
export function judge(body: KubeObject, entry: LiveEntry | LiveObject, options: Partial<DiffOptions> = {}): Change {
  const desired = desiredOf(body);
  const key = idKey(desired.id);
  const [change] = diffObjects({
    desired: { objects: [desired], problems: [], digest: '' },
    live: new Map([[key, 'state' in entry ? entry : { state: 'present', object: entry }]]),
    inventory: new Map([[key, desired.id]]),
    owner,
    memory: ACCEPTED,
    kinds: kindsOf(body),
    ...options,
  });
  if (!change) throw new Error('no change');
  return change;
}

/** The change of one object of the inventory that is no longer desired. */
export function judgeLeftover(
  body: KubeObject,
  entry: LiveEntry | LiveObject,
  options: Partial<DiffOptions> = {},
): Change {
  const id = idOf(body);
  const [change] = diffObjects({
    desired: { objects: [], problems: [], digest: '' },
    live: new Map([[idKey(id), 'state' in entry ? entry : { state: 'present', object: entry }]]),
    inventory: new Map([[idKey(id), id]]),
    owner,
    memory: ACCEPTED,
    kinds: kindsOf(body),
    ...options,
  });
  if (!change) throw new Error('no change');
  return change;
}

function asMap(value: Value | undefined): ValueMap {
  return isMap(value) ? value : {};
}
