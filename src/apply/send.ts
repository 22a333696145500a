/**
 * Sends one change by server-side apply. An object that is not known to be ours is applied without force, so that the
 * answer tells creation from adoption. Fields of other managers are taken over only at an adoption.
 */
import type { ClusterClient, WriteAnswer } from '../cluster/ports.ts';
import type { Refusal } from '../cluster/answers.ts';
import type { LiveObject } from '../cluster/live.ts';
import { BEFORE_FIRST_APPLY, isTakenOverManager } from '../object/managers.ts';
import type { Change } from '../diff/changes.ts';
import type { DesiredObject, Owner } from '../bind/desired.ts';
import { annotationsOf, formatId, labelsOf } from '../object/identity.ts';
import { isLeftToOthers } from '../object/live-policy.ts';
import { listAt, stringAt } from '../object/value.ts';
import { OWNER_ANNOTATION, PART_OF_LABEL } from '../object/applyset.ts';
import type { ChangeResult, Outcome } from './applied.ts';
import { applyOnto } from './apply-onto.ts';
import { recreateObject } from './recreate.ts';

export interface SendContext {
  readonly client: ClusterClient;
  readonly owner: Owner;
}

export async function sendChange(change: Change, context: SendContext): Promise<ChangeResult> {
  const { desired } = change;
  if (!desired) throw new RangeError(`a change without desired object cannot be sent: ${formatId(change.id)}`);
  if (change.type === 'adopt' || isReadFirst(change, desired)) return adopt(change, desired, context);
  const isOurs = change.type === 'update' || change.type === 'unsure';
  const answer = await applyOnto(context.client, { desired, live: change.live, force: isOurs });
  if (!answer.ok) return refused(change, desired, answer.refusal, context);
  if (isOurs) {
    if (hasLostManagedFields(answer.object)) return takeOver({ change, desired, live: answer.object, context });
    const isSame = answer.object.resourceVersion === change.live?.resourceVersion;
    return succeeded(change, isSame ? 'unchanged' : 'configured', answer);
  }
  if (answer.isCreated) return succeeded(change, 'created', answer);
  return needsTakeOver(answer.object, desired)
    ? takeOver({ change, desired, live: answer.object, context })
    : succeeded(change, 'adopted', answer);
}

/** Whether the object must be read before a create: an existing one decides the body, or whether to apply at all. */
function isReadFirst({ type, live }: Change, { ignored, policy }: DesiredObject): boolean {
  return type === 'create' && !live && (ignored !== undefined || policy?.ssa === 'IfNotPresent');
}

/** Applies to an object that may exist without being ours: takes it over, creates it, or reports a conflict. */
async function adopt(change: Change, desired: DesiredObject, context: SendContext): Promise<ChangeResult> {
  const read = await context.client.get(desired.kind, desired.id);
  if (!read.ok) return { change, outcome: 'failed', refusal: read.refusal };
  if (!read.object) {
    const answer = await context.client.apply({ kind: desired.kind, body: desired.body, force: false });
    return answer.ok ? succeeded(change, 'created', answer) : { change, outcome: 'failed', refusal: answer.refusal };
  }
  if (desired.policy?.ssa === 'IfNotPresent' || isLeftToOthers(read.object.body, context.owner)) {
    return { change, outcome: 'unchanged' };
  }
  const other = ownerOfOther(read.object, context.owner);
  // The object may have changed hands since the change was decided.
  if (other !== undefined && other !== change.takenFrom)
    return { change, outcome: 'conflict', message: `managed by Application ${other}` };
  return takeOver({ change, desired, live: read.object, context });
}

/**
 * Whether managedFields had been emptied before this apply. The server then assigns all existing fields to this
 * manager, and fields that leave Git would never be removed. Only the answer to our own apply shows it.
 */
function hasLostManagedFields(live: LiveObject): boolean {
  return listAt(live.body.metadata, 'managedFields').some((entry) => stringAt(entry, 'manager') === BEFORE_FIRST_APPLY);
}

interface TakeOverOptions {
  readonly change: Change;
  readonly desired: DesiredObject;
  readonly live: LiveObject;
  readonly context: SendContext;
}

async function takeOver({ change, desired, live: found, context }: TakeOverOptions): Promise<ChangeResult> {
  let live = found;
  if (needsTakeOver(live, desired)) {
    const taken = await context.client.takeOver(desired.kind, live);
    // 409: the object was changed in between, and the next pass reads it again.
    if (!taken.ok) return { change, outcome: 'failed', refusal: taken.refusal };
    live = taken.object;
  }
  const answer = await applyOnto(context.client, { desired, live, force: true });
  const outcome = change.type === 'update' || change.type === 'unsure' ? 'configured' : 'adopted';
  return answer.ok ? succeeded(change, outcome, answer) : refused(change, desired, answer.refusal, context);
}

async function refused(
  change: Change,
  desired: DesiredObject,
  refusal: Refusal,
  context: SendContext,
): Promise<ChangeResult> {
  if (refusal.code === 'FieldConflict' && change.type === 'create') return adopt(change, desired, context);
  if (refusal.code === 'NamespaceTerminating' || refusal.code === 'NamespaceMissing') {
    return { change, outcome: 'failed', refusal };
  }
  // Only 422 can mean that just the update is forbidden. Other refusals of a manifest also apply to a new object.
  const mayBeImmutable = refusal.code === 'InvalidManifest' && refusal.status === 422 && change.live;
  if (mayBeImmutable && (await context.client.isImmutable(desired.kind, desired.body))) {
    const immutable: Refusal = { ...refusal, code: 'Immutable', message: immutableMessage(refusal) };
    if (desired.policy?.mayRecreate) return recreateObject({ change, desired, refusal: immutable, ...context });
    return { change, outcome: 'failed', refusal: immutable };
  }
  return { change, outcome: 'failed', refusal };
}

function immutableMessage(refusal: Refusal): string {
  const fields = refusal.fields?.length ? `: ${refusal.fields.join(', ')}` : '';
  return `the manifest changes a field that cannot be changed in place${fields}; delete the object to recreate it`;
}

function succeeded(change: Change, outcome: Outcome, answer: WriteAnswer & { ok: true }): ChangeResult {
  return { change, outcome, live: answer.object, warnings: answer.warnings };
}

/** With `ssa: Merge`, other tools keep the fields that they have set. */
function needsTakeOver(live: LiveObject, { policy }: DesiredObject): boolean {
  if (policy?.ssa === 'Merge') return false;
  return listAt(live.body.metadata, 'managedFields').some((entry) =>
    isTakenOverManager({
      manager: stringAt(entry, 'manager') ?? '',
      operation: stringAt(entry, 'operation') ?? '',
      subresource: stringAt(entry, 'subresource') ?? '',
    }),
  );
}

/** The value of the owner annotation, if the object carries both owner marks and the annotation is not ours. */
export function ownerOfOther(live: LiveObject, owner: Owner): string | undefined {
  const marked = annotationsOf(live.body)[OWNER_ANNOTATION];
  const label = labelsOf(live.body)[PART_OF_LABEL];
  if (marked === undefined || label === undefined) return undefined;
  return marked === owner.ownerAnnotation ? undefined : marked;
}
