/** Live and desired objects, changes and answers of the API server for unit tests. */
import type { DesiredObject, Owner } from '../../src/bind/desired.ts';
import type { Refusal, RefusalCode } from '../../src/cluster/answers.ts';
import type { KindInfo } from '../../src/cluster/kinds.ts';
import type { LiveObject } from '../../src/cluster/live.ts';
import type { ReadAnswer, Refused, WriteAnswer } from '../../src/cluster/ports.ts';
import type { Change, ChangeType } from '../../src/diff/changes.ts';
import { FIELD_MANAGER, OWNER_ANNOTATION, ownerOf, PART_OF_LABEL } from '../../src/object/applyset.ts';
import type { ObjectId } from '../../src/object/identity.ts';
import { DEFAULT_POLICY, type ObjectPolicy } from '../../src/object/policy.ts';
import type { KubeObject, ValueMap } from '../../src/object/value.ts';
import type { PlanOptions } from '../../src/plan/plan.ts';

export const OWNER = ownerOf({ hubId: 'hub', namespace: 'apps', name: 'shop' });
export const OTHER_OWNER = ownerOf({ hubId: 'hub', namespace: 'apps', name: 'other' });

/** Labels and annotations of an object that belongs to an owner. */
export function marksOf({ applySetId, ownerAnnotation }: Owner): { labels: ValueMap; annotations: ValueMap } {
  return { labels: { [PART_OF_LABEL]: applySetId }, annotations: { [OWNER_ANNOTATION]: ownerAnnotation } };
}

/** The id of a ConfigMap in the namespace `shop`, or of another kind. */
export function idOf(name: string, more: Partial<ObjectId> = {}): ObjectId {
  return { group: '', kind: 'ConfigMap', namespace: 'shop', name, ...more };
}

export function kindOf({ group, kind, namespace }: ObjectId): KindInfo {
  const plural = `${kind.toLowerCase()}s`;
  return { group, version: 'v1', kind, plural, isNamespaced: namespace !== '', hasStatus: false, isWatchable: true };
}

export interface LiveOptions {
  readonly id?: ObjectId;
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** Added to the metadata; the default marks are those of OWNER. */
  readonly metadata?: ValueMap;
  /** Annotations besides those in `metadata` or the marks, which are from Git. */
  readonly annotations?: ValueMap;
  readonly status?: ValueMap;
  readonly isTerminating?: boolean;
}

/** A live object with the marks of OWNER, uid `u1` and resourceVersion `1`. */
export function liveOf(options: LiveOptions = {}): LiveObject {
  const { id = idOf('settings'), uid = 'u1', resourceVersion = '1', metadata = {}, annotations, status } = options;
  const marks = marksOf(OWNER);
  const all: ValueMap = { name: id.name, ...marks, ...(annotations && fromGit(annotations)), ...metadata };
  if (annotations) all['annotations'] = { ...marks.annotations, ...annotations };
  return {
    id,
    apiVersion: 'v1',
    uid,
    resourceVersion,
    ...(options.isTerminating && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    body: { apiVersion: 'v1', kind: id.kind, metadata: all, ...(status && { status }) },
  };
}

/** managedFields in which Tautline has applied these annotations. */
export function fromGit(annotations: ValueMap): ValueMap {
  const fields = Object.fromEntries(Object.keys(annotations).map((key) => [`f:${key}`, {}]));
  const entry = { manager: FIELD_MANAGER, operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1' };
  return { managedFields: [{ ...entry, fieldsV1: { 'f:metadata': { 'f:annotations': fields } } }] };
}

/** managedFields in which one manager has an entry. */
export function managedBy(manager: string, operation: 'Apply' | 'Update' = 'Update'): ValueMap {
  return { managedFields: [{ manager, operation, apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }] };
}

export interface DesiredOptions {
  readonly id?: ObjectId;
  readonly policy?: Partial<ObjectPolicy>;
  /** Whether the field `data.color` is ignored. */
  readonly isColorIgnored?: boolean;
}

export function desiredOf({ id = idOf('settings'), policy, isColorIgnored }: DesiredOptions = {}): DesiredObject {
  const metadata: ValueMap = { name: id.name, ...marksOf(OWNER) };
  const body: KubeObject = { apiVersion: 'v1', kind: id.kind, metadata, data: { color: 'red', size: 'small' } };
  return {
    id,
    kind: kindOf(id),
    body,
    digest: 'digest',
    file: 'settings.yaml',
    line: 1,
    ...(policy && { policy: { ...DEFAULT_POLICY, ...policy } }),
    ...(isColorIgnored && { ignored: { paths: [['data', 'color']], managers: [], digest: 'ignored' } }),
  };
}

/** A change of a desired object. */
export function changeOf(type: ChangeType, options: DesiredOptions & { readonly live?: LiveObject } = {}): Change {
  const desired = desiredOf(options);
  const { id, kind } = desired;
  return { type, id, kind, fields: [], desired, ...(options.live && { live: options.live }) };
}

/** A change of an object that is no longer desired. */
export function leftChange(type: 'prune' | 'release', id: ObjectId = idOf('settings')): Change {
  return { type, id, kind: kindOf(id), fields: [] };
}

/** Options with which nothing is held back, and no prune is confirmed; it is held beyond 100 objects or 30 %. */
export function planOptions(changes: readonly Change[], more: Partial<PlanOptions> = {}): PlanOptions {
  return {
    changes,
    mode: 'auto',
    mayPrune: true,
    isComplete: true,
    objectsBefore: 100,
    guard: { maxShare: 0.3, maxObjects: 100 },
    isConfirmed: false,
    ...more,
  };
}

export const ABSENT: ReadAnswer = { ok: true, object: undefined };

export function found(object: LiveObject): ReadAnswer {
  return { ok: true, object };
}

/** The answer to a write of an existing object (200), or with `isCreated` to a creation (201). */
export function written(object: LiveObject, isCreated = false): WriteAnswer {
  return { ok: true, object, isCreated, warnings: [] };
}

export function refusedWith(code: RefusalCode, more: Partial<Refusal> = {}): Refused {
  return { ok: false, refusal: { code, status: 409, message: `the server answered ${code}`, retry: 'never', ...more } };
}
