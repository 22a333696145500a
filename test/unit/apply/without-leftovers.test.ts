/** applyOnto where the server refuses values beside those of Git: which are removed, and by which requests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyOnto } from '../../../src/apply/apply-onto.ts';
import { dryRunClient } from '../../../src/apply/dry-run-client.ts';
import type { ClusterClient } from '../../../src/cluster/ports.ts';
import { mapAt, newMap, type ValueMap } from '../../../src/object/value.ts';
import { ABSENT, desiredOf, found, liveOf, refusedWith, written } from '../../support/changes.ts';
import { scriptClient } from '../../support/scripted-client.ts';

const INVALID = refusedWith('InvalidManifest', { status: 422, message: 'first', fields: ['data[color]'] });
const DESIRED = desiredOf();
const GET = found(liveWith({ blue: {} }));
const TRY = 'tryReplace settings at 1';
const TAKE = 'takeFields settings at 1 {"f:data":{"f:blue":{}}}';
const OPTIONS = { desired: DESIRED, live: liveWith({ blue: {} }), force: true };
const TAKEN = liveOf({ resourceVersion: '2' });
const DONE = written(liveOf({ resourceVersion: '3' }));

/** The live object with more entries in its data than Git has, which belong to no manager or to a person. */
function liveWith(extra: ValueMap): ReturnType<typeof liveOf> {
  const live = liveOf();
  return { ...live, body: { ...live.body, data: { color: 'red', size: 'small', ...extra } } };
}

test('the value becomes ours after a dry run without it has passed, and an apply with the resourceVersion removes it', async () => {
  const { client, bodies, expectRequests } = scriptClient([
    { apply: INVALID },
    { get: GET },
    { tryReplace: written(liveOf()) },
    { takeFields: written(TAKEN) },
    { apply: DONE },
  ]);
  assert.equal(await applyOnto(client, OPTIONS), DONE);
  expectRequests(['apply settings force', 'get settings', TRY, TAKE, 'apply settings u1 at 2 force']);
  assert.deepEqual({ ...mapAt(bodies[1], 'data') }, { color: 'red', size: 'small' }, 'it is tried as Git has it');
});

test('an object that changed meanwhile is tried again', async () => {
  const { client, expectRequests } = scriptClient([
    { apply: INVALID },
    { get: GET },
    { tryReplace: written(liveOf()) },
    { takeFields: refusedWith('Modified') },
    { apply: INVALID },
    { get: GET },
    { tryReplace: written(liveOf()) },
    { takeFields: written(TAKEN) },
    { apply: refusedWith('Modified') },
    { apply: DONE },
  ]);
  assert.equal(await applyOnto(client, OPTIONS), DONE);
  const once = ['apply settings force', 'get settings', TRY, TAKE];
  expectRequests([...once, ...once, 'apply settings u1 at 2 force', 'apply settings force']);
});

test('a dry run answers with the object as it would be, and takes nothing', async () => {
  const tried = written(liveOf({ resourceVersion: '7' }));
  const { client, expectRequests } = scriptClient([
    { apply: INVALID },
    { get: GET },
    { tryReplace: tried },
    { tryReplace: tried },
  ]);
  assert.equal(await applyOnto(dryRunClient(client), OPTIONS), tried);
  expectRequests(['apply settings force dryRun', 'get settings', TRY, TRY]);
});

test('nothing is written if the object as Git has it is refused too, and the message is about that object', async () => {
  for (const [fields, message] of [
    [['data[color]'], 'second'],
    [['other'], 'first'],
  ] as const) {
    const second = refusedWith('InvalidManifest', { status: 422, message: 'second', fields });
    const { client, expectRequests } = scriptClient([{ apply: INVALID }, { get: GET }, { tryReplace: second }]);
    const answer = await applyOnto(client, OPTIONS);
    assert.equal(!answer.ok && answer.refusal.message, message);
    expectRequests(['apply settings force', 'get settings', TRY]);
  }
});

