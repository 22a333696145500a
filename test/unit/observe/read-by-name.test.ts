import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveEntry } from '../../../src/cluster/live.ts';
import { idKey } from '../../../src/object/identity.ts';
import { notServed, readByName, type ReadByNameOptions } from '../../../src/observe/read-by-name.ts';
import { inventoryOf } from '../../support/applications.ts';
import { ABSENT, desiredOf, found, idOf, kindOf, liveOf, refusedWith } from '../../support/changes.ts';
import { kindsOf } from '../../support/reading.ts';
import { scriptClient, type ScriptedAnswer } from '../../support/scripted-client.ts';

const [A, B] = [idOf('a'), idOf('b')];
const WIDGET = idOf('w', { group: 'example.com', kind: 'Widget' });

async function read(
  options: Partial<ReadByNameOptions>,
  script: readonly ScriptedAnswer[],
  requests: readonly string[],
): Promise<ReadonlyMap<string, LiveEntry>> {
  const { client, expectRequests } = scriptClient(script);
  const live = await readByName({
    client,
    desired: [],
    inventory: new Map(),
    kinds: kindsOf(A),
    concurrency: 1,
    ...options,
  });
  expectRequests(requests);
  return live;
}

test('each object of the inventory and of the manifests is read once', async () => {
  const live = await read(
    { inventory: inventoryOf(A), desired: [desiredOf({ id: A }), desiredOf({ id: B })] },
    [{ get: found(liveOf({ id: A })) }, { get: ABSENT }],
    ['get a', 'get b'],
  );
  assert.equal(live.get(idKey(A))?.state, 'present');
  assert.deepEqual(live.get(idKey(B)), { state: 'absent' });
  assert.equal(live.size, 2);
});

test('an object that cannot be read is unknown, with the reason', async () => {
  const live = await read({ inventory: inventoryOf(A) }, [{ get: refusedWith('Forbidden') }], ['get a']);
  assert.deepEqual(live.get(idKey(A)), { state: 'unknown', reason: 'the server answered Forbidden' });
});

test('an object of the inventory whose kind is not served or not known is unknown without a request', async () => {
  const reason = 'the API server does not serve Widget.example.com just now';
  const inventory = inventoryOf(WIDGET);
  const unserved = await read({ inventory }, [], []);
  assert.deepEqual(unserved.get(idKey(WIDGET)), { state: 'unknown', reason });
  const kinds = { ...kindsOf(A), stale: new Set(['example.com/v1']) };
  assert.deepEqual((await read({ inventory, kinds }, [], [])).get(idKey(WIDGET)), { state: 'unknown', reason });
});

test('an object that waits for its definition is left out', async () => {
  const desired = [{ id: WIDGET, kind: kindOf(WIDGET), awaitsCrd: idOf('widgets.example.com') }];
  assert.equal((await read({ desired }, [], [])).size, 0);
});

test('the kind of the manifest decides the version in which an object is read', async () => {
  const desired = [{ id: WIDGET, kind: kindOf(WIDGET) }];
  const live = await read({ desired, inventory: inventoryOf(WIDGET) }, [{ get: ABSENT }], ['get w']);
  assert.deepEqual(live.get(idKey(WIDGET)), { state: 'absent' });
});

test('a kind of the core group is named without a group', () => {
  assert.deepEqual(notServed({ group: '', kind: 'Pod' }), {
    state: 'unknown',
    reason: 'the API server does not serve Pod just now',
  });
});
