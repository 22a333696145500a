/** The end of `apps/shop`, with an Application beside it that has no say over its objects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveObject } from '../../../../src/cluster/live.ts';
import type { ObjectId } from '../../../../src/object/identity.ts';
import { pruneObjects } from '../../../../src/reconcile/deletion/prune-objects.ts';
import { statementOf, type StoredOptions } from '../../../support/applications.ts';
import { found, idOf, liveOf } from '../../../support/changes.ts';
import { kindsOf } from '../../../support/reading.ts';
import type { ScriptedAnswer } from '../../../support/scripted-client.ts';
import { scriptDeletion, type DeletionScene } from './scene.ts';

const RBAC = 'rbac.authorization.k8s.io';
const RESOURCES: readonly ObjectId[] = [
  idOf('a'),
  idOf('a', { kind: 'ResourceQuota' }),
  idOf('a', { group: RBAC, kind: 'RoleBinding' }),
  idOf('a', { group: RBAC, kind: 'ClusterRoleBinding', namespace: '' }),
  idOf('a', { group: 'networking.k8s.io', kind: 'NetworkPolicy' }),
];
const OTHER_SOURCE = { source: { repoURL: 'https://git.example.com/other.git' } };
const WISHERS: Readonly<Record<string, StoredOptions>> = {
  'of the same repository': {},
  'of another repository': { spec: OTHER_SOURCE },
  'in mode manual': { spec: { ...OTHER_SOURCE, sync: { mode: 'manual' } } },
  suspended: { spec: { suspend: true } },
};

const pruning = (live: LiveObject): readonly ScriptedAnswer[] => [
  { get: found(live) },
  { remove: { ok: true, outcome: 'gone' } },
];

async function prune(scene: DeletionScene, id: ObjectId): Promise<readonly ObjectId[] | 'waiting'> {
  return pruneObjects(scene.deletion, { ids: [id], kinds: kindsOf(id), isUnservedGone: false });
}

for (const id of RESOURCES) {
  for (const [who, options] of Object.entries(WISHERS)) {
    test(`a ${id.kind} is deleted although an Application ${who} that may not write it desires and claims it`, async () => {
      const live = liveOf({ id });
      const script = { live: [live], targetKinds: kindsOf(id), requests: pruning(live), mayWrite: false };
      const scene = scriptDeletion(script);
      scene.add({ ...options, name: 'other' });
      const { nowMs } = scene.clock;
      scene.neighbours.announce('apps/other', statementOf([id], { poll: { begunMs: nowMs, endedMs: nowMs } }), false);
      scene.claims.claim('cluster', id, 'apps/shop');
      scene.claims.claim('cluster', id, 'apps/other');
      assert.deepEqual(await prune(scene, id), []);
      scene.client.expectRequests(['get a', 'remove a u1 at 1']);
    });
  }
}

test('an object that gives rights and has lost its marks holds up the deletion, and the status says why', async () => {
  const id = idOf('a', { group: RBAC, kind: 'RoleBinding' });
  const live = liveOf({ id, metadata: { labels: {}, annotations: {} } });
  const scene = scriptDeletion({ live: [live], targetKinds: kindsOf(id) });
  assert.deepEqual(await prune(scene, id), [id]);
  scene.client.expectRequests([]);
  assert.match(
    scene.statuses[0]?.conditions?.[0]?.message ?? '',
    /RoleBinding.* it is not deleted: .*delete .* by hand/,
  );
});

test('an object that is released at the end of an Application is told by an Event and in the log', async () => {
  const id = idOf('a');
  const live = liveOf({ id, metadata: { labels: {}, annotations: {} } });
  const scene = scriptDeletion({ live: [live], requests: [{ get: found(live) }] });
  assert.deepEqual(await prune(scene, id), []);
  assert.deepEqual(
    scene.events.map(({ reason, action }) => [reason, action]),
    [['Released', 'Delete']],
  );
  assert.deepEqual(
    scene.log.lines.map(({ level }) => level),
    ['warn'],
  );
});