test('nothing is tried where it cannot help', async () => {
  const gone = scriptClient([{ apply: INVALID }, { get: ABSENT }]);
  assert.deepEqual(await applyOnto(gone.client, OPTIONS), INVALID);
  gone.expectRequests(['apply settings force', 'get settings']);
  const asInGit = scriptClient([{ apply: INVALID }, { get: found(liveWith({})) }]);
  assert.deepEqual(await applyOnto(asInGit.client, OPTIONS), INVALID);
  asInGit.expectRequests(['apply settings force', 'get settings']);
  const withoutForce = scriptClient([{ apply: INVALID }]);
  assert.equal(await applyOnto(withoutForce.client, { ...OPTIONS, force: false }), INVALID);
  withoutForce.expectRequests(['apply settings']);
  // A dry run does not show whether etcd takes an object of this size.
  for (const size of [refusedWith('TooLarge', { status: 413 }), refusedWith('TooLarge', { status: 500 })]) {
    const ofRequest = scriptClient([{ apply: size }]);
    assert.deepEqual(await applyOnto(ofRequest.client, OPTIONS), size);
    ofRequest.expectRequests(['apply settings force']);
  }
});

test('a value that makes the object larger than the server allows is removed, in a Secret as in other kinds', async () => {
  const tooLarge = refusedWith('TooLarge', { status: 422 });
  const secret = { ...DESIRED, body: { ...DESIRED.body, kind: 'Secret' } };
  for (const [desired, refusal] of [
    [DESIRED, tooLarge],
    [secret, { ...INVALID, refusal: { ...INVALID.refusal, fields: ['data'] } }],
  ] as const) {
    const { client, expectRequests } = scriptClient([
      { apply: refusal },
      { get: GET },
      { tryReplace: written(liveOf()) },
      { takeFields: written(TAKEN) },
      { apply: DONE },
    ]);
    assert.equal(await applyOnto(client, { ...OPTIONS, desired }), DONE);
    expectRequests(['apply settings force', 'get settings', TRY, TAKE, 'apply settings u1 at 2 force']);
  }
});

test('a refusal that has another cause ends the search', async () => {
  const busy = refusedWith('Throttled', { status: 429 });
  const { client } = scriptClient([{ apply: INVALID }, { get: GET }, { tryReplace: busy }]);
  assert.deepEqual(await applyOnto(client, OPTIONS), busy);
});

test('property: exactly the values that contradict Git are removed, with few dry runs', async () => {
  let seed = 1;
  const chance = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let round = 0; round < 200; round++) {
    const names = Array.from({ length: 1 + chance(40) }, (_, index) => `n${index}`);
    const wrong = new Set(names.filter(() => chance(names.length) < 2));
    wrong.add(names[chance(names.length)] ?? '');
    const { client, taken, count } = judging(names, wrong);
    const answer = await applyOnto(client, OPTIONS);
    assert.ok(answer.ok);
    assert.deepEqual([...taken()].sort(), [...wrong].sort());
    const bound = 2 + 2 * wrong.size * Math.ceil(Math.log2(names.length + 1));
    assert.ok(count() <= bound, `${count()} dry runs for ${wrong.size} of ${names.length}`);
  }
});

/** A server that refuses an object with one of the wrong values. */
function judging(
  names: readonly string[],
  wrong: ReadonlySet<string>,
): { client: ClusterClient; taken: () => string[]; count: () => number } {
  const live = liveWith(newMap(names.map((name) => [name, {}])));
  let removed: string[] | undefined;
  let trials = 0;
  const { client } = scriptClient([]);
  const judge = (holds: (name: string) => boolean): typeof INVALID | typeof DONE =>
    [...wrong].some(holds) ? INVALID : DONE;
  return {
    taken: () => removed ?? [],
    count: () => trials,
    client: {
      ...client,
      get: () => Promise.resolve(found(live)),
      apply: () => Promise.resolve(judge((name) => removed?.includes(name) !== true)),
      tryReplace(_kind, _live, body) {
        trials++;
        return Promise.resolve(judge((name) => Object.hasOwn(mapAt(body, 'data'), name)));
      },
      takeFields(_kind, _live, fields) {
        removed = Object.keys(mapAt(fields, 'f:data')).map((member) => member.slice(2));
        return Promise.resolve(written(live));
      },
    },
  };
}
