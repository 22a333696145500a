/**
 * Tries mutations of a live object and of its manifest, and has each one judged.
 *
 * Invariant: each object has a random generator of its own, so that the mutations do not depend on the order of lanes.
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
  /** The number of places drawn for each mutation. */
  readonly perWay: number;
  /** The number of mutations tried, out of those drawn. */
  readonly count: number;
}

/** Tries mutations of the live object; each is undone before the next. */
export async function tryLive({ referee, tally, desired, sibling, random, perWay, count }: Trial): Promise<void> {
  let live = await referee.applied(desired);
  let baseline = baselineOf(desired, live);
  const mutations = liveMutations({ api: referee.api, desired, live, sibling, random, perWay });
  for (const mutation of sample(mutations, count, random)) {
    const { way, title } = mutation;
    const isRefused = (await mutation.run()).code >= 300;
    if (isRefused) tally.refused++;
    // The first of several steps may have succeeded, so the object is restored.
    if (isRefused && !STEPPED.has(way)) continue;
    if (!isRefused) {
      live = liveOf(await referee.read(desired));
      await checkCase(tally, referee, { way, title, desired, live, baseline });
    }
    live = await referee.restore(desired, live);
    baseline = baselineOf(desired, live);
  }
}

/** The share of objects that another manager has applied too, so that fields dropped from Git stay. */
const SHARED = 0.3;

/** Tries mutations of the manifest; the live object stays the same. */
export async function tryManifest({ referee, tally, desired, sibling, random, perWay, count }: Trial): Promise<void> {
  let live = await referee.restore(desired, await referee.applied(desired));
  if (random() < SHARED) live = liveOf(await apply(referee.api, desired, desired.body, { manager: 'other' }));
  const mutations = manifestMutations({ body: desired.body, sibling, random, perWay });
  for (const { way, title, body } of sample(mutations, count, random)) {
    await checkCase(tally, referee, { way, title, desired: { ...desired, body, digest: digestValue(body) }, live });
  }
}

/** The number of objects that are tried at the same time. */
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
