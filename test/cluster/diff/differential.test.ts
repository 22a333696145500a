/**
 * Compares diff/ with the API server, over some hundred varied objects: after each of some thousand mutations of the
 * live object or of the manifest, the verdict of diff/ is compared with the changes of a dry-run server-side apply.
 *
 * `DIFFERENTIAL_ROUNDS` objects are made of each template, and `DIFFERENTIAL_PER_OBJECT` mutations are tried on each,
 * drawn from `DIFFERENTIAL_PER_WAY` places of each way; `DIFFERENTIAL_SEED` draws others.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import { baselineOf } from '../../../src/diff/baseline.ts';
import { formatId } from '../../../src/object/identity.ts';
import type { KubeObject } from '../../../src/object/value.ts';
import { prepare, useStarted } from '../../support/use-world.ts';
import { generateObjects, readObjects, siblingsOf } from './generator.ts';
import { LIVE_WAYS, MANIFEST_WAYS } from './mutations.ts';
import { show, startReferee } from './referee.ts';
import { newTally, textOf, type Tally } from './tally.ts';
import { forEachObject, tryLive, tryManifest } from './trial.ts';

const ROUNDS = Number(process.env['DIFFERENTIAL_ROUNDS'] ?? 5);
const PER_WAY = Number(process.env['DIFFERENTIAL_PER_WAY'] ?? 1);
const PER_OBJECT = Number(process.env['DIFFERENTIAL_PER_OBJECT'] ?? 5);
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 1);
const TRIAL = { perWay: PER_WAY, count: PER_OBJECT };

/**
 * Objects that only a baseline shows to be as desired: with empty structs that the server fills with defaults of a
 * schema, and with defaults inside atomic lists of custom kinds.
 */
const ODD = ['Gadget.test.example.com default/filled', 'Gadget.test.example.com default/zeros'];

const referee = useStarted('the referee', () => startReferee());
let written: readonly DesiredObject[];
let generated: readonly DesiredObject[];
/** For each generated object, the next one of its template. */
let siblings: ReadonlyMap<DesiredObject, KubeObject>;

prepare(async () => {
  const own = await readObjects(new URL('objects.yaml', import.meta.url));
  const objects = await referee.bind([...own, ...(await generateObjects(ROUNDS, SEED))]);
  written = objects.slice(0, own.length);
  generated = objects.slice(own.length);
  siblings = siblingsOf(generated);
});

test('objects of many kinds show no difference right after they were applied', async (t) => {
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
  const texts = [...inconclusive.values()].join('\n');
  t.diagnostic(
    `${inconclusive.size} of ${written.length + generated.length} inconclusive without a baseline:\n${texts}`,
  );
  const odd = written.filter((desired) => inconclusive.has(desired)).map(({ id }) => formatId(id));
  assert.deepEqual(odd.sort(), ODD);
  const share = generated.filter((desired) => inconclusive.has(desired)).length / generated.length;
  assert.ok(share <= 0.01, texts);
});

test('diff/ reports a change of a live object if and only if an apply would undo it', async (t) => {
  const tally = newTally();
  await forEachObject([...written, ...generated], SEED, (desired, random) =>
    tryLive({ ...TRIAL, referee, tally, desired, sibling: siblings.get(desired), random }),
  );
  t.diagnostic(textOf(tally));
  assertExact(tally, LIVE_WAYS);
});

test('diff/ reports every change of a manifest that an apply would carry out', async (t) => {
  const tally = newTally();
  await forEachObject([...written, ...generated], SEED + 1, (desired, random) =>
    tryManifest({ ...TRIAL, count: PER_OBJECT * 2, referee, tally, desired, sibling: siblings.get(desired), random }),
  );
  t.diagnostic(textOf(tally));
  assertExact(tally, MANIFEST_WAYS);
});

function assertExact({ missed, invented, byWay }: Tally, ways: readonly string[]): void {
  assert.deepEqual({ missed, invented }, { missed: [], invented: [] });
  const untried = ways.filter((way) => !byWay.has(way));
  assert.deepEqual(untried, [], 'every way was tried');
}
