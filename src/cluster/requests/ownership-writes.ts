/**
 * The writes that change only who owns an object or its fields: marks of an Application, and managedFields.
 *
 * Invariant: none of them writes to an object that replaced the one that was read.
 */
import { FIELD_MANAGER, OWNER_ANNOTATION, PART_OF_LABEL } from '../../object/applyset.ts';
import { apiVersionOf, groupOf } from '../../object/identity.ts';
import { stringifyJson } from '../../object/json.ts';
import type { Value } from '../../object/value.ts';
import type { Refusal } from '../answers.ts';
import { kindKey, type KindInfo } from '../kinds.ts';
import type { LiveObject } from '../live.ts';
import type { ClusterClient, WriteAnswer } from '../ports.ts';
import type { Discovery } from './discovery.ts';
import { moveManagedFields, takeOverManagedFields } from './managed-fields.ts';
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
}: OwnershipWriteOptions): Pick<ClusterClient, 'takeOver' | 'moveGoneVersions' | 'release'> {
  /** `managedFields`: undefined if there is nothing to change. */
  function put(kind: KindInfo, live: LiveObject, managedFields: Value[] | undefined): Promise<WriteAnswer> {
    if (!managedFields) return Promise.resolve({ ok: true, object: live, isCreated: false, warnings: [] });
    const patch = managedFieldsPatch(live, managedFields);
    return write(patchOf(kind, live, { patch, contentType: JSON_PATCH }));
  }

  return {
    takeOver(kind, live) {
      const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
      return put(kind, live, takeOverManagedFields(live.body, time));
    },

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

    release: (kind, live) => write(patchOf(kind, live, { patch: releasePatch(live), contentType: MERGE_PATCH })),
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

/** A merge patch (RFC 7396) that removes our marks, and fails if the object was replaced. */
function releasePatch({ uid }: LiveObject): Value {
  return { metadata: { uid, labels: { [PART_OF_LABEL]: null }, annotations: { [OWNER_ANNOTATION]: null } } };
}

function patchOf(
  kind: KindInfo,
  { id }: LiveObject,
  { patch, contentType }: { readonly patch: Value; readonly contentType: string },
): PatchCall {
  return {
    kind,
    verb: 'patch',
    method: 'PATCH',
    path: () => objectPath(kind, id) + query({ fieldManager: FIELD_MANAGER }),
    body: stringifyJson(patch),
    contentType,
  };
}
