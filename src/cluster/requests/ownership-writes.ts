/**
 * The patches: they change only who owns an object or its fields (marks of an Application, managedFields), or nothing.
 *
 * Invariant: none of them writes to an object that replaced the one that was read.
 */
import {
  FIELD_MANAGER,
  OWNER_ANNOTATION,
  ownerOf,
  parseOwner,
  PART_OF_LABEL,
  type Owner,
} from '../../object/applyset.ts';
import { annotationsOf, apiVersionOf, groupOf, labelsOf } from '../../object/identity.ts';
import { stringifyJson } from '../../object/json.ts';
import { formatPointer } from '../../object/pointer.ts';
import { isSecret } from '../../object/redact.ts';
import { isMap, type KubeObject, type Value, type ValueMap } from '../../object/value.ts';
import type { Refusal } from '../answers.ts';
import { kindKey, type KindInfo } from '../kinds.ts';
import type { LiveObject } from '../live.ts';
import type { ClusterClient, WriteAnswer } from '../ports.ts';
import type { Discovery } from './discovery.ts';
import { moveManagedFields, takeFieldsOf, takeOverManagedFields } from './managed-fields.ts';
import { objectPath, query } from './paths.ts';

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';

export interface PatchCall {
  readonly kind: KindInfo;
  readonly verb: 'patch';
  readonly method: 'PATCH';
  /** Throws RangeError for a name that would address something else. */
  readonly path: () => string;
  readonly body: string;
  readonly contentType: string;
}

export interface OwnershipWriteOptions {
  readonly write: (call: PatchCall) => Promise<WriteAnswer>;
  /** Rejects where the kinds of the server are not known. */
  readonly kinds: Discovery['kinds'];
}

export function createOwnershipWrites({
  write,
  kinds,
}: OwnershipWriteOptions): Pick<
  ClusterClient,
  'takeOver' | 'takeFields' | 'moveGoneVersions' | 'tryReplace' | 'release'
> {
  /** `managedFields`: undefined if there is nothing to change. */
  function put(kind: KindInfo, live: LiveObject, managedFields: Value[] | undefined): Promise<WriteAnswer> {
    if (!managedFields) return Promise.resolve({ ok: true, object: live, isCreated: false, warnings: [] });
    const patch = managedFieldsPatch(live, managedFields);
    return write(patchOf(kind, live, { patch, contentType: JSON_PATCH }));
  }

  return {
    takeOver: (kind, live) => put(kind, live, takeOverManagedFields(live.body, now())),

    takeFields: (kind, live, fields) => put(kind, live, takeFieldsOf(live.body, { fields, time: now() })),

    async moveGoneVersions(kind, live, goneVersion) {
      const known = await kinds({ refresh: true }).catch(() => undefined);
      if (!known) return { ok: false, refusal: NOT_DISCOVERED };
      const isServed = (version: string): boolean =>
        known.served.has(kindKey(version, kind.kind)) || known.stale.has(version);
      const isGone = (version: string): boolean =>
        version === goneVersion || (groupOf(version) === kind.group && !isServed(version));
      const to = apiVersionOf(kind.group, kind.version);
      return put(kind, live, moveManagedFields(live.body, { isGone, to }));
    },

    tryReplace: (kind, live, body) =>
      write(patchOf(kind, live, { patch: replacePatch(live, body), contentType: JSON_PATCH, dryRun: 'All' })),

    release: (kind, live, to) =>
      write(patchOf(kind, live, { patch: releasePatch(live, to), contentType: MERGE_PATCH })),
  };
}

const NOT_DISCOVERED: Refusal = {
  code: 'Unavailable',
  status: 0,
  message: 'the API server does not tell which versions it serves',
  retry: 'backoff',
};

/** A JSON patch (RFC 6902) that fails if the object was replaced or changed. */
function managedFieldsPatch({ uid, resourceVersion }: LiveObject, managedFields: Value[]): Value {
  return [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'replace', path: '/metadata/managedFields', value: managedFields },
    { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
  ];
}

/** Now in the form of managedFields: RFC 3339 with whole seconds. */
function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

/** A JSON patch (RFC 6902) that fails if the object was replaced, and makes all of its fields those of `body`. */
function replacePatch({ body: live, uid }: LiveObject, body: KubeObject): Value {
  const isKept = (key: string): boolean => ['apiVersion', 'kind', 'metadata', 'status'].includes(key);
  const { labels, annotations } = body.metadata;
  return [
    { op: 'test', path: '/metadata/uid', value: uid },
    ...Object.entries({ labels, annotations }).flatMap(([key, value]) =>
      value === undefined ? [] : [{ op: 'add', path: `/metadata/${key}`, value }],
    ),
    ...Object.keys(live).flatMap((key) =>
      isKept(key) || Object.hasOwn(body, key) ? [] : [{ op: 'remove', path: formatPointer([key]) }],
    ),
    ...Object.keys(body).flatMap((key) => {
      if (isKept(key)) return [];
      const [before, value] = [live[key], body[key] ?? null];
      if (isSecret(live) && isMap(before) && isMap(value)) return entryPatch(key, before, value);
      return [{ op: 'add', path: formatPointer([key]), value }];
    }),
  ];
}

/** Changes the entries of a map one by one, since the values of those that stay are not known. */
function entryPatch(field: string, before: ValueMap, after: ValueMap): Value[] {
  const at = (key: string): string => formatPointer([field, key]);
  const gone = Object.keys(before).filter((key) => !Object.hasOwn(after, key));
  const changed = Object.keys(after).filter((key) => after[key] !== before[key]);
  return [
    ...gone.map((key) => ({ op: 'remove', path: at(key) })),
    ...changed.map((key) => ({ op: 'add', path: at(key), value: after[key] ?? null })),
  ];
}

/**
 * A merge patch (RFC 7396) that removes our marks, and fails if the object was replaced or changed: another Application
 * may have taken it over. The label of another tool stays.
 */
function releasePatch({ body, uid, resourceVersion }: LiveObject, to: Owner | undefined): Value {
  const owner = parseOwner(annotationsOf(body)[OWNER_ANNOTATION] ?? '');
  const isOwnLabel = owner !== undefined && labelsOf(body)[PART_OF_LABEL] === ownerOf(owner).applySetId;
  const labels = isOwnLabel ? { labels: { [PART_OF_LABEL]: to?.applySetId ?? null } } : {};
  const annotations = { [OWNER_ANNOTATION]: to?.ownerAnnotation ?? null };
  return { metadata: { uid, resourceVersion, ...labels, annotations } };
}

function patchOf(
  kind: KindInfo,
  { id }: LiveObject,
  { patch, contentType, dryRun }: { readonly patch: Value; readonly contentType: string; readonly dryRun?: 'All' },
): PatchCall {
  return {
    kind,
    verb: 'patch',
    method: 'PATCH',
    path: () => objectPath(kind, id) + query({ fieldManager: FIELD_MANAGER, dryRun }),
    body: stringifyJson(patch),
    contentType,
  };
}
