/**
 * Sends one change by server-side apply. An object that is not known to exist is only created: where it exists, it is
 * read before it is adopted, or left as it is. Fields of other managers are taken over only at an adoption.
 *
 * Invariant: with `conflicts: 'fail'` no field is taken from another manager. An object of which another manager owns a
 * field in another state than Git is refused as a whole with FieldConflict.
 */
import type { ClusterClient, WriteAnswer } from '../cluster/ports.ts';
import { isRunToCompletion } from '../application/ended-jobs.ts';
import type { Refusal, RefusalCode } from '../cluster/answers.ts';
import type { LiveObject } from '../cluster/live.ts';
import { BEFORE_FIRST_APPLY, isTakenOverManager } from '../object/managers.ts';
import type { Change } from '../diff/changes.ts';
import type { DesiredObject, Owner } from '../bind/desired.ts';
import { isGuardedKind } from '../object/guarded-kinds.ts';
import { annotationsOf, formatId, labelsOf, type ObjectId } from '../object/identity.ts';
import { isLeftToOthers } from '../object/live-policy.ts';
import { listAt, stringAt } from '../object/value.ts';
import { HOOK_RUN_ANNOTATION } from '../object/hooks.ts';
import { OWNER_ANNOTATION, PART_OF_LABEL } from '../object/applyset.ts';
import type { ChangeResult, Outcome } from './applied.ts';
import { applyOnto } from './apply-onto.ts';
import { recreateObject } from './recreate.ts';
import { isRefusedForContent } from './without-leftovers.ts';

/** Answers to a creation whose object exists. */
const EXISTS: ReadonlySet<RefusalCode> = new Set(['FieldConflict', 'Modified']);

export interface SendContext {
  readonly client: ClusterClient;
  readonly owner: Owner;
  /** Fields that another manager owns: `force` takes them, `fail` refuses the object. Absent: force. */
  readonly conflicts?: 'force' | 'fail';
}

export async function sendChange(change: Change, context: SendContext): Promise<ChangeResult> {
  const result = await send(change, context);
  return change.desired?.isSealed ? withoutServerText(result) : result;
}

/** Messages of the API server and of admission webhooks may quote values of a Secret or of a sealed file. */
function withoutServerText(result: ChangeResult): ChangeResult {
  const { warnings: _warnings, refusal, ...shown } = result;
  if (!refusal) return shown;
  const message =
    `the API server refuses the object (HTTP ${refusal.status}); its own message is hidden, since it may quote ` +
    'values of a Secret or of a sealed file';
  return { ...shown, refusal: { ...refusal, message } };
}

async function send(change: Change, context: SendContext): Promise<ChangeResult> {
  const { desired } = change;
  if (!desired) throw new RangeError(`a change without desired object cannot be sent: ${formatId(change.id)}`);
  if (change.type === 'adopt' || isReadFirst(change, desired)) return adopt(change, desired, context);
  const isOurs = change.type === 'update' || change.type === 'unsure';
  if (isOurs && change.live && isOfEarlierRun(change.live, desired)) {
    return recreateObject({ change, desired, refusal: EARLIER_RUN, ...context });
  }
  const isCreation = change.type === 'create' && !change.live;
  const answer = await applyOnto(context.client, {
    desired,
    live: change.live,
    force: isOurs && mayForce(context),
    isCreation,
  });
  if (!answer.ok) return refused({ change, desired, live: change.live, refusal: answer.refusal, context });
  if (isOurs) {
    if (mayForce(context) && hasLostManagedFields(answer.object))
      return takeOver({ change, desired, live: answer.object, context });
    const isSame = answer.object.resourceVersion === change.live?.resourceVersion;
    return succeeded(change, isSame ? 'unchanged' : 'configured', answer);
  }
  if (answer.isCreated) return succeeded(change, 'created', answer);
  return mayForce(context) && needsTakeOver(answer.object, desired)
    ? takeOver({ change, desired, live: answer.object, context })
    : succeeded(change, 'adopted', answer);
}

/** Whether the live object is the Job or Pod of an earlier run of a hook, which is to run again. */
function isOfEarlierRun({ body }: LiveObject, desired: DesiredObject): boolean {
  const [before, now] = [body, desired.body].map((object) => annotationsOf(object)[HOOK_RUN_ANNOTATION]);
  return before !== undefined && now !== undefined && before !== now && isRunToCompletion(desired.id);
}

const EARLIER_RUN: Refusal = {
  code: 'Immutable',
  status: 0,
  retry: 'never',
  message: 'it is of an earlier run of the hook',
  fields: [`the annotation ${HOOK_RUN_ANNOTATION}`],
};

