import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import { releaseObjects } from '../../../../src/reconcile/deletion/release-objects.ts';
import { kindsOf } from '../../../support/reading.ts';
import { ABSENT, found, idOf, liveOf, refusedWith, written } from '../../../support/changes.ts';
import type { ScriptedAnswer } from '../../../support/scripted-client.ts';
import { scriptDeletion, type DeletionScene, type DeletionScript } from './scene.ts';

const A = idOf('a');
const LIVE = liveOf({ id: A });
const WAIT_MS = 60_000;

interface Released {
  readonly left: readonly ObjectId[];
  readonly scene: DeletionScene;
  /** Reasons of the Events. */
  readonly events: readonly string[];
}

/** Releases `A` with exactly these requests; `sinceMs` ago the first attempt was made. */
async function release(script: DeletionScript, requests: readonly string[], sinceMs = 0): Promise<Released> {
  const scene = scriptDeletion(script);
  scene.deletion.record.memory.deletion.sinceMs = scene.clock.nowMs - sinceMs;
  const left = await releaseObjects(scene.deletion, [A]);
  scene.client.expectRequests(requests);
  return { left, scene, events: scene.events.map(({ reason }) => reason) };
}

const failing = (code: Parameters<typeof refusedWith>[0]): readonly ScriptedAnswer[] => [
  { get: found(LIVE) },
  { release: refusedWith(code) },
];
const REQUESTS = ['get a', 'release a at 1'];

test('the marks are removed, and the object stays', async () => {
  const { left, scene, events } = await release(
    { live: [LIVE], requests: [{ get: found(LIVE) }, { release: written(LIVE) }] },
    REQUESTS,
  );
  assert.deepEqual(left, []);
  assert.deepEqual(scene.steps, ['objects-pruned']);
  assert.deepEqual(events, ['Released']);
});

test('an object that is gone already needs no release', async () => {
  assert.deepEqual((await release({ requests: [{ get: ABSENT }, { get: ABSENT }] }, ['get a', 'get a'])).left, []);
});

test('an object that asks for a confirmation of its deletion is released without one', async () => {
  const live = liveOf({ id: A, annotations: { 'argocd.argoproj.io/sync-options': 'Delete=confirm' } });
  const script = { live: [live], requests: [{ get: found(live) }, { release: written(live) }] };
  assert.deepEqual((await release(script, REQUESTS)).left, []);
});

test('an object out of reach is let go with its marks, without a request', async () => {
  const { left, events } = await release({ allowCrossNamespace: false, live: [LIVE] }, []);
  assert.deepEqual(left, []);
  assert.deepEqual(events, []);
});

for (const code of ['Modified', 'Throttled', 'Unavailable'] as const) {
  test(`a release that fails with ${code} is tried again until the time is over`, async () => {
    // A lost race is tried again at once, three times in all.
    const attempts = Array.from({ length: code === 'Modified' ? 3 : 1 });
    const script = { live: [LIVE], requests: attempts.flatMap(() => failing(code)) };
    const requests = attempts.flatMap(() => REQUESTS);
    const waiting = await release(script, requests, WAIT_MS - 1);
    assert.deepEqual(waiting.left, [A]);
    assert.deepEqual(waiting.events, []);
    const over = await release(script, requests, WAIT_MS);
    assert.deepEqual(over.left, []);
    assert.deepEqual(over.events, ['OwnerMarksLeft']);
  });
}

test('an object whose marks may not be removed keeps them, and an Event and the log say so', async () => {
  const { left, scene, events } = await release({ live: [LIVE], requests: failing('Forbidden') }, REQUESTS);
  assert.deepEqual(left, []);
  assert.deepEqual(events, ['OwnerMarksLeft']);
  assert.match(
    scene.events[0]?.note ?? '',
    /^1 released with the owner marks \(ConfigMap shop\/a: the server answered/,
  );
  assert.deepEqual(
    scene.log.lines.map(({ level, fields }) => [level, fields['left'], fields['first']]),
    [['warn', 1, 'ConfigMap shop/a']],
  );
});

test('an object whose kind is not served is waited for, and let go once the time is over', async () => {
  const script = { targetKinds: kindsOf() };
  const waiting = await release(script, []);
  assert.deepEqual(waiting.left, [A]);
  assert.match(waiting.scene.statuses[0]?.conditions?.[0]?.message ?? '', /does not serve ConfigMap just now$/);
  const over = await release(script, [], WAIT_MS);
  assert.deepEqual([over.left, over.events], [[], ['OwnerMarksLeft']]);
});

test('an object that cannot be read now is waited for', async () => {
  const entries = { [idKey(A)]: { state: 'unknown', reason: 'the watch failed' } } as const;
  const { left } = await release({ entries, requests: [{ get: refusedWith('Unavailable') }] }, ['get a']);
  assert.deepEqual(left, [A]);
});

test('the time for a release begins with its first attempt', async () => {
  const scene = scriptDeletion({ live: [LIVE], requests: failing('Unavailable') });
  await releaseObjects(scene.deletion, [A]);
  assert.equal(scene.deletion.record.memory.deletion.sinceMs, scene.clock.nowMs);
});
