/**
 * The proof that a claim, a wish or a hand-over of an Application counts: its account may write the object. An
 * Application that cannot prove it has no say over the object.
 *
 * Invariant: a right is reviewed only for the pairs that a decision depends on. Where there is no answer, nothing is
 * decided: the pass ends with a StageError and is repeated.
 */
import { namespaceOf } from '../../application/keys.ts';
import { isOutOfReach, reachOf } from '../../bind/reach.ts';
import { identityKey } from '../../cluster/identity.ts';
import { createKindFinder } from '../../cluster/kinds.ts';
import type { Cluster } from '../../cluster/ports.ts';
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
  readonly target: Pick<Cluster, 'kinds' | 'mayWrite'>;
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
  const reviewed = new Map<string | undefined, boolean>([[undefined, false]]);
  const { neighbours, settings, target } = options;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const open = new Map(pairsOf().map((pair) => [rightKey(pair, options), pair] as const));
    for (const key of reviewed.keys()) open.delete(key);
    if (open.size === 0) break;
    const findKind = createKindFinder(await target.kinds());
    await forEachConcurrently([...open], { concurrency: CONCURRENCY }, async ([right, { key, id }]) => {
      const identity = accountOf(key, id, { neighbours, settings });
      const kind = findKind(id);
      const isKnown = identity !== undefined && typeof kind === 'object';
      reviewed.set(right, isKnown && (await target.mayWrite(identity, kind, id)));
    });
  }
  return (key, id) => reviewed.get(rightKey({ key, id }, options));
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

/** One text for all pairs that one review answers. */
function rightKey({ key, id }: StandingPair, options: StandingOptions): string | undefined {
  const account = accountOf(key, id, options);
  return account && [identityKey(account), id.group, id.kind, id.namespace, id.name].join(' ');
}
