/**
 * The proof that a claim, a wish or a hand-over of an Application counts: its account may write the object. An
 * Application that cannot prove it has no say over the object.
 *
 * Invariant: a right is reviewed only for the pairs that a decision depends on. Where there is no answer, nothing is
 * decided: the pass ends with a StageError and is repeated.
 */
import { namespaceOf } from '../../application/keys.ts';
import { isOutOfReach, reachOf } from '../../bind/reach.ts';
import { identityKey, type Identity } from '../../cluster/identity.ts';
import { createKindFinder, type KindInfo } from '../../cluster/kinds.ts';
import type { Cluster, WritableNames } from '../../cluster/ports.ts';
import { forEachConcurrently } from '../../cluster/concurrency.ts';
import { isAccessKind } from '../../object/access-kinds.ts';
import type { ObjectId } from '../../object/identity.ts';
import type { ReconcileContext } from '../context.ts';
import type { Neighbours } from '../neighbours/neighbours.ts';
import { identityOf } from '../pass.ts';

/** Whether the account of an Application may write an object. undefined: the pair was not reviewed. */
export type Standing = (key: string, id: ObjectId) => boolean | undefined;

/** An Application, by its key, and an object. */
export interface StandingPair {
  readonly key: string;
  readonly id: ObjectId;
}

export interface StandingOptions {
  readonly neighbours: Pick<Neighbours, 'get'>;
  readonly target: Pick<Cluster, 'kinds' | 'writableNames' | 'mayWriteName'>;
  readonly settings: Pick<ReconcileContext['settings'], 'allowCrossNamespace' | 'defaultServiceAccount'>;
}

/** Reviews under way at once for one decision. */
const CONCURRENCY = 8;

/** Other Applications may come to want an object while a review is under way: their pairs are reviewed as well. */
const MAX_ROUNDS = 3;

/** Throws StageError where a review has no answer. Without pairs nothing is asked. */
export async function reviewStanding(
  pairsOf: () => readonly StandingPair[],
  options: StandingOptions,
): Promise<Standing> {
  const reviews: Reviews = { places: new Map(), names: new Map() };
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const pairs = pairsOf();
    const isAsked = [await reviewPlaces(pairs, reviews, options), await reviewNames(pairs, reviews, options)];
    if (!isAsked.includes(true)) break;
  }
  return (key, id) => {
    const place = placeKey({ key, id }, options);
    if (place === undefined) return false;
    const writable = reviews.places.get(place);
    if (writable === 'some') return reviews.names.get(`${place} ${id.name}`);
    return writable && writable === 'all';
  };
}

/**
 * Whether Applications may have a say over any object of the kind and namespace of these pairs: a cheaper question than
 * that of their standing, for Applications that have not told yet what they desire. Throws StageError where a review
 * has no answer.
 */
export async function reviewSay(
  pairs: readonly StandingPair[],
  options: StandingOptions,
): Promise<(key: string, id: ObjectId) => boolean> {
  const reviews: Reviews = { places: new Map(), names: new Map() };
  await reviewPlaces(pairs, reviews, options);
  return (key, id) => {
    const place = placeKey({ key, id }, options);
    return place !== undefined && reviews.places.get(place) !== 'none';
  };
}

interface Reviews {
  /** By `placeKey`. */
  readonly places: Map<string, WritableNames>;
  /** By `placeKey` and name, where rights may be limited to single names. */
  readonly names: Map<string, boolean>;
}

/** Returns whether anything was asked. */
async function reviewPlaces(
  pairs: readonly StandingPair[],
  { places }: Reviews,
  options: StandingOptions,
): Promise<boolean> {
  const open = new Map<string, StandingPair>();
  for (const pair of pairs) {
    const place = placeKey(pair, options);
    if (place !== undefined && !places.has(place)) open.set(place, pair);
  }
  const { target } = options;
  await askEach(open, options, async (place, { identity, kind, id }) => {
    places.set(place, kind ? await target.writableNames(identity, kind, id) : 'none');
  });
  return open.size > 0;
}

/** The same for pairs whose place has rights on single names. */
async function reviewNames(
  pairs: readonly StandingPair[],
  { places, names }: Reviews,
  options: StandingOptions,
): Promise<boolean> {
  const open = new Map<string, StandingPair>();
  for (const pair of pairs) {
    const place = placeKey(pair, options);
    if (place === undefined || places.get(place) !== 'some') continue;
    const name = `${place} ${pair.id.name}`;
    if (!names.has(name)) open.set(name, pair);
  }
  const { target } = options;
  await askEach(open, options, async (name, { identity, kind, id }) => {
    names.set(name, kind !== undefined && (await target.mayWriteName(identity, kind, id)));
  });
  return open.size > 0;
}

interface Asked {
  readonly identity: Identity;
  /** undefined: the kind is not served, or its API does not answer. */
  readonly kind: KindInfo | undefined;
  readonly id: ObjectId;
}

async function askEach(
  open: ReadonlyMap<string, StandingPair>,
  options: StandingOptions,
  ask: (key: string, asked: Asked) => Promise<void>,
): Promise<void> {
  if (open.size === 0) return;
  const findKind = createKindFinder(await options.target.kinds());
  await forEachConcurrently([...open], { concurrency: CONCURRENCY }, async ([key, pair]) => {
    const identity = accountOf(pair.key, pair.id, options);
    const kind = findKind(pair.id);
    // The Application may have gone while others were asked about.
    if (identity) await ask(key, { identity, kind: typeof kind === 'object' ? kind : undefined, id: pair.id });
  });
}

/**
 * Whether an object of one Application may go over to another one, or stay alive for it. Objects that give or bound
 * rights stay within their namespace.
 */
export function mayReceive(taker: StandingPair, giver: string, standing: Standing): boolean | undefined {
  return mayPass(taker, giver) ? standing(taker.key, taker.id) : false;
}

/** The part of `mayReceive` that needs no review. */
export function mayPass({ key, id }: StandingPair, giver: string): boolean {
  return !isAccessKind(id) || namespaceOf(key) === namespaceOf(giver);
}

/** undefined: the Application is unknown or its spec cannot be read, or the object is out of its reach. */
function accountOf(
  application: string,
  id: ObjectId,
  { neighbours, settings }: Pick<StandingOptions, 'neighbours' | 'settings'>,
): ReturnType<typeof identityOf> | undefined {
  const known = neighbours.get(application)?.application;
  if (!known) return undefined;
  const identity = identityOf(known, settings);
  return isOutOfReach(id, reachOf(identity, known.metadata, settings)) ? undefined : identity;
}

/** One text for all pairs of an account, a kind and a namespace. undefined: the Application has no account there. */
function placeKey({ key, id }: StandingPair, options: StandingOptions): string | undefined {
  const account = accountOf(key, id, options);
  return account && [identityKey(account), id.group, id.kind, id.namespace].join(' ');
}
