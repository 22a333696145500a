/**
 * Tries mutations on one object, on the live side and on the side of the manifest, and has each judged.
 *
 * Invariant: each object has chance of its own, so that what is tried does not hang on the order in which lanes run.
 */
import type { DesiredObject } from '../../../src/bind/desired.ts';
import { baselineOf } from '../../../src/diff/baseline.ts';
import { digestValue } from '../../../src/object/digest.ts';
import type { KubeObject } from '../../../src/object/value.ts';
import { apply, liveOf } from './api.ts';
import { liveMutations, manifestMutations, randomOf, sample, STEPPED } from './mutations.ts';
import type { Referee } from './referee.ts';
import { checkCase, type Tally } from './tally.ts';

export interface Trial {
  readonly referee: Referee;
  readonly tally: Tally;
  readonly desired: DesiredObject;
  /** Another object of the same template, to take parts from. */
  readonly sibling: KubeObject | undefined;
  readonly random: () => number;
  /** Places drawn of each way to mutate the object. */
  readonly perWay: number;
  /** Mutations tried of those. */
  readonly count: number;
}

/** What people, controllers and other tools do to the live object; undone after each. */
export async function tryLive({ referee, tally, desired, sibling, random, perWay, count }: Trial): Promise<void> {
  let live = await referee.applied(desired);
  let baseline = baselineOf(desired, live);
  const mutations = liveMutations({ api: referee.api, desired, live, sibling, random, perWay });
  for (const mutation of sample(mutations, count, random)) {
    const { way, title } = mutation;
    const isRefused = (await mutation.run()).code >= 300;
    if (isRefused) tally.refused++;
    // The first of several steps may have been taken.
    if (isRefused && !STEPPED.has(way)) continue;
    if (!isRefused) {
      live = liveOf(await referee.read(desired));
      await checkCase(tally, referee, { way, title, desired, live, baseline });
    }
    live = await referee.restore(desired, live);
    baseline = baselineOf(desired, live);
  }
}

/** How often another manager has applied the same: what Git drops then stays. */
const SHARED = 0.3;

/** What a new commit does to the manifest; the live object stays as it is. */
export async function tryManifest({ referee, tally, desired, sibling, random, perWay, count }: Trial): Promise<void> {
  let live = await referee.restore(desired, await referee.applied(desired));
  if (random() < SHARED) live = liveOf(await apply(referee.api, desired, desired.body, { manager: 'other' }));
  const mutations = manifestMutations({ body: desired.body, sibling, random, perWay });
  for (const { way, title, body } of sample(mutations, count, random)) {
    await checkCase(tally, referee, { way, title, desired: { ...desired, body, digest: digestValue(body) }, live });
  }
}

/** Objects under way at once. */
const LANES = 3;

export async function forEachObject(
  objects: readonly DesiredObject[],
  seed: number,
  work: (desired: DesiredObject, random: () => number) => Promise<void>,
): Promise<void> {
  const queue = objects.map((desired, index) => ({ desired, random: randomOf(seed + 7919 * index) }));
  const lane = async (): Promise<void> => {
    for (let next = queue.pop(); next; next = queue.pop()) await work(next.desired, next.random);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
