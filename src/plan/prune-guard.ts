/**
 * The guard before prunes, as functions over values: whether a prune waits for a person, and whether a confirmation is
 * about that prune.
 *
 * Invariants: the share is taken of the objects that were applied before the first of them left Git; a held prune is
 * carried out only after a confirmation of exactly these objects, at this commit and generation of the spec.
 */
import { digestPrune, type PruneSet } from '../application/prune-digest.ts';
import type { HeldPruneStatus } from '../application/status-schema.ts';
import type { Change } from '../diff/changes.ts';
import { APPLICATION_GROUP, APPLICATION_KIND } from '../object/applyset.ts';
import { stemOf } from '../object/generated-name.ts';
import { isGuardedKind } from '../object/guarded-kinds.ts';
import { formatId, idKey, type ObjectId } from '../object/identity.ts';

export interface PruneGuard {
  /** From 0 to 1: share of the objects that were there before. A prune that exceeds both bounds is held. */
  readonly maxShare: number;
  /** Number of objects. */
  readonly maxObjects: number;
}

/** The objects that an Application would delete if it were deleted itself. */
export interface Behind {
  readonly ids: readonly ObjectId[];
  /** For people: why they cannot be counted. Absent: `ids` is complete. */
  readonly uncounted?: string;
}

export interface GuardQuestion {
  /** Objects that left Git and whose deletion has not begun. */
  readonly left: readonly Change[];
  /** All changes of the pass; the desired objects among them may be successors. */
  readonly changes: readonly Change[];
  /** Number of objects in the inventory before the first of them left Git. */
  readonly objectsBefore: number;
  readonly guard: PruneGuard;
  /** By `idKey`, for Applications among the objects. */
  readonly behind: ReadonlyMap<string, Behind>;
}

/** For people: why the prune waits for a confirmation. undefined: it does not wait. */
export function reasonToHold(question: GuardQuestion): string | undefined {
  for (const rule of RULES) {
    const reason = rule(question);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

const RULES: readonly ((question: GuardQuestion) => string | undefined)[] = [guardedKinds, uncounted, annotated, many];

function guardedKinds({ left, behind }: GuardQuestion): string | undefined {
  const names = left.flatMap(({ id }) => {
    if (isGuardedKind(id)) return [nameOf(id)];
    const { ids = [] } = behind.get(idKey(id)) ?? {};
    const guarded = ids.filter(isGuardedKind);
    if (guarded.length === 0) return [];
    return [`${nameOf(id)} (${countOf(ids.length)}, with ${listOf(guarded.map(nameOf))})`];
  });
  return names.length > 0 ? `pruning ${listOf(names)} would delete everything that belongs to it` : undefined;
}

function uncounted({ left, behind }: GuardQuestion): string | undefined {
  for (const { id } of left) {
    const reason = behind.get(idKey(id))?.uncounted;
    if (reason !== undefined) return `pruning ${nameOf(id)} needs a confirmation, since ${reason}`;
  }
  return undefined;
}

function annotated({ left }: GuardQuestion): string | undefined {
  const asking = left.filter(({ asksConfirmation }) => asksConfirmation);
  if (asking.length === 0) return undefined;
  return `pruning ${listOf(asking.map(({ id }) => nameOf(id)))} needs a confirmation, which annotations ask for`;
}

function many(question: GuardQuestion): string | undefined {
  const { objectsBefore, guard, behind } = question;
  const lost = withoutSuccessor(question);
  const holders = lost.filter(({ id }) => (behind.get(idKey(id))?.ids.length ?? 0) > 0);
  const own = new Set(lost.map(({ id }) => idKey(id)));
  const further = new Set(holders.flatMap(({ id }) => behind.get(idKey(id))?.ids.map(idKey) ?? []));
  for (const key of own) further.delete(key);
  const loss = own.size + further.size;
  if (loss <= guard.maxObjects || loss <= guard.maxShare * objectsBefore) return undefined;
  const names = ` (${listOf(lost.map(({ id }) => nameOf(id)))})`;
  const share = own.size > objectsBefore ? `${countOf(own.size)}, of ${objectsBefore} before,` : undefined;
  const held =
    further.size > 0 ? `, and ${countOf(further.size)} of ${listOf(holders.map(({ id }) => nameOf(id)))},` : '';
  return `pruning ${share ?? `${own.size} of ${countOf(objectsBefore)}`}${names}${held} needs a confirmation`;
}

/**
 * The objects that are lost. An object of a new content hash in its name replaces the one of the old hash; each desired
 * object replaces one that left Git.
 */
function withoutSuccessor({ left, changes }: GuardQuestion): Change[] {
  const successors = new Map<string, number>();
  for (const { desired, id } of changes) {
    if (desired) successors.set(stemOf(id), (successors.get(stemOf(id)) ?? 0) + 1);
  }
  return left.filter(({ id }) => {
    const count = successors.get(stemOf(id)) ?? 0;
    if (count === 0 || isGuardedKind(id)) return true;
    successors.set(stemOf(id), count - 1);
    return false;
  });
}

export interface ConfirmationQuestion {
  /** The held prune as status shows it. */
  readonly shown: HeldPruneStatus | undefined;
  readonly requestId: string;
  /** The digest that the request names. undefined: the one that status shows. */
  readonly digest: string | undefined;
  /** An earlier pass has accepted the request, and it is not answered yet. */
  readonly isUnderWay: boolean;
  /** The prune that this pass would carry out. */
  readonly prune: PruneSet;
  /** Whether the guard holds that prune. */
  readonly isHeld: boolean;
}

export type Judgement =
  | { readonly type: 'confirmed' }
  /** The guard decides as it would without the request. */
  | { readonly type: 'none' }
  | { readonly type: 'refused'; readonly reason: string };

/** Whether a confirmation is about the prune of this pass. */
export function judgeConfirmation(question: ConfirmationQuestion): Judgement {
  const { shown, requestId, digest, isUnderWay, prune, isHeld } = question;
  if (shown?.confirmedBy === requestId) {
    // Applications that are being deleted by now hold less than before.
    const rest = { ...prune, left: prune.left.map(({ id }) => ({ id, behind: [] })) };
    return shown.digest === digestPrune(rest) ? { type: 'confirmed' } : { type: 'none' };
  }
  if (isUnderWay && !shown) return { type: 'none' };
  if (!shown) return { type: 'refused', reason: NOTHING_HELD };
  if (digest !== undefined && digest !== shown.digest) return { type: 'refused', reason: otherDigest(shown) };
  if (shown.digest === digestPrune(prune)) return { type: 'confirmed' };
  return { type: 'refused', reason: isHeld ? OTHER_SET : NOTHING_HELD };
}

export const NOTHING_HELD = 'not confirmed: no prune is held now';

export const OTHER_SET =
  'not confirmed: other objects would be deleted now than those that status showed; look at status.pruneGuard.held ' +
  '(in mode manual after another sync), and ask again';

export function otherDigest(shown: HeldPruneStatus): string {
  return (
    `not confirmed: the digest of the request is not that of the held prune, which is ${shown.digest}; ` +
    'look at what it would delete, and ask again'
  );
}

function nameOf(id: ObjectId): string {
  return isApplication(id) ? `Application ${id.namespace}/${id.name}` : formatId(id);
}

export function isApplication({ group, kind }: ObjectId): boolean {
  return group === APPLICATION_GROUP && kind === APPLICATION_KIND;
}

function countOf(count: number): string {
  return count === 1 ? '1 object' : `${count} objects`;
}

/** At most three names. */
function listOf(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `${names.slice(0, 3).join(', ')}${more}`;
}
