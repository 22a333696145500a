import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../../../src/diff/changes.ts';
import { isEqualValue } from '../../../src/object/value.ts';
import { askDryRun } from '../../../src/observe/ask-dry-run.ts';
import { changeOf, idOf, leftChange, liveOf, refusedWith, written } from '../../support/changes.ts';
import { scriptClient, type ScriptedAnswer } from '../../support/scripted-client.ts';

const A = idOf('a');
const UNSURE = changeOf('unsure', { id: A, live: liveOf({ id: A }) });

/** The changes after dry runs, with the bodies that were sent; a judged change says whether it was accepted. */
async function ask(changes: readonly Change[], script: readonly ScriptedAnswer[], requests: readonly string[]) {
  const { client, bodies, expectRequests } = scriptClient(script);
  const judged = await askDryRun(changes, {
    client,
    concurrency: 1,
    judge: (change, answer) => ({ ...change, type: 'none', reason: answer.ok ? 'accepted' : 'refused' }),
  });
  expectRequests(requests);
  return { judged, bodies };
}

test('each unsure change is judged by a forced dry run, and all others stay as they are', async () => {
  const others = [changeOf('update', { id: idOf('b') }), leftChange('prune', idOf('c'))];
  const [first, second] = others as [Change, Change];
  const unread = changeOf('unsure', { id: idOf('d') });
  const { judged } = await ask(
    [first, UNSURE, second, unread],
    [{ apply: written(liveOf({ id: A })) }, { apply: refusedWith('InvalidManifest') }],
    ['apply a force dryRun', 'apply d force dryRun'],
  );
  assert.equal(judged[0], first);
  assert.deepEqual(judged[1], { ...UNSURE, type: 'none', reason: 'accepted' });
  assert.equal(judged[2], second);
  assert.deepEqual(judged[3], { ...unread, type: 'none', reason: 'refused' });
});

test('without an unsure change nothing is sent', async () => {
  const changes = [changeOf('none', { id: A })];
  assert.deepEqual((await ask(changes, [], [])).judged, changes);
});

test('ignored fields are sent as they are live, bound to the object that was seen', async () => {
  const live = liveOf({ id: A });
  const seen = { ...live, body: { ...live.body, data: { color: 'blue', size: 'small' } } };
  const change = changeOf('unsure', { id: A, isColorIgnored: true, live: seen });
  const { bodies } = await ask([change], [{ apply: written(live) }], ['apply a u1 at 1 force dryRun']);
  assert.ok(isEqualValue(bodies[0]?.['data'], { color: 'blue', size: 'small' }));
});

test('an object that does not exist is sent with all fields', async () => {
  const change = changeOf('unsure', { id: A, isColorIgnored: true });
  const { bodies } = await ask([change], [{ apply: written(liveOf({ id: A })) }], ['apply a force dryRun']);
  assert.deepEqual(bodies[0]?.['data'], { color: 'red', size: 'small' });
});
