import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import { serviceAccountIdentity } from '../../../src/cluster/identity.ts';
import type { LiveEntry } from '../../../src/cluster/live.ts';
import type { ClusterClient, WatchScope } from '../../../src/cluster/ports.ts';
import { idKey, type ObjectId } from '../../../src/object/identity.ts';
import { observe, type Observation, type ObserveOptions } from '../../../src/observe/observe.ts';
import { inventoryOf } from '../../support/applications.ts';
import { ABSENT, desiredOf, found, idOf, liveOf, refusedWith } from '../../support/changes.ts';
import { kindsOf } from '../../support/reading.ts';
import { scriptClient, type ScriptedAnswer } from '../../support/scripted-client.ts';

const IDENTITY = serviceAccountIdentity('apps', 'deployer');
const [A, B] = [idOf('a', { namespace: 'apps' }), idOf('b', { namespace: 'shop' })];
const WIDGET = idOf('w', { group: 'example.com', kind: 'Widget' });
const LIVE_A = liveOf({ id: A });
const UNSEEN: LiveEntry = { state: 'unseen' };

interface Scene extends Partial<Omit<ObserveOptions, 'cluster' | 'desired' | 'inventory'>> {
  readonly desired?: readonly (ObjectId | DesiredObject)[];
  readonly inventory?: readonly ObjectId[];
  /** Entries of the watches, by `idKey`; others are unseen. */
  readonly watched?: Readonly<Record<string, LiveEntry>>;
  readonly requests?: readonly ScriptedAnswer[];
}

interface Observed extends Observation {
  readonly held: readonly WatchScope[];
  /** The calls of `live.record`: the id and the object. */
  readonly recorded: unknown[];
}

/** Observes the objects with exactly these requests. */
async function see(scene: Scene, requests: readonly string[] = []): Promise<Observed> {
  const { desired = [], inventory = [], watched = {}, requests: script = [], ...more } = scene;
  const { client, expectRequests } = scriptClient(script);
  const held: WatchScope[] = [];
  const recorded: unknown[] = [];
  const observation = await observe({
    cluster: {
      as(identity): Pick<ClusterClient, 'get'> {
        assert.equal(identity, IDENTITY);
        return client;
      },
      live: {
        async keepWatched(application, identity, scopes) {
          assert.deepEqual([application, identity], ['apps/shop', IDENTITY]);
          held.push(...scopes);
        },
        look: (_identity, _kind, id) => watched[idKey(id)] ?? UNSEEN,
        record: (_identity, _kind, id, object) => void recorded.push([id, object]),
      },
    },
    identity: IDENTITY,
    reach: { namespace: 'apps', mayCross: true },
    kinds: kindsOf(A),
    isUnservedGone: false,
    application: 'apps/shop',
    desired: desired.map((object) => ('body' in object ? object : desiredOf({ id: object }))),
    inventory: inventoryOf(...inventory),
    shouldProveAbsence: false,
    concurrency: 1,
    maxReadBytes: 1_000_000,
    ...more,
  });
  expectRequests(requests);
  return { ...observation, held, recorded };
}

const stateOf = ({ live }: Observation, id: ObjectId): LiveEntry | undefined => live.get(idKey(id));
const present = (object: typeof LIVE_A): LiveEntry => ({ state: 'present', object });

test('objects that a watch shows cost no request', async () => {
  const observed = await see({ desired: [A], inventory: [A], watched: { [idKey(A)]: present(LIVE_A) } });
  assert.deepEqual(stateOf(observed, A), present(LIVE_A));
  assert.equal(observed.kindOf.get(idKey(A))?.kind, 'ConfigMap');
});

test('an object of the inventory that no watch shows is read by name', async () => {
  const observed = await see({ inventory: [A, B], requests: [{ get: found(LIVE_A) }, { get: ABSENT }] }, [
    'get a',
    'get b',
  ]);
  assert.deepEqual(stateOf(observed, A), present(LIVE_A));
  assert.deepEqual(stateOf(observed, B), { state: 'absent' });
  assert.deepEqual(observed.recorded, [
    [A, LIVE_A],
    [B, undefined],
  ]);
});

test('an object that cannot be read by name is unknown, and nothing is recorded', async () => {
  const observed = await see({ inventory: [A], requests: [{ get: refusedWith('Forbidden') }] }, ['get a']);
  assert.deepEqual(stateOf(observed, A), { state: 'unknown', reason: 'the server answered Forbidden' });
  assert.deepEqual(observed.recorded, []);
});

test('a new object that no watch shows is left unseen: its apply tells whether it exists', async () => {
  assert.deepEqual(stateOf(await see({ desired: [A] }), A), UNSEEN);
});

