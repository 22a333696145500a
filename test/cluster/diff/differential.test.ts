/**
 * Compares diff/ with the API server itself, over some hundred varied objects: after each of some thousand mutations,
 * on the live side and on the side of the manifest, the verdict is set beside what a dry-run server-side apply would
 * change.
 *
 * `DIFFERENTIAL_ROUNDS` objects are made of each template, `DIFFERENTIAL_PER_OBJECT` mutations of each side are tried on
 * each object (drawn from `DIFFERENTIAL_PER_WAY` places of each way); `DIFFERENTIAL_SEED` draws others.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import { baselineOf } from '../../../src/diff/baseline.ts';
import { digestValue } from '../../../src/object/digest.ts';
import { formatId } from '../../../src/object/identity.ts';
import type { KubeObject } from '../../../src/object/value.ts';
import { liveOf } from './api.ts';
import { generateObjects, readObjects, siblingsOf } from './generator.ts';
import { LIVE_WAYS, liveMutations, STEPPED, MANIFEST_WAYS, manifestMutations, randomOf, sample } from './mutations.ts';
import { show, startReferee, type Referee } from './referee.ts';
import { checkCase, newTally, textOf } from './tally.ts';

const ROUNDS = Number(process.env['DIFFERENTIAL_ROUNDS'] ?? 5);
const PER_WAY = Number(process.env['DIFFERENTIAL_PER_WAY'] ?? 1);
const PER_OBJECT = Number(process.env['DIFFERENTIAL_PER_OBJECT'] ?? 5);
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 1);
/** Objects under way at once. */
const LANES = 3;

/**
 * Made to be odd: empty structs that the server fills with defaults that only a schema tells, and defaults inside
 * atomic lists of custom kinds. Only a baseline tells that they are as desired.
 */
const ODD = ['Gadget.test.example.com default/filled', 'Gadget.test.example.com default/zeros'];

let referee: Referee;
let written: readonly DesiredObject[];
let generated: readonly DesiredObject[];
/** Of each generated object the next one of its template. */
let siblings: ReadonlyMap<DesiredObject, KubeObject>;

before(async () => {
  referee = await startReferee();
  const own = await readObjects(new URL('objects.yaml', import.meta.url));
  const objects = await referee.bind([...own, ...(await generateObjects(ROUNDS, SEED))]);
  written = objects.slice(0, own.length);
  generated = objects.slice(own.length);
  siblings = siblingsOf(generated);
});

after(async () => {
  await referee?.[Symbol.asyncDispose]();
});

test('objects of many kinds are as desired right after they were applied', async (t) => {
  assert.ok(written.length >= 60 && generated.length >= 250, `${written.length} and ${generated.length} objects`);
  const inconclusive = new Map<DesiredObject, string>();
  for (const desired of [...written, ...generated]) {
    const live = await referee.applied(desired);
    const change = referee.judge(desired, live);
    if (change.type !== 'none') inconclusive.set(desired, `${formatId(desired.id)}: ${show(change.fields)}`);
    assert.notEqual(change.type, 'update', `${formatId(desired.id)}: ${show(change.fields)}`);
    const settled = referee.judge(desired, live, baselineOf(desired, live));
    assert.equal(settled.type, 'none', `${formatId(desired.id)} with a baseline: ${show(settled.fields)}`);
  }
  t.diagnostic(
    `${inconclusive.size} of ${written.length + generated.length} inconclusive without a baseline:\n${[...inconclusive.values()].join('\n')}`,
  );
  const odd = written.filter((desired) => inconclusive.has(desired)).map(({ id }) => formatId(id));
  assert.deepEqual(odd.sort(), ODD);
  const share = generated.filter((desired) => inconclusive.has(desired)).length / generated.length;
  assert.ok(share <= 0.01, [...inconclusive.values()].join('\n'));
});

test('no change of a live object that the server would undo is called none, and none that it would not is called update', async (t) => {
  const tally = newTally();
  await forEachObject(async (desired, random) => {
    let live = await referee.applied(desired);
    let baseline = baselineOf(desired, live);
    const mutations = liveMutations({
      api: referee.api,
      desired,
      live,
      sibling: siblings.get(desired),
      random,
      perWay: PER_WAY,
    });
    for (const { way, title, run } of sample(mutations, PER_OBJECT, random)) {
      const answer = await run();
      if (answer.code >= 300) {
        tally.refused++;
        // Its first step may have been taken.
        if (STEPPED.has(way)) live = await referee.restore(desired, live);
        baseline = baselineOf(desired, live);
        continue;
      }
      live = liveOf(await referee.read(desired));
      await checkCase(tally, referee, { way, title, desired, live, baseline });
      live = await referee.restore(desired, live);
      baseline = baselineOf(desired, live);
    }
  });
  t.diagnostic(textOf(tally));
  assert.deepEqual({ missed: tally.missed, invented: tally.invented }, { missed: [], invented: [] });
  assert.deepEqual(
    LIVE_WAYS.filter((way) => !tally.byWay.has(way)),
    [],
    'every way was tried',
  );
});

test('no change of a manifest that the server would carry out is called none', async (t) => {
  const tally = newTally();
  await forEachObject(async (desired, random) => {
    const live = await referee.applied(desired);
    const mutations = manifestMutations({
      body: desired.body,
      sibling: siblings.get(desired),
      random,
      perWay: PER_WAY,
    });
    for (const { way, title, body } of sample(mutations, PER_OBJECT * 2, random)) {
      await checkCase(tally, referee, { way, title, desired: { ...desired, body, digest: digestValue(body) }, live });
    }
  });
  t.diagnostic(textOf(tally));
  assert.deepEqual({ missed: tally.missed, invented: tally.invented }, { missed: [], invented: [] });
  assert.deepEqual(
    MANIFEST_WAYS.filter((way) => !tally.byWay.has(way)),
    [],
    'every way was tried',
  );
});

/** Each with chance of its own, so that what is tried does not hang on the order in which lanes come to run. */
async function forEachObject(work: (desired: DesiredObject, random: () => number) => Promise<void>): Promise<void> {
  const queue = [...written, ...generated].map((desired, index) => ({
    desired,
    random: randomOf(SEED + 7919 * index),
  }));
  const lane = async (): Promise<void> => {
    for (let next = queue.pop(); next; next = queue.pop()) await work(next.desired, next.random);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
