/** The sync status and health of each object of a pass, and the counts of them. */
import { cutText } from '../application/conditions.ts';
import type { HealthWord, ObjectCounts, ResourceStatus, SyncWord } from '../application/status-schema.ts';
import { STATUS_LIMITS } from '../application/status-schema.ts';
import type { ChangeResult } from '../apply/applied.ts';
import type { Change, FieldDifference, ObjectPatch } from '../diff/changes.ts';
import type { Health } from '../health/health.ts';
import { compareIds, idKey, type ObjectId } from '../object/identity.ts';
import { KEPT_BY_DISABLED } from '../object/may-delete.ts';
import { DEFAULT_POLICY, isExtraneousIgnored, type ObjectPolicy } from '../object/policy.ts';
import { sortSteps, visitSteps, type Steps } from '../object/steps.ts';
import type { PassReport } from './report.ts';

export interface ObjectStatus {
  readonly id: ObjectId;
  readonly sync: SyncWord;
  readonly health: Health;
  /** For people: why it is not Synced, or that it is not reconciled. */
  readonly message?: string;
  /** The fields that differ; empty if Synced. */
  readonly fields: readonly FieldDifference[];
  /** The same as a JSON patch; absent unless OutOfSync, and where there is nothing to patch. */
  readonly patch?: ObjectPatch;
  readonly isPruning: boolean;
  /** File and line of its manifest, or of the field that the server refuses. */
  readonly file?: string;
  readonly line?: number;
  /** The phase and the wave of a sync that its manifest declares; absent: the phase Sync and the wave 0. */
  readonly order?: Pick<ObjectPolicy, 'phase' | 'wave'>;
}

const SYNCED_OUTCOMES: ReadonlySet<ChangeResult['outcome']> = new Set([
  'created',
  'configured',
  'unchanged',
  'adopted',
]);
const GONE_OUTCOMES: ReadonlySet<ChangeResult['outcome']> = new Set(['pruned', 'released']);
const UNKNOWN_HEALTH: Health = { status: 'Unknown', message: '' };

/** One entry for each object that is desired or still in the inventory, ordered by id. */
export function* objectStatuses(report: PassReport): Steps<ObjectStatus[]> {
  const statuses: ObjectStatus[] = [];
  const waits = new Map<string, string>();
  yield* visitSteps(report.waitingFor, ({ id, reason }) => {
    const key = idKey(id);
    if (!waits.has(key)) waits.set(key, reason);
  });
  yield* visitSteps(report.changes, (change) => {
    const result = report.applied.get(idKey(change.id));
    if (!result || !GONE_OUTCOMES.has(result.outcome)) statuses.push(statusOf(change, { result, report, waits }));
  });
  return yield* sortSteps(statuses, (a, b) => compareIds(a.id, b.id));
}

interface Circumstances {
  readonly result: ChangeResult | undefined;
  readonly report: PassReport;
  /** By `idKey`: why an object waits. */
  readonly waits: ReadonlyMap<string, string>;
}

function statusOf(change: Change, circumstances: Circumstances): ObjectStatus {
  const { result, report } = circumstances;
  const isLeft = change.type === 'prune';
  const sync = isLeft && !report.isComplete ? 'Unknown' : syncWordOf(change, result);
  const message =
    sync === 'Synced' && !isDisabled(change) && !change.isLeftToOther ? undefined : messageOf(change, circumstances);
  return {
    id: change.id,
    sync,
    health: report.health.get(idKey(change.id)) ?? UNKNOWN_HEALTH,
    fields: sync === 'Synced' ? [] : change.fields,
    ...(sync === 'OutOfSync' && change.patch ? { patch: change.patch } : {}),
    isPruning: isLeft && sync !== 'Unknown',
    ...(message === undefined ? {} : { message }),
    ...(change.desired ? { file: change.desired.file, line: result?.line ?? change.desired.line } : {}),
    ...orderOf(change.desired?.policy),
  };
}

function orderOf({ phase, wave }: ObjectPolicy = DEFAULT_POLICY): Pick<ObjectStatus, 'order'> {
  return phase === DEFAULT_POLICY.phase && wave === DEFAULT_POLICY.wave ? {} : { order: { phase, wave } };
}