const ENTRIES: readonly (readonly [string, LiveEntry, boolean])[] = [
  ['is not in a watch', UNSEEN, true],
  ['was absent', { state: 'absent' }, true],
  ['is in a watch', present(LIVE_A), false],
  ['was seen without our label', present(liveOf({ id: A, metadata: { labels: {} } })), true],
  ['is in a watch that failed', { state: 'unknown', reason: 'the watch failed' }, false],
];
for (const [what, entry, isRead] of ENTRIES) {
  test(`where no apply follows an object that ${what} is ${isRead ? '' : 'not '}read by name`, async () => {
    const script = { desired: [A], watched: { [idKey(A)]: entry }, shouldProveAbsence: true };
    const observed = await see(isRead ? { ...script, requests: [{ get: ABSENT }] } : script, isRead ? ['get a'] : []);
    assert.deepEqual(stateOf(observed, A), isRead ? { state: 'absent' } : entry);
  });
}

test('an object of the inventory that is known to be absent is not read again', async () => {
  const observed = await see({ inventory: [A], watched: { [idKey(A)]: { state: 'absent' } } });
  assert.deepEqual(stateOf(observed, A), { state: 'absent' });
});

test('a watch is held for each kind in each namespace', async () => {
  const { held } = await see(
    { desired: [A, idOf('c', { namespace: 'apps' })], inventory: [A, B], requests: [{ get: ABSENT }, { get: ABSENT }] },
    ['get a', 'get b'],
  );
  assert.deepEqual(
    held.map(({ kind, namespace }) => [kind.kind, namespace]),
    [
      ['ConfigMap', 'apps'],
      ['ConfigMap', 'shop'],
    ],
  );
});

test('a desired object in another version has a watch of its own', async () => {
  const { held } = await see({
    desired: [
      A,
      {
        ...desiredOf({ id: B }),
        id: { ...B, namespace: 'apps' },
        kind: { ...desiredOf({ id: B }).kind, version: 'v2' },
      },
    ],
  });
  assert.deepEqual(
    held.map(({ kind }) => kind.version),
    ['v1', 'v2'],
  );
});

test('a desired object of the inventory is observed in the version of its manifest', async () => {
  const desired = { ...desiredOf({ id: A }), kind: { ...desiredOf({ id: A }).kind, version: 'v2' } };
  const observed = await see({ desired: [desired], inventory: [A], watched: { [idKey(A)]: present(LIVE_A) } });
  assert.equal(observed.kindOf.get(idKey(A))?.version, 'v2');
});

test('a new object whose kind is not served yet is neither watched nor read', async () => {
  const awaited = { ...desiredOf({ id: WIDGET }), awaitsCrd: idOf('widgets.example.com') };
  const observed = await see({ desired: [awaited], watched: { [idKey(WIDGET)]: present(LIVE_A) } });
  assert.deepEqual(observed.held, []);
  assert.deepEqual(stateOf(observed, WIDGET), UNSEEN);
});

test('an object out of reach is unknown, and no request is made for it', async () => {
  const reach = { namespace: 'apps', mayCross: false };
  const observed = await see({ desired: [B], inventory: [B], reach, shouldProveAbsence: true });
  assert.deepEqual(observed.held, []);
  const entry = stateOf(observed, B);
  assert.equal(entry?.state, 'unknown');
  assert.match(entry.reason, /^it is outside the namespace of the Application/);
});

test('an object of a kind that is not served is unknown until the kind counts as gone', async () => {
  const entry = stateOf(await see({ inventory: [WIDGET] }), WIDGET);
  assert.deepEqual(entry, { state: 'unknown', reason: 'the API server does not serve Widget.example.com just now' });
  const gone = await see({ inventory: [WIDGET], isUnservedGone: true });
  assert.deepEqual(stateOf(gone, WIDGET), { state: 'absent' });
  assert.equal(gone.kindOf.has(idKey(WIDGET)), false);
  const proven = await see({ inventory: [WIDGET], isUnservedGone: true, shouldProveAbsence: true });
  assert.deepEqual(stateOf(proven, WIDGET), { state: 'absent' });
});

test('an object of a group that does not answer is unknown, even where its kind counts as gone', async () => {
  const kinds = { ...kindsOf(A), stale: new Set(['example.com/v1']) };
  const observed = await see({ inventory: [WIDGET], kinds, isUnservedGone: true });
  assert.deepEqual(stateOf(observed, WIDGET), {
    state: 'unknown',
    reason: 'the API group example.com does not answer',
  });
});

test('a group that does not answer says nothing about kinds of other groups', async () => {
  const kinds = { ...kindsOf(A), stale: new Set(['other.com/v1']) };
  assert.deepEqual(stateOf(await see({ inventory: [WIDGET], kinds, isUnservedGone: true }), WIDGET), {
    state: 'absent',
  });
});

test('an object whose content no watch keeps is read by name, also if it was never ours', async () => {
  const unread: LiveEntry = { state: 'unseen', isUnread: true };
  const observed = await see({ desired: [A], watched: { [idKey(A)]: unread }, requests: [{ get: found(LIVE_A) }] }, [
    'get a',
  ]);
  assert.deepEqual(stateOf(observed, A), present(LIVE_A));
  assert.deepEqual(
    observed.held.map(({ names }) => [...(names ?? [])]),
    [['a']],
  );
});

test('objects that are too large to be read in one pass are TooLarge', async () => {
  await assert.rejects(see({ inventory: [A], requests: [{ get: found(LIVE_A) }], maxReadBytes: 10 }), {
    code: 'TooLarge',
    stage: 'observe',
  });
});
