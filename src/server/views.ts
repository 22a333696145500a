/**
 * The JSON of the status API; the types are its contract. Nothing here holds a value of a Secret: diff/ masks the
 * fields, and a status holds none.
 */
import type { ApplicationStatus } from '../application/status-schema.ts';
import type { ParsedApplication } from '../application/parse.ts';
import type { StoredStatus } from '../application/schema.ts';
import type { ObjectPatch, PatchOperation } from '../diff/changes.ts';
import { stringifyJson } from '../object/json.ts';
import type { Value } from '../object/value.ts';
import type { ObjectStatus } from '../status/object-status.ts';

/** An Application in the memory of reconcile/; `view` is undefined until the first pass has ended. */
export interface KnownApplication {
  readonly parsed: ParsedApplication;
  readonly view:
    | {
        readonly objects: readonly ObjectStatus[];
        /** The status of the last pass, where it could not be stored. */
        readonly unwritten?: ApplicationStatus | undefined;
      }
    | undefined;
}

export interface ApplicationSummary {
  readonly namespace: string;
  readonly name: string;
  readonly repoURL?: string;
  readonly path?: string;
  readonly mode?: 'auto' | 'manual' | 'detect';
  readonly suspended: boolean;
  readonly sync: NonNullable<ApplicationStatus['sync']> | { readonly status: 'Unknown' };
  readonly health: NonNullable<ApplicationStatus['health']> | { readonly status: 'Unknown' };
  readonly counts?: ApplicationStatus['counts'];
  readonly ready: { readonly status: string; readonly reason: string; readonly message: string };
}

export interface NameAndState {
  readonly namespace: string;
  readonly name: string;
  readonly sync: string;
  readonly health: string;
  readonly ready: string;
}

export interface ApplicationDetail extends ApplicationSummary {
  readonly conditions: NonNullable<ApplicationStatus['conditions']>;
  readonly history: NonNullable<ApplicationStatus['history']>;
  readonly warnings: NonNullable<ApplicationStatus['warnings']>;
  readonly lastRequest?: ApplicationStatus['lastRequest'];
  /** false until the first pass of this process has ended. Until then `objects` is empty. */
  readonly isObserved: boolean;
  readonly objects: readonly ObjectView[];
}

export interface ObjectView {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly sync: string;
  readonly health: { readonly status: string; readonly message: string };
  readonly message?: string;
  /** The fields because of which the object is OutOfSync; paths are JSON pointers (RFC 6901). */
  readonly fields: readonly FieldView[];
  /** A JSON patch (RFC 6902) from the live object to the desired one. Absent: nothing to patch, or too large. */
  readonly patch?: readonly PatchOperation[];
  /** Values of a Secret are masked in the patch, so that every server refuses it. */
  readonly patchMasked?: true;
  /** The caller may not get such objects: only the paths of the fields are shown, and no patch. */
  readonly valuesHidden?: true;
  readonly pruning: boolean;
  readonly file?: string;
  readonly line?: number;
}

export interface FieldView {
  readonly path: string;
  readonly desired?: Value;
  readonly live?: Value;
  /** The difference of a text of several lines in unified form, from the live text to the desired one. */
  readonly hunks?: string;
  readonly manager?: string;
  readonly managedAt?: string;
}

/** The stored status, or the newer one that could not be stored. */
function statusOf({ parsed, view }: KnownApplication): StoredStatus | ApplicationStatus {
  return view?.unwritten ?? (parsed.ok ? parsed.application : parsed).status;
}

export function summarise(known: KnownApplication): ApplicationSummary {
  const { parsed } = known;
  const { metadata } = parsed.ok ? parsed.application : parsed;
  const status = statusOf(known);
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  const spec = parsed.ok ? parsed.application.spec : undefined;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    ...(spec ? { repoURL: spec.source.repoURL, path: spec.source.path, mode: spec.sync.mode } : {}),
    suspended: spec?.suspend ?? false,
    sync: status.sync ?? { status: 'Unknown' },
    health: status.health ?? { status: 'Unknown' },
    ...(status.counts ? { counts: status.counts } : {}),
    ready: ready
      ? { status: ready.status, reason: ready.reason, message: ready.message }
      : { status: 'Unknown', reason: 'NotReconciled', message: 'no pass over this Application has ended yet' },
  };
}

/** The part of a summary that `--anonymous-read=names` shows to everybody. */
export function nameAndState(known: KnownApplication): NameAndState {
  const { namespace, name, sync, health, ready } = summarise(known);
  return { namespace, name, sync: sync.status, health: health.status, ready: ready.status };
}

/** The objects are left out: there may be thousands of them; see `viewObject`. */
export function describe(known: KnownApplication): Omit<ApplicationDetail, 'objects'> {
  const status = statusOf(known);
  return {
    ...summarise(known),
    conditions: status.conditions ?? [],
    history: status.history ?? [],
    warnings: status.warnings ?? [],
    ...(status.lastRequest ? { lastRequest: status.lastRequest } : {}),
    isObserved: known.view !== undefined,
  };
}

/** Characters of one patch in JSON; a longer patch is left out. */
const MAX_PATCH_CHARS = 16_384;

export function viewObject({
  id,
  sync,
  health,
  message,
  fields,
  patch,
  isPruning,
  file,
  line,
}: ObjectStatus): ObjectView {
  return {
    ...id,
    sync,
    health,
    ...(message === undefined ? {} : { message }),
    fields,
    ...(patch ? viewPatch(patch) : {}),
    pruning: isPruning,
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  };
}

/** The same without values of fields. */
export function hideValues(object: ObjectView): ObjectView {
  if (object.fields.length === 0 && object.patch === undefined) return object;
  const { patch: _, patchMasked: __, ...view } = object;
  return { ...view, fields: view.fields.map(({ path }) => ({ path })), valuesHidden: true };
}

function viewPatch({ operations, isMasked }: ObjectPatch): Pick<ObjectView, 'patch' | 'patchMasked'> {
  if (stringifyJson(operations as unknown as Value).length > MAX_PATCH_CHARS) return {};
  return { patch: operations, ...(isMasked ? { patchMasked: true } : {}) };
}
