/**
 * The one writer of status. Invariants: nothing is written when nothing changed; every write carries a resourceVersion.
 * It is that of the version which the pass started from, or of one in which only metadata differs
 * (`isSameButMetadata`), so that a client that keeps writing annotations cannot hold up a pass. Any other conflict ends
 * the pass.
 */
import { getCondition } from '../../application/conditions.ts';
import { PRUNE_FINALIZER } from '../../application/keys.ts';
import { roomForStatus } from '../../application/room.ts';
import type { ApplicationMetadata, ApplicationSpec, StoredStatus } from '../../application/schema.ts';
import type { ApplicationStatus } from '../../application/status-schema.ts';
import type { Refusal } from '../../cluster/answers.ts';
import { inTurns } from '../../cluster/concurrency.ts';
import type { ApplicationClient } from '../../cluster/ports.ts';
import { StageError } from '../../object/stage-error.ts';
import { isEqualValue, listAt, mapAt, own, type KubeObject, type ValueMap } from '../../object/value.ts';
import { composeInvalid, composeSuspended, composeUnwritten } from '../../status/compose-bare.ts';
import { composeSteps, type ComposedStatus, type KnownParts } from '../../status/compose.ts';
import { bareEventOf, eventOf, healthEventOf, type PassEvent } from '../../status/event.ts';
import { fitStatus } from '../../status/fit.ts';
import { holdEventOf } from '../../status/rollback.ts';
import { releaseEventOf } from '../../status/released.ts';
import type { PassReport } from '../../status/report.ts';
import type { ReconcileContext } from '../context.ts';
import { isNewer, type ApplicationRecord } from '../memory.ts';
import { withEntrusted } from '../decide/entrusted.ts';
import { encodeFor, readInventory } from '../decide/inventory.ts';
import { StatusConflict, type Pass } from '../pass.ts';
import { readGoal } from '../requests.ts';

type Stored = { readonly ok: true; readonly object: KubeObject } | { readonly ok: false; readonly refusal: Refusal };

/** The part of a writer that takes in the answer to a write. */
export interface Adopter extends Pick<Writer, 'base'> {
  readonly record: Pick<ApplicationRecord, 'stored'>;
}

/** The part of a writer that a whole status is written with. */
export interface StatusPutter extends Adopter {
  readonly context: { readonly hub: { readonly applications: Pick<ApplicationClient, 'putStatus' | 'read'> } };
}

/** The record of the Application that is written, and the stored form that was read or written last. */
export interface Writer {
  readonly record: ApplicationRecord;
  readonly context: Pick<ReconcileContext, 'hub' | 'clock' | 'log' | 'metrics' | 'notify'>;
  base: KubeObject;
}

/** `known`: the parts of the status that an earlier pass with the same findings has composed. */
export async function writeStatus(pass: Pass, report: PassReport, known?: KnownParts): Promise<ComposedStatus> {
  const before = pass.application.status;
  const composed = await inTurns(composeSteps(before, report, { nowMs: pass.context.clock.now(), known }));
  if (report.phase === 'begun') {
    await writeStatusValue(pass, composed.status);
    return composed;
  }
  const { metadata, spec } = pass.application;
  pass.record.view = { objects: composed.objects, problems: report.problems, unwritten: undefined };
  await writeAndShow(pass, { metadata, status: composed.status, spec });
  const event = eventOf({ before, report, verdict: composed.verdict });
  tell(pass, event, report.revision);
  tell(pass, healthEventOf(before, composed.status, event), report.revision);
  tell(pass, holdEventOf(before, composed.status, pass.application), report.revision);
  tell(pass, releaseEventOf(report.applied, 'Apply'), report.revision);
  return composed;
}

export interface Unreadable {
  readonly metadata: ApplicationMetadata;
  readonly status: StoredStatus;
  readonly problems: readonly string[];
}

/** The spec cannot be read: nothing is applied, and the status tells its problems. */
export async function writeInvalid(unreadable: Unreadable, writer: Writer): Promise<void> {
  const { request } = readGoal(unreadable);
  const next = composeInvalid({ ...unreadable, ...(request ? { request } : {}) }, writer.context.clock.now());
  await writeAndShow(writer, { metadata: unreadable.metadata, status: next });
  tell(writer, bareEventOf(unreadable.status, next));
}

/** The objects of a suspended Application are not watched either: an event would lead to a read. */
export async function writeSuspended(pass: Pass): Promise<void> {
  const { application, goal, context, record, target } = pass;
  const { metadata, status } = application;
  const { request, reconcileAt } = goal;
  target.live.release(record.key);
  context.hub.data.release(record.key);
  const bare = { metadata, status, reconcileAt, ...(request ? { request } : {}) };
  const next = { ...composeSuspended(bare, context.clock.now()), ...entrustedTo(pass) };
  await writeAndShow(pass, { metadata, status: next, spec: application.spec });
  tell(pass, bareEventOf(status, next));
}

/** The inventory of a suspended Application with the objects that deleted ones hand over to it. */
function entrustedTo(pass: Pass): Pick<ApplicationStatus, 'inventory'> {
  if (pass.signals.entrusted.size === 0) return {};
  const ids = withEntrusted(pass, readInventory(pass.memory.inventory, pass.application));
  return ids ? { inventory: encodeFor(pass.memory.inventory, ids) } : {};
}

/**
 * Takes in the answer to a write of the Application itself. Throws StatusConflict or StageError unless it succeeded.
 */
