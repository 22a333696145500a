/**
 * `npm run bench -- drift`: compares more than a thousand varied objects on a real control plane, as watches deliver
 * them after the controllers have written to them. It measures the time of a comparison, how often the result is
 * certain without a request, and how often it is wrong after mutations of either side. The judge is the server's own
 * dry run.
 */
import assert from 'node:assert/strict';
import type { DesiredObject } from '../src/bind/desired.ts';
import type { LiveObject } from '../src/cluster/live.ts';
import { compareObject } from '../src/diff/compare.ts';
import { MAX_FIELDS } from '../src/diff/field-difference.ts';
import { formatId } from '../src/object/identity.ts';
import { generateObjects, siblingsOf } from '../test/cluster/diff/generator.ts';
import { startReferee, type Referee } from '../test/cluster/diff/referee.ts';
import { newTally, textOf } from '../test/cluster/diff/tally.ts';
import { forEachObject, tryLive, tryManifest } from '../test/cluster/diff/trial.ts';
import { readWatched, watchedKey } from './read-watched.ts';
import type { BenchOptions } from './bench-options.ts';

/** Number of objects from each of about sixty templates. */
const ROUNDS = 18;
const SEED = 2026;
/** Number of mutations of each side that are tried for each object. */
const PER_OBJECT = 2;
/** Number of comparisons of each object. The first third is a warm-up and not counted. */
const PASSES = 15;
/** The controllers count as finished when no object has changed for this time. */
const QUIET_MS = 3000;

export interface DriftFigures {
  readonly objects: number;
  /** Median over all objects of the time of one comparison without a baseline, in microseconds. */
  readonly microsPerObject: number;
  /** Share of objects (0 to 1) for which a comparison without a baseline is certain. */
  readonly conclusive: number;
  /** Number of mutations of live objects and manifests that were checked by a dry run. */
  readonly mutations: number;
  /** Number of mutations that were called unchanged although the server would change something. */
  readonly falseUnchanged: number;
  /** Number of mutations that were called drift although the server would change nothing. */
  readonly falseDrift: number;
}

export async function run({ say }: BenchOptions): Promise<DriftFigures> {
  await using referee = await startReferee('full');
  const objects = await referee.bind(await generateObjects(ROUNDS, SEED));
  say(`applying ${objects.length} objects`);
  await forEachObject(objects, SEED, async (desired) => void (await referee.applied(desired)));
  say('waiting for the controllers');
  const live = await settled(referee, objects);
  for (const part of ['kwok', 'kube-scheduler', 'kube-controller-manager'] as const) {
    // After this, only the benchmark writes objects.
    await referee.plane.kill(part, 'SIGKILL');
  }
  const pairs = objects.map((desired) => ({ desired, live: liveOf(live, desired) }));
  const unsure = pairs.filter((pair) => referee.judge(pair.desired, pair.live).type === 'unsure');
  for (const { desired } of unsure) say(`inconclusive: ${formatId(desired.id)}`);
  const microsPerObject = measure(pairs);
  say('mutating, with the dry run as the judge');
  const siblings = siblingsOf(objects);
  const tally = newTally();
  await forEachObject(objects, SEED, async (desired, random) => {
    const trial = { referee, tally, desired, sibling: siblings.get(desired), random, perWay: 1, count: PER_OBJECT };
    await tryLive(trial);
    // The server refuses most mutations of manifests, so more of them are tried.
    await tryManifest({ ...trial, count: PER_OBJECT * 3 });
  });
  say(textOf(tally));
  for (const text of [...tally.missed, ...tally.invented]) say(text);
  return {
    objects: objects.length,
    microsPerObject,
    conclusive: Math.round((1 - unsure.length / objects.length) * 10_000) / 10_000,
    mutations: tally.checked,
    falseUnchanged: tally.missed.length,
    falseDrift: tally.invented.length,
  };
}

/** Returns all objects as watches deliver them, after none has changed for QUIET_MS. */
async function settled(referee: Referee, objects: readonly DesiredObject[]): Promise<ReadonlyMap<string, LiveObject>> {
  const kinds = new Set(objects.map(({ kind }) => kind));
  for (let before = ''; ;) {
    const live = await readWatched(referee.plane, kinds);
    const versions = objects.map((desired) => liveOf(live, desired).resourceVersion).join(' ');
    if (versions === before) return live;
    before = versions;
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  }
}

function liveOf(live: ReadonlyMap<string, LiveObject>, desired: DesiredObject): LiveObject {
  const found = live.get(watchedKey(desired.kind, desired.id));
  assert.ok(found, `${formatId(desired.id)} is not in its watch`);
  return found;
}

interface Pair {
  readonly desired: DesiredObject;
  readonly live: LiveObject;
}

/** Returns the median time of a comparison in microseconds. */
function measure(pairs: readonly Pair[]): number {
  const figures = pairs.map((): number[] => []);
  for (let pass = 0; pass < PASSES; pass++) {
    for (const [index, { desired, live }] of pairs.entries()) {
      const startedMs = performance.now();
      compareObject(desired, live, MAX_FIELDS);
      if (pass >= PASSES / 3) figures[index]?.push((performance.now() - startedMs) * 1000);
    }
  }
  return Math.round(median(figures.map(median)) * 10) / 10;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
