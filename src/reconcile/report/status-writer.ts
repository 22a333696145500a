/**
 * The one writer of status. Invariants: nothing is written when nothing changed; every write carries the
 * resourceVersion that the pass started from, and a conflict ends the pass.
 */
import { getCondition } from '../../application/conditions.ts';
import type { ApplicationMetadata, ApplicationSpec, StoredStatus } from '../../application/schema.ts';
import type { ApplicationStatus } from '../../application/status-schema.ts';
import type { Refusal } from '../../cluster/answers.ts';
import type { ApplicationClient } from '../../cluster/ports.ts';
import { StageError } from '../../object/stage-error.ts';
import { isEqualValue, mapAt, type KubeObject, type ValueMap } from '../../object/value.ts';
import { composeInvalid, composeSuspended } from '../../status/compose-bare.ts';
import { composeStatus, type ComposedStatus } from '../../status/compose.ts';
import { bareEventOf, eventOf, type PassEvent } from '../../status/event.ts';
import { releaseEventOf } from '../../status/released.ts';
import type { PassReport } from '../../status/report.ts';
import type { ReconcileContext } from '../context.ts';
import { isNewer, type ApplicationRecord } from '../memory.ts';
import { StatusConflict, type Pass } from '../pass.ts';
import { readGoal } from '../requests.ts';

type Stored = { readonly ok: true; readonly object: KubeObject } | { readonly ok: false; readonly refusal: Refusal };

/** The part of a writer that takes in the answer to a write. */
export interface Adopter extends Pick<Writer, 'base'> {
  readonly record: Pick<ApplicationRecord, 'stored'>;
}

/** The part of a writer that a whole status is written with. */
export interface StatusPutter extends Adopter {
  readonly context: { readonly hub: { readonly applications: Pick<ApplicationClient, 'putStatus'> } };
}

/** The record of the Application that is written, and the stored form that was read or written last. */
export interface Writer {
  readonly record: ApplicationRecord;
  readonly context: Pick<ReconcileContext, 'hub' | 'clock' | 'log' | 'metrics' | 'notify'>;
  base: KubeObject;
}

export async function writeStatus(pass: Pass, report: PassReport): Promise<ComposedStatus> {
  const before = pass.application.status;
  const composed = composeStatus(before, report, pass.context.clock.now());
  await writeStatusValue(pass, composed.status);
  if (report.phase === 'ended') announce(pass, report, composed);
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
  await writeStatusValue(writer, next);
  tell(writer, bareEventOf(unreadable.status, next));
  show(writer, { metadata: unreadable.metadata, status: next });
}

/** The objects of a suspended Application are not watched either: an event would lead to a read. */
export async function writeSuspended(pass: Pass): Promise<void> {
  const { application, goal, context, record, target } = pass;
  const { metadata, status } = application;
  const { request, reconcileAt } = goal;
  target.live.release(record.key);
  const bare = { metadata, status, reconcileAt, ...(request ? { request } : {}) };
  const next = composeSuspended(bare, context.clock.now());
  await writeStatusValue(pass, next);
  tell(pass, bareEventOf(status, next));
  show(pass, { metadata, status: next, spec: application.spec });
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
  });
}

/** Writes a whole status, unless it equals the stored one. */
export async function writeStatusValue(writer: StatusPutter, status: ApplicationStatus): Promise<void> {
  const next = status as unknown as ValueMap;
  if (isEqualValue(mapAt(writer.base, 'status'), next)) return;
  adoptAnswer(writer, await writer.context.hub.applications.putStatus(writer.base, next));
}

/** Tells log, metrics and Events of a change; without a change nothing is told. */
function announce(pass: Pass, report: PassReport, { status, verdict, objects }: ComposedStatus): void {
  const { application, record } = pass;
  record.view = { objects };
  show(pass, { metadata: application.metadata, status, spec: application.spec });
  tell(pass, eventOf({ before: application.status, report, verdict }), report.revision);
  tell(pass, releaseEventOf(report.applied, 'Apply'), report.revision);
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
