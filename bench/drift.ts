/**
 * `npm run bench -- drift`: some thousand varied objects on a real control plane, compared as a watch gives them once
 * the controllers have written to them: how long that takes, how often it is certain without asking the server, and how
 * often it is wrong after mutations of either side, by the server's own dry run.
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

/** Objects of each of some sixty templates. */
const ROUNDS = 18;
const SEED = 2026;
/** Mutations of each side tried on each object. */
const PER_OBJECT = 2;
/** Times that each object is compared; the first ones warm up. */
const PASSES = 15;
/** For how long no object may change before the controllers count as done. */
const QUIET_MS = 3000;

export interface DriftFigures {
  readonly objects: number;
  /** Median over the objects of the time that one comparison takes, with no baseline. */
  readonly microsPerObject: number;
  /** Share of the objects for which a comparison with no baseline is certain. */
  readonly conclusive: number;
  /** Mutations, of the live object or of the manifest, that the dry run was asked about. */
  readonly mutations: number;
  /** Called unchanged where the server would change something. */
  readonly falseUnchanged: number;
  /** Called drift where the server would change nothing. */
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
    // From here on nobody writes but the benchmark.
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
    // Most that one may do to a manifest is refused: more are tried.
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

/** All objects as watches give them, once none has changed for a while. */
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

/** In microseconds. */
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
