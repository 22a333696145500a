/** Health of the objects of a pass, with the requests that it costs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterClient, Selection } from '../../../../src/cluster/ports.ts';
import type { LiveEntry, LiveObject } from '../../../../src/cluster/live.ts';
import type { Change } from '../../../../src/diff/changes.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import { DEFAULT_POLICY } from '../../../../src/object/policy.ts';
import type { ValueMap } from '../../../../src/object/value.ts';
import { assessObjects } from '../../../../src/reconcile/report/assess-objects.ts';
import { changeOf, desiredOf, idOf, liveOf, refusedWith } from '../../../support/changes.ts';
import { entryOf, scriptPass } from '../../../support/pass.ts';
import { kindsOf } from '../../../support/reading.ts';

const A = idOf('a');
const WEB: ObjectId = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
const JOB: ObjectId = { group: 'batch', kind: 'Job', namespace: 'shop', name: 'migrate' };
const POD: ObjectId = { group: '', kind: 'Pod', namespace: 'shop', name: 'web-1' };

interface Question {
  readonly id: ObjectId;
  readonly entry?: LiveEntry;
  readonly changes?: readonly Change[];
  readonly isComplete?: boolean;
  readonly client?: Partial<ClusterClient>;
  readonly policy?: Parameters<typeof desiredOf>[0];
  readonly status?: ValueMap;
}

async function assess({ id, entry, changes = [], isComplete = true, client = {}, policy, status }: Question) {
  const stored = status ? { status } : {};
  const { pass } = scriptPass({ live: entry ? entryOf(id, entry) : new Map(), client, stored });
  const desired = { objects: [desiredOf({ id, ...policy })], problems: [], digest: 'set' };
  pass.memory.evidence.accepted.set(idKey(id), 'digest');
  const health = await assessObjects(pass, { desired, isComplete, kinds: kindsOf(POD) }, changes);
  return { health: health.get(idKey(id)), jobs: pass.memory.endedJobs };
}

const present = (object: LiveObject): LiveEntry => ({ state: 'present', object });

/** A Deployment whose one replica does not come up. */
function unwellWeb(): LiveObject {
  const live = liveOf({ id: WEB, status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1 } });
  const spec = { replicas: 1, selector: { matchLabels: { app: 'web' } } };
  return { ...live, body: { ...live.body, spec, metadata: { ...live.body.metadata, generation: 1 } } };
}

test('an object that exists is Healthy, and one that no watch shows is Missing', async () => {
  assert.equal((await assess({ id: A, entry: present(liveOf({ id: A })) })).health?.status, 'Healthy');
  assert.equal((await assess({ id: A })).health?.status, 'Missing');
});

test('an object that cannot be read is Unknown with the reason, and not Missing', async () => {
  const { health } = await assess({ id: A, entry: { state: 'unknown', reason: 'the watch failed' } });
  assert.deepEqual(health, { status: 'Unknown', message: 'the watch failed' });
  const unread = { ...changeOf('unknown', { id: A }), reason: 'it may not be read' };
  const byName = await assess({ id: A, changes: [unread] });
  assert.deepEqual(byName.health, { status: 'Unknown', message: 'it may not be read' });
});

test('an object whose content is not kept says so', async () => {
  const { health } = await assess({ id: A, entry: { state: 'unseen', isUnread: true } });
  assert.equal(health?.status, 'Unknown');
  assert.match(health?.message ?? '', /--max-namespace-live-mib/);
});

test('an object without our label is assessed as this pass has read it', async () => {
  const change: Change = { ...changeOf('none', { id: A, live: liveOf({ id: A }) }), isUnwatched: true };
  assert.equal((await assess({ id: A, changes: [change] })).health?.status, 'Healthy');
});

test('an object that is left out has no health', async () => {
  const policy = { policy: { ...DEFAULT_POLICY, reconcile: false } };
  assert.equal((await assess({ id: A, policy })).health, undefined);
});

test('the Pods of a workload are listed only while it is not Healthy, by its selector', async () => {
  const selections: Selection[] = [];
  const client: Partial<ClusterClient> = {
    async listBySelector(_kind, selection) {
      selections.push(selection);
      return { ok: true, objects: [] };
    },
  };
  await assess({ id: A, entry: present(liveOf({ id: A })), client });
  assert.deepEqual(selections, []);
  const { health } = await assess({ id: WEB, entry: present(unwellWeb()), client });
  assert.equal(health?.status, 'Progressing');
  assert.deepEqual(selections, [{ namespace: 'shop', labelSelector: 'app=web', limit: 500 }]);
});

test('a missing right to read Pods is told, an outage is not', async () => {
  for (const [code, isTold] of [
    ['Forbidden', true],
    ['Unavailable', false],
  ] as const) {
    const client = { listBySelector: async () => refusedWith(code) };
    const { health } = await assess({ id: WEB, entry: present(unwellWeb()), client });
    assert.equal(health?.message?.includes('its Pods cannot be read'), isTold);
  }
});

test('a Job that ended and was removed is as healthy as it ended', async () => {
  const ended = await assess({ id: JOB, status: { finished: { [idKey(JOB)]: 'digest' } } });
  assert.equal(ended.health?.status, 'Healthy');
  const failed = await assess({ id: JOB, status: { finished: { [idKey(JOB)]: 'digest:failed' } } });
  assert.equal(failed.health?.status, 'Degraded');
});

test('records of Jobs that are not desired any more go with a complete set only', async () => {
  const status = { finished: { 'batch/Job/shop/old': 'x' } };
  assert.equal((await assess({ id: A, status })).jobs.ended?.size, 0);
  assert.equal((await assess({ id: A, status, isComplete: false })).jobs.ended?.size, 1);
});
