/**
 * Decides, as pure functions over announcements, whether another Application desires an object. Prunes, claims and the
 * end of an Application all use them.
 *
 * Invariant: an announcement of an older generation of the spec, or of an older state of the source, never shows that
 * an object is not desired.
 */
import { canonicalRepository } from '../../application/repository.ts';
import type { Application } from '../../application/schema.ts';
import { mapAt, stringAt } from '../../object/value.ts';
import type { Announcement } from './announcements.ts';

/** A state of a source, as the Application that asks has read it. */
export interface SourceState {
  /** As `Snapshot.commit`. */
  readonly commit: string;
  /** Monotonic; when the poll that brought the commit had ended. */
  readonly readByMs: number;
}

/** An Application by the source that it follows. */
export interface Follower {
  /** undefined: its spec cannot be read. */
  readonly application: Application | undefined;
  /** The branch or tag that its revision was resolved to last: `main` for `HEAD`. */
  readonly followedRef: string | undefined;
}

/** The part of a neighbour that these decisions need. */
export interface Wisher extends Follower {
  /** Its newest announcement. */
  readonly announced: Announcement | undefined;
  /** Its newest announcement of a complete set. */
  readonly announcedWhole: Announcement | undefined;
}

/**
 * - desired: it desires the object at this state of the source.
 * - undesired: it does not.
 * - held: it cannot say, and it desired the object when it could last.
 * - unknown: it cannot say.
 */
export type Desire = 'desired' | 'undesired' | 'held' | 'unknown';

/**
 * How an announcement relates to the state of the Application that asks:
 * - same: at the same commit.
 * - newer: at another commit, which a later poll has brought.
 * - older: at an older commit or by an older spec, or nothing is announced.
 */
export type Relation = 'same' | 'newer' | 'older';

/**
 * `id` is the `idKey` of the object. A newer announcement shows only what is desired: at its commit the Application
 * that asks may desire the object itself.
 */
export function desireFor(
  id: string,
  { announced, announcedWhole }: Pick<Wisher, 'announced' | 'announcedWhole'>,
  relation: Relation,
): Desire {
  if (relation !== 'older' && announced?.ids.has(id)) return 'desired';
  if (relation === 'same' && announced?.isComplete) return 'undesired';
  return announced?.ids.has(id) || announcedWhole?.ids.has(id) ? 'held' : 'unknown';
}

export function relationTo(state: SourceState, other: Pick<Wisher, 'application' | 'announced'>): Relation {
  const { announced } = other;
  if (!announced || !isOfNewestSpec(other)) return 'older';
  if (announced.commit === state.commit) return 'same';
  return announced.readFromMs >= state.readByMs ? 'newer' : 'older';
}

export function isOfNewestSpec({ application, announced }: Pick<Wisher, 'application' | 'announced'>): boolean {
  return announced !== undefined && announced.generation === application?.metadata.generation;
}

/** Whether two Applications follow the same branch or tag of the same repository, under whichever of its names. */
export function isSameSource(one: Follower, other: Follower): boolean {
  if (!isSameRepository(one, other)) return false;
  const [revision, otherRevision] = [one, other].map(({ application }) => application?.spec.source.revision);
  if (revision === otherRevision) return true;
  return one.followedRef !== undefined && one.followedRef === other.followedRef;
}

/** Two charts of one Helm repository are two repositories: nothing moves between them by a commit. */
export function isSameRepository(one: Pick<Follower, 'application'>, other: Pick<Follower, 'application'>): boolean {
  const [source, otherSource] = [one.application?.spec.source, other.application?.spec.source];
  if (!source || !otherSource || source.chart !== otherSource.chart) return false;
  return isSameAddress(source.repoURL, otherSource.repoURL);
}

function isSameAddress(url: string, otherUrl: string): boolean {
  return url === otherUrl || (canonicalRepository(url) ?? url) === (canonicalRepository(otherUrl) ?? otherUrl);
}

/** Whether an Application writes what it desires without being asked to. */
export function isActing({ application }: Pick<Wisher, 'application'>): boolean {
  return application !== undefined && !application.spec.suspend && application.spec.sync.mode === 'auto';
}

/** Whether an Application only reports differences. */
export function isDetecting({ application }: Pick<Wisher, 'application'>): boolean {
  return application?.spec.sync.mode === 'detect';
}

/**
 * Whether an Application that does not desire an object lets another one take it: also in mode manual, where it writes
 * nothing itself until it is asked to.
 */
export function isGiving({ application }: Pick<Wisher, 'application'>): boolean {
  return application !== undefined && !application.spec.suspend && application.spec.sync.mode !== 'detect';
}

/** Whether an Application holds objects that it has applied, by its stored status. */
export function isHolding({ application }: Pick<Wisher, 'application'>): boolean {
  const inventory = application?.status.inventory;
  return stringAt(inventory, 'gzip') !== undefined || Object.keys(mapAt(inventory, 'objects')).length > 0;
}
