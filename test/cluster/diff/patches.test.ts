/**
 * Patches of diff/ on a real API server: the server accepts each of them as a JSON patch, and the result is the same as
 * that of applying the manifest.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { Change } from '../../../src/diff/changes.ts';
import { judgeDryRun } from '../../../src/diff/evidence.ts';
import { digestValue } from '../../../src/object/digest.ts';
import { formatId } from '../../../src/object/identity.ts';
import { stringifyJson } from '../../../src/object/json.ts';
import { isEqualValue, isMap, newMap, type KubeObject, type Value } from '../../../src/object/value.ts';
import { liveOf, pathOf, type Answer } from './api.ts';
import { generateObjects, siblingsOf } from './generator.ts';
import { liveMutations, manifestMutations, sample } from './mutations.ts';
import { essence, startReferee, type Referee } from './referee.ts';
import { forEachObject } from './trial.ts';

const SEED = 3;
/** Mutations tried on each object. */
const PER_OBJECT = 4;

let referee: Referee;
let objects: readonly DesiredObject[];
let siblings: ReadonlyMap<DesiredObject, KubeObject>;

before(async () => {
  referee = await startReferee();
  objects = await referee.bind(await generateObjects(1, SEED));
  siblings = siblingsOf(objects);
});
after(() => referee?.[Symbol.asyncDispose]());

interface Tally {
  patched: number;
  readonly unlike: string[];
}

test('a patch changes the live object exactly as applying the manifest does', async (t) => {
  const tally: Tally = { patched: 0, unlike: [] };
  await forEachObject(objects, SEED, async (desired, random) => {
    const sibling = siblings.get(desired);
    let live = await referee.applied(desired);
    const manifests = manifestMutations({ body: desired.body, sibling, random, perWay: 1 });
    for (const { title, body } of sample(manifests, PER_OBJECT, random)) {
      await check(tally, title, { desired: { ...desired, body, digest: digestValue(body) }, live });
    }
    const mutations = liveMutations({ api: referee.api, desired, live, sibling, random, perWay: 1 });
    for (const { title, run } of sample(mutations, PER_OBJECT, random)) {
      await run();
      live = liveOf(await referee.read(desired));
      await check(tally, title, { desired, live });
      live = await referee.restore(desired, live);
    }
  });
  t.diagnostic(`${tally.patched} patches`);
  assert.ok(tally.patched > 100, String(tally.patched));
  assert.deepEqual(tally.unlike, []);
});

test('the server refuses a masked patch', async () => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'masked' },
    data: { a: 'Zmlyc3Q=', b: 'Zmlyc3Q=' },
  };
  const [first] = await referee.bind([secret]);
  assert.ok(first);
  const second = { ...first, body: { ...first.body, data: { a: 'c2Vjb25k' } }, digest: 'second' };
  const live = await referee.applied(first);
  const change = referee.judge(second, live);
  const shown = stringifyJson(change.patch as unknown as Value);
  assert.equal(change.patch?.isMasked, true);
  assert.doesNotMatch(shown, /c2Vjb25k|Zmlyc3Q|sha256/);
  const answer = await send(change);
  assert.equal(answer.code, 422, stringifyJson(answer.body));
});

async function check(tally: Tally, title: string, pair: Required<Pick<Change, 'desired' | 'live'>>): Promise<void> {
  const { desired, live } = pair;
  const answer = await referee.dryRun(desired, live);
  if (!answer?.isChanged) return;
  const { id, kind } = desired;
  const made = essence(answer.returned.body, desired);
  const judged = judgeDryRun({ type: 'unsure', id, kind, ...pair, fields: [] }, answer.returned);
  const compared = referee.judge(desired, live);
  for (const change of [judged, ...(compared.type === 'update' ? [compared] : [])]) {
    assert.ok(change.patch, title);
    if (change.patch.isMasked) continue;
    tally.patched++;
    const patched = await send(change);
    const found = patched.code < 300 ? essence(liveOf(patched).body, desired) : patched.body;
    // The comparison cannot know between which foreign items the server would insert a new one.
    const isAlike = change === judged ? isEqualValue(found, made) : isEqualValue(sorted(found), sorted(made));
    if (!isAlike) tally.unlike.push(`${formatId(id)}: ${title}: ${stringifyJson(change.patch as unknown as Value)}`);
  }
}

/** Sends the patch as a dry run. */
function send({ desired, patch }: Change): Promise<Answer> {
  assert.ok(desired && patch);
  const path = `${pathOf(desired.kind, desired.id)}?fieldManager=tautline&dryRun=All`;
  const body = patch.operations as unknown as Value;
  return referee.api.send('PATCH', path, { body, type: 'application/json-patch+json' });
}

/** The value with its lists in an order of their own, so that order does not count. */
function sorted(value: Value): Value {
  if (Array.isArray(value)) {
    const items = value.map((item) => [stringifyJson(sorted(item)), item] as const);
    return items.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => sorted(item));
  }
  if (!isMap(value)) return value;
  return newMap(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key] ?? null)] as const),
  );
}
