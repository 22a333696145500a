/**
 * Hand-over within a source: an object that one commit moves from the folder of one Application into that of another
 * stays alive and changes its owner.
 *
 * Invariant: nothing is pruned on a revision before every other Application of the same source has announced what it
 * desires at that very commit, or the deadline has passed; an object that one of them desires is released instead.
 */
import type { Application } from '../../application/schema.ts';
import type { Change } from '../../diff/changes.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { nameOfRevision } from '../../source/revision.ts';
import type { Snapshot } from '../../source/snapshot.ts';
import type { Neighbour, Neighbours } from '../neighbours/neighbours.ts';

export interface HandOver {
  readonly changes: readonly Change[];
  /** By `idKey`: changes that wait for another Application, with the reason for people. */
  readonly waits: ReadonlyMap<string, string>;
}

export interface HandOverQuestion {
  /** `namespace/name` of the Application. */
  readonly key: string;
  readonly application: Application;
  readonly snapshot: Pick<Snapshot, 'commit' | 'revision'>;
  readonly changes: readonly Change[];
  /** False in modes that write nothing: then nothing is handed over. */
  readonly isActing: boolean;
  /** A request names the commit: the others do not come to it by themselves. */
  readonly isPinned: boolean;
  /** Monotonic. */
  readonly nowMs: number;
  readonly handOverWaitMs: number;
  readonly neighbours: Neighbours;
  /** Key of the Application that owns an object, if any. */
  readonly ownerOf: (id: ObjectId) => string | undefined;
  /**
   * Announces what suspended neighbours desire in the snapshot. They run no pass of their own, so their folders are
   * rendered by the Application that waits.
   */
  readonly readForSuspended: (suspended: readonly Neighbour[]) => Promise<void>;
}

/** Releases objects that other Applications desire, and lets the remaining prunes wait until all have announced. */
export async function handOver(question: HandOverQuestion): Promise<HandOver> {
  const { key, snapshot, changes, isActing, nowMs, handOverWaitMs, neighbours } = question;
  const left = changes.filter(({ type }) => isActing && type === 'prune');
  const refused = changes.filter(({ type }) => isActing && type === 'conflict');
  if (left.length + refused.length === 0) {
    neighbours.stopAwaiting(key);
    return { changes, waits: new Map() };
  }
  const { sinceMs } = neighbours.awaitAnnouncements(key, snapshot.commit);
  const isOver = nowMs - sinceMs >= handOverWaitMs;
  const others = neighboursOfSource(question);
  if (left.length > 0) await question.readForSuspended(others.filter(isUnreadAndSuspended(snapshot)));
  const takers = takersOf(question, left, others);
  const waits = isOver ? new Map<string, string>() : waitsOf(question, { others, takers, left, refused });
  return { waits, changes: changes.map((change) => releaseToTaker(change, takers)) };
}

function releaseToTaker(change: Change, takers: ReadonlyMap<string, string>): Change {
  const taker = change.type === 'prune' ? takers.get(idKey(change.id)) : undefined;
  return taker === undefined ? change : { ...change, type: 'release', reason: `claimed by Application ${taker}` };
}

interface Waiting {
  readonly others: readonly Neighbour[];
  readonly takers: ReadonlyMap<string, string>;
  readonly left: readonly Change[];
  readonly refused: readonly Change[];
}

function waitsOf(question: HandOverQuestion, { others, takers, left, refused }: Waiting): Map<string, string> {
  const { key, snapshot, neighbours } = question;
  const waits = new Map<string, string>();
  const unread = others.filter((other) => !hasAnnounced(other, snapshot));
  const [first, ...more] = unread;
  if (left.length > 0 && first) {
    const others = more.length > 0 ? ` and ${more.length} more` : '';
    const reason = `it is pruned once Application ${first.key}${others} of the same source has read the revision`;
    for (const { id } of left) if (!takers.has(idKey(id))) waits.set(idKey(id), reason);
    if (waits.size > 0) for (const other of unread) neighbours.askToAnnounce(key, other.key);
  }
  const byKey = new Map(others.map((other) => [other.key, other]));
  for (const { id } of refused) {
    const owner = byKey.get(question.ownerOf(id) ?? '');
    if (!owner || !willRelease(owner, snapshot, id)) continue;
    waits.set(idKey(id), `Application ${owner.key} has still to let go of it`);
    if (!hasAnnounced(owner, snapshot)) neighbours.askToAnnounce(key, owner.key);
  }
  return waits;
}

function hasAnnounced({ announced, application }: Neighbour, { commit }: Pick<Snapshot, 'commit'>): boolean {
  return announced?.commit === commit && announced.generation === application?.metadata.generation;
}

/** Whether the owner of an object is about to release it: it may write, and is not known to desire the object. */
function willRelease(owner: Neighbour, snapshot: Pick<Snapshot, 'commit'>, id: ObjectId): boolean {
  const spec = owner.application?.spec;
  if (!spec || spec.suspend || spec.sync.mode !== 'auto') return false;
  return !hasAnnounced(owner, snapshot) || owner.announced?.ids.has(idKey(id)) === false;
}

/** By `idKey`: an Application of the source that desires an object at this commit. */
function takersOf(
  { neighbours, snapshot }: HandOverQuestion,
  left: readonly Change[],
  others: readonly Neighbour[],
): Map<string, string> {
  const keys = new Set(others.map(({ key }) => key));
  const takers = new Map<string, string>();
  for (const { id } of left) {
    for (const other of neighbours.desiredBy(id)) {
      if (keys.has(other.key) && hasAnnounced(other, snapshot)) takers.set(idKey(id), other.key);
    }
  }
  return takers;
}

function isUnreadAndSuspended(snapshot: Pick<Snapshot, 'commit'>): (other: Neighbour) => boolean {
  return (other) => other.application?.spec.suspend === true && !hasAnnounced(other, snapshot);
}

/**
 * The other Applications that follow the same branch or tag of the same repository, under whichever of its names.
 * Suspended ones count only where this Application may read for them.
 */
function neighboursOfSource({ key, application, snapshot, isPinned, neighbours }: HandOverQuestion): Neighbour[] {
  const { repoURL, revision } = application.spec.source;
  const found: Neighbour[] = [];
  for (const other of neighbours.ofRepository(repoURL)) {
    if (other.key === key || other.isDeleted || !other.application) continue;
    const { source, suspend } = other.application.spec;
    if (source.revision !== revision && other.followedRef !== nameOfRevision(snapshot.revision)) continue;
    if (suspend ? hasSameAccess(application, other.application) : !isPinned) found.push(other);
  }
  return found;
}

/** Whether an Application may show its snapshot to another one, which cannot prove that it may fetch it itself. */
function hasSameAccess(one: Application, other: Application): boolean {
  const [secret, otherSecret] = [one, other].map(({ spec }) => spec.source.secretRef?.name);
  if (secret !== otherSecret) return false;
  return secret === undefined || one.metadata.namespace === other.metadata.namespace;
}
