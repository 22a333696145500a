/**
 * Makes the answers of schema.ts from what reconcile/ knows. Nothing here holds a value of a Secret: diff/ masks the
 * fields, and a status and problems hold none.
 */
import { getCondition } from '../../application/conditions.ts';
import type { ParsedApplication } from '../../application/parse.ts';
import type { ApplicationMetadata, ApplicationSpec, StoredStatus } from '../../application/schema.ts';
import type { ApplicationStatus } from '../../application/status-schema.ts';
import type { DesiredObject } from '../../bind/desired.ts';
import type { ObjectPatch } from '../../diff/changes.ts';
import type { ObjectId } from '../../object/identity.ts';
import { stringifyJson } from '../../object/json.ts';
import type { Problem } from '../../object/problem.ts';
import type { Value } from '../../object/value.ts';
import type { DryRunView } from '../../reconcile/memory.ts';
import type { ObjectStatus } from '../../status/object-status.ts';
import type {
  ApplicationDetail,
  ApplicationSummary,
  NameAndState,
  ObjectView,
  ProblemView,
  Severity,
} from './schema.ts';

/** An Application in the memory of reconcile/; `view` is undefined until the first pass has ended. */
export interface KnownApplication {
  readonly parsed: ParsedApplication;
  readonly view:
    | {
        readonly objects: readonly ObjectStatus[];
        /** Problems of the manifests. */
        readonly problems: readonly Problem[];
        /** The status of the last pass, where it could not be stored. */
        readonly unwritten?: ApplicationStatus | undefined;
      }
    | undefined;
  /** The last dry run that was requested. */
  readonly trial: DryRunView | undefined;
  /** The desired object of that id in the last usable render; its values may be secret. */
  desiredOf(id: ObjectId): Pick<DesiredObject, 'body' | 'isSealed'> | undefined;
}

/** The stored status, or the newer one that could not be stored. */
function statusOf({ parsed, view }: KnownApplication): StoredStatus | ApplicationStatus {
  return view?.unwritten ?? (parsed.ok ? parsed.application : parsed).status;
}

export function metadataOf({ parsed }: Pick<KnownApplication, 'parsed'>): ApplicationMetadata {
  return (parsed.ok ? parsed.application : parsed).metadata;
}

export function summarise(known: KnownApplication): ApplicationSummary {
  const { parsed } = known;
  const { deletionTimestamp, labels, namespace, name } = metadataOf(known);
  const status = statusOf(known);
  const spec = parsed.ok ? parsed.application.spec : undefined;
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  const summary = {
    suspended: spec?.suspend ?? false,
    sync: status.sync ?? { status: 'Unknown' as const },
    health: status.health ?? { status: 'Unknown' as const },
    ...(status.counts ? { counts: status.counts } : {}),
    ready: ready ? { status: ready.status, reason: ready.reason, message: ready.message } : NOT_RECONCILED,
  };
  return {
    namespace,
    name,
    ...(Object.keys(labels).length > 0 ? { labels: { ...labels } } : {}),
    ...(spec ? sourceOf(spec) : {}),
    ...(deletionTimestamp === undefined ? {} : { deleting: true as const }),
    severity: severityOf(summary, getCondition(status.conditions ?? [], 'Stalled')?.status === 'True'),
    ...summary,
  };
}

const NOT_RECONCILED = {
  status: 'Unknown' as const,
  reason: 'NotReconciled',
  message: 'no pass over this Application has ended yet',
};

function sourceOf({
  source,
  sync,
}: ApplicationSpec): Pick<ApplicationSummary, 'repoURL' | 'path' | 'revision' | 'mode'> {
  return { repoURL: source.repoURL, path: source.path, revision: source.revision, mode: sync.mode };
}

type State = Pick<ApplicationSummary, 'suspended' | 'sync' | 'health' | 'counts' | 'ready'>;

/** schema.ts says what each word means. */
function severityOf({ suspended, sync, health, counts, ready }: State, isStalled: boolean): Severity {
  if (suspended) return 'suspended';
  const isBroken = health.status === 'Degraded' || health.status === 'Missing' || (counts?.problems ?? 0) > 0;
  if (isStalled || isBroken) return 'error';
  if (health.status === 'Progressing') return 'progressing';
  const isKnown = sync.status === 'Synced' && health.status !== 'Unknown' && ready.status === 'True';
  return isKnown ? 'ok' : 'warning';
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
    ...(status.hold ? { hold: status.hold } : {}),
    ...(status.pruneGuard ? { pruneGuard: status.pruneGuard } : {}),
    ...(status.nextAttemptAt === undefined ? {} : { nextAttemptAt: status.nextAttemptAt }),
    problems: (known.view?.problems ?? []).slice(0, MAX_PROBLEMS).map(viewProblem),
    isObserved: known.view !== undefined,
  };
}

const MAX_PROBLEMS = 100;

function viewProblem({ object, ...problem }: Problem): ProblemView {
  return { ...problem, ...(object ? { object: { ...object } } : {}) };
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
  order,
}: ObjectStatus): ObjectView {
  return {
    ...id,
    sync,
    health,
    ...(message === undefined ? {} : { message }),
    fields: [...fields],
    ...(patch ? viewPatch(patch) : {}),
    pruning: isPruning,
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...order,
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
  return { patch: [...operations], ...(isMasked ? { patchMasked: true } : {}) };
}