/** Whether `reconcile: disabled` is set, in Git or on the live object. */
function isDisabled({ type, live, reason }: Change): boolean {
  return type === 'none' && live !== undefined && reason === KEPT_BY_DISABLED;
}

function syncWordOf(change: Change, result: ChangeResult | undefined): SyncWord {
  if (result && SYNCED_OUTCOMES.has(result.outcome)) return 'Synced';
  if (change.type === 'none') return 'Synced';
  if (change.type === 'prune' && !result && change.live && isExtraneousIgnored(change.live.body)) return 'Synced';
  return change.type === 'unknown' || (change.type === 'unsure' && !result) ? 'Unknown' : 'OutOfSync';
}

function messageOf(change: Change, { result, report, waits }: Circumstances): string {
  if (result?.refusal) return result.refusal.message;
  if (result?.message) return result.message;
  const wait = waits.get(idKey(change.id));
  if (wait !== undefined) return `waits: ${wait}`;
  if (change.isLeftToOther) return `left Git; ${change.reason ?? 'kept for another Application'}`;
  if (change.keptFor !== undefined) return `left Git; kept, since ${change.keptFor}`;
  if (change.type === 'prune' && !change.desired) return leftMessage(report);
  if (change.reason) return change.reason;
  const paths = change.fields.slice(0, 3).map(({ path }) => path);
  const more = change.fields.length > paths.length ? ` and ${change.fields.length - paths.length} more` : '';
  return paths.length > 0 ? `differs at ${paths.join(', ')}${more}` : change.type;
}

export type LeftQuestion = Pick<PassReport, 'application' | 'intent' | 'isComplete' | 'isEmptyRender'> &
  Partial<Pick<PassReport, 'held'>>;

/** Why an object that left Git is still there, for people. */
export function leftMessage({ application, intent, held, isComplete, isEmptyRender }: LeftQuestion): string {
  if (!isComplete) return 'kept: nothing is pruned until every manifest and every API can be read';
  if (isEmptyRender) return 'left Git; kept, since the revision renders no object at all';
  if (!application.spec.sync.prune && !intent.prune) return 'left Git; kept, since spec.sync.prune is false';
  if (!intent.prune) return 'left Git; kept, since the request does not prune';
  return held ? 'left Git; waits for a confirmation' : 'left Git';
}

export function countObjects(statuses: readonly ObjectStatus[], problems: number): ObjectCounts {
  const health = (word: HealthWord): number =>
    statuses.filter((status) => !status.isPruning && status.health.status === word).length;
  return {
    total: statuses.length,
    synced: statuses.filter(({ sync }) => sync === 'Synced').length,
    outOfSync: statuses.filter(({ sync }) => sync === 'OutOfSync').length,
    healthy: health('Healthy'),
    progressing: health('Progressing'),
    degraded: health('Degraded'),
    suspended: health('Suspended'),
    missing: health('Missing'),
    unknown: health('Unknown'),
    pruning: statuses.filter(({ isPruning }) => isPruning).length,
    problems,
  };
}

const RANK: Readonly<Record<HealthWord, number>> = {
  Degraded: 0,
  Missing: 1,
  Progressing: 2,
  Unknown: 3,
  Suspended: 4,
  Healthy: 5,
};

/** The objects that are not both Synced and Healthy, the worst first, within the bounds of the CRD. */
export function* troubledResources(statuses: readonly ObjectStatus[]): Steps<ResourceStatus[]> {
  const troubled = yield* sortSteps(
    statuses.filter(({ sync, health }) => sync !== 'Synced' || health.status !== 'Healthy'),
    (a, b) =>
      Number(a.sync === 'Synced') - Number(b.sync === 'Synced') ||
      RANK[a.health.status] - RANK[b.health.status] ||
      compareIds(a.id, b.id),
  );
  return troubled.slice(0, STATUS_LIMITS.maxResources).map(({ id, sync, health, message }) => {
    const text = sync === 'Synced' ? health.message || message : (message ?? health.message);
    return {
      ...id,
      sync,
      health: health.status,
      ...(text ? { message: cutText(text, STATUS_LIMITS.maxResourceMessageChars) } : {}),
    };
  });
}