export function adoptAnswer(writer: Adopter, answer: Stored): void {
  if (answer.ok) {
    writer.base = answer.object;
    if (isNewer(answer.object, writer.record.stored)) writer.record.stored = answer.object;
    return;
  }
  const { code, message, retry } = answer.refusal;
  if (code === 'Modified' || code === 'NotFound') throw new StatusConflict(message);
  throw new StageError({
    stage: 'status',
    code,
    retry,
    message: `the Application itself could not be written: ${message}`,
    cause: answer.refusal,
  });
}

/**
 * Whether the API server has refused a write of the Application (an admission webhook, a quota, a size), so that
 * other writes may succeed. Without an answer, or where the server is busy, they would not.
 */
export function isWriteRefused(error: unknown): error is StageError {
  if (!(error instanceof StageError) || error.stage !== 'status') return false;
  const { status } = error.cause as Partial<Refusal>;
  return typeof status === 'number' && status > 0 && error.code !== 'Throttled' && error.code !== 'Unauthorized';
}

/** After so many conflicts in a row the pass starts over. */
const MAX_TRIES = 20;

/**
 * Sends a write of the Application. After a conflict it is sent again for the version that is stored now, provided
 * that the other write changed metadata alone.
 */
export async function writeGuarded(
  writer: Pick<Writer, 'base'>,
  applications: Pick<ApplicationClient, 'read'>,
  write: (base: KubeObject) => Promise<Stored>,
): Promise<Stored> {
  for (let tries = 1; ; tries++) {
    const answer = await write(writer.base);
    if (answer.ok || answer.refusal.code !== 'Modified' || tries === MAX_TRIES) return answer;
    const fresh = await applications.read(writer.base);
    if (!fresh.ok || !isSameButMetadata(writer.base, fresh.object)) return answer;
    writer.base = fresh.object;
  }
}

/**
 * Whether everything that a pass goes by is equal in two versions of an Application: identity, spec, deletion, our
 * finalizer and status. The requests in its annotations may differ: the queue begins another pass for them.
 */
export function isSameButMetadata(before: KubeObject, after: KubeObject): boolean {
  const areGuardsEqual = ['uid', 'generation', 'deletionTimestamp'].every((key) =>
    isEqualValue(own(before.metadata, key), own(after.metadata, key)),
  );
  const isHeld = (object: KubeObject): boolean => listAt(object.metadata, 'finalizers').includes(PRUNE_FINALIZER);
  const areStatusesEqual = isEqualValue(mapAt(before, 'status'), mapAt(after, 'status'));
  return areGuardsEqual && isHeld(before) === isHeld(after) && areStatusesEqual;
}

function isStored(base: KubeObject, status: ApplicationStatus): boolean {
  return isEqualValue(mapAt(base, 'status'), status as unknown as ValueMap);
}

/** Writes a whole status, unless it equals the stored one. One that is too large is shortened. */
export async function writeStatusValue(writer: StatusPutter, status: ApplicationStatus): Promise<void> {
  if (isStored(writer.base, status)) return;
  const fitted = fitStatus(status, roomForStatus(writer.base));
  if (fitted !== status && isStored(writer.base, fitted)) return;
  const next = fitted as unknown as ValueMap;
  const { applications } = writer.context.hub;
  adoptAnswer(writer, await writeGuarded(writer, applications, (base) => applications.putStatus(base, next)));
}

/**
 * Writes a status, and shows it in the metrics. Where it cannot be written, metrics and status API show it
 * nevertheless, with the reason: the stored one is out of date.
 */
async function writeAndShow(writer: Writer, shown: Shown): Promise<void> {
  try {
    await writeStatusValue(writer, shown.status);
  } catch (error) {
    if (error instanceof StageError) showUnwritten(writer, shown, error.message);
    throw error;
  }
  if (writer.record.view) writer.record.view = { ...writer.record.view, unwritten: undefined };
  show(writer, shown);
}

function showUnwritten(writer: Writer, shown: Shown, message: string): void {
  const { metadata } = shown;
  const status = composeUnwritten({ metadata, status: shown.status, message }, writer.context.clock.now());
  const { objects = [], problems = [] } = writer.record.view ?? {};
  writer.record.view = { objects, problems, unwritten: status };
  show(writer, { ...shown, status });
}

interface Shown {
  readonly metadata: ApplicationMetadata;
  readonly status: ApplicationStatus;
  /** undefined: it cannot be read. */
  readonly spec?: ApplicationSpec;
}

function show({ context }: Writer, { metadata, status, spec }: Shown): void {
  const conditions = status.conditions ?? [];
  context.metrics.setApplication({
    namespace: metadata.namespace,
    name: metadata.name,
    sync: status.sync?.status ?? 'Unknown',
    health: status.health?.status ?? 'Unknown',
    ready: getCondition(conditions, 'Ready')?.status ?? 'Unknown',
    isStalled: getCondition(conditions, 'Stalled')?.status === 'True',
    mode: spec?.sync.mode ?? 'Unknown',
    isSuspended: spec?.suspend ?? false,
    driftObjects: spec?.suspend ? 0 : (status.counts?.outOfSync ?? 0),
  });
}

function tell({ context, record }: Writer, event: PassEvent | undefined, revision?: string): void {
  if (!event) return;
  const fields = { application: record.key, reason: event.reason, revision, detail: event.note };
  if (event.type === 'Warning') context.log.warn('application changed', fields);
  else context.log.info('application changed', fields);
  context.notify(event, record.stored);
}