const mayForce = ({ conflicts }: SendContext): boolean => conflicts !== 'fail';

/** Whether the object must be read before a create: an existing one decides the body, or whether to apply at all. */
function isReadFirst({ type, live }: Change, { ignored, policy }: DesiredObject): boolean {
  return type === 'create' && !live && (ignored !== undefined || policy?.ssa === 'IfNotPresent');
}

/** Applies to an object that may exist without being ours: takes it over, creates it, or reports a conflict. */
async function adopt(change: Change, desired: DesiredObject, context: SendContext): Promise<ChangeResult> {
  const read = await context.client.get(desired.kind, desired.id);
  if (!read.ok) return { change, outcome: 'failed', refusal: read.refusal };
  if (!read.object) {
    const { kind, body } = desired;
    const answer = await context.client.apply({ kind, body, force: false, isCreation: true });
    return answer.ok ? succeeded(change, 'created', answer) : { change, outcome: 'failed', refusal: answer.refusal };
  }
  return adoptFound({ change, desired, live: read.object, context });
}

async function adoptFound({ change, desired, live, context }: TakeOverOptions): Promise<ChangeResult> {
  if (desired.policy?.ssa === 'IfNotPresent' || isLeftToOthers(live.body, context.owner)) {
    return { change, outcome: 'unchanged', found: live };
  }
  const other = ownerOfOther(live, context.owner);
  // The object may have changed hands since the change was decided.
  if (other !== undefined && other !== change.takenFrom) {
    return { change, outcome: 'conflict', message: `managed by Application ${other}`, found: live };
  }
  return takeOver({ change, desired, live, context });
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
  const force = mayForce(context);
  if (force && needsTakeOver(live, desired)) {
    const taken = await context.client.takeOver(desired.kind, live);
    // 409: the object was changed in between, and the next pass reads it again.
    if (!taken.ok) return { change, outcome: 'failed', refusal: taken.refusal };
    live = taken.object;
  }
  const answer = await applyOnto(context.client, { desired, live, force });
  const outcome = change.type === 'update' || change.type === 'unsure' ? 'configured' : 'adopted';
  return answer.ok
    ? succeeded(change, outcome, answer)
    : refused({ change, desired, live, refusal: answer.refusal, context });
}

interface RefusedOptions {
  readonly change: Change;
  readonly desired: DesiredObject;
  /** The object that the apply was sent for; undefined: none is known. */
  readonly live: LiveObject | undefined;
  readonly refusal: Refusal;
  readonly context: SendContext;
}

async function refused({ change, desired, live, refusal, context }: RefusedOptions): Promise<ChangeResult> {
  // The object exists, and may have marks or annotations that forbid every change.
  const isFound = live !== undefined && refusal.code === 'FieldConflict';
  if (change.type === 'create' && EXISTS.has(refusal.code) && !isFound) return adopt(change, desired, context);
  if (!isRefusedForContent(refusal)) return { change, outcome: 'failed', refusal };
  if (!live) return refusedUnseen({ change, desired, live, refusal, context });
  // The server refuses the change of the object, and not its manifest.
  if (refusal.code === 'InvalidManifest' && (await context.client.isImmutable(desired.kind, desired.body))) {
    const immutable: Refusal = { ...refusal, code: 'Immutable', message: immutableMessage(refusal, desired.id) };
    if (desired.policy?.mayRecreate) return recreateObject({ change, desired, refusal: immutable, ...context });
    return { change, outcome: 'failed', refusal: immutable };
  }
  return { change, outcome: 'failed', refusal };
}

/** An object that exists without our label may have values that the server refuses beside those of Git. */
async function refusedUnseen({ change, desired, refusal, context }: RefusedOptions): Promise<ChangeResult> {
  const read = await context.client.get(desired.kind, desired.id);
  if (!read.ok || !read.object) return { change, outcome: 'failed', refusal };
  return adoptFound({ change, desired, live: read.object, context });
}

function immutableMessage({ message }: Refusal, id: ObjectId): string {
  return `a field cannot be changed in place: ${message}; ${adviceFor(id)}`;
}

/** To delete an object of these kinds would delete data, or Pods that can stay. */
function adviceFor(id: ObjectId): string {
  if (isGuardedKind(id)) return 'undo the change in Git, or declare an object with another name';
  if (id.group === 'apps' && id.kind === 'StatefulSet') {
    return 'undo the change in Git, or run kubectl delete --cascade=orphan, after which it is created with its Pods kept';
  }
  return 'delete the object to recreate it';
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
