/** Claims, observation and comparison of a pass, with the requests that they cost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storedSending } from '../../../../src/application/ended-jobs.ts';
import type { ApplyRequest, ClusterClient } from '../../../../src/cluster/ports.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import { compareLive, foreseeChanges } from '../../../../src/reconcile/decide/compare-live.ts';
import { inventoryOf } from '../../../support/applications.ts';
import { ABSENT, changeOf, desiredOf, idOf, liveOf, refusedWith } from '../../../support/changes.ts';
import { entryOf, scriptPass, type PassScript, type ScriptedPass } from '../../../support/pass.ts';
import { kindsOf } from '../../../support/reading.ts';

const A = idOf('a');
const JOB: ObjectId = { group: 'batch', kind: 'Job', namespace: 'shop', name: 'migrate' };
const EVENT: ObjectId = { group: '', kind: 'Event', namespace: 'shop', name: '' };

interface Compared extends ScriptedPass {
  /** Requests to the cluster. */
  readonly requests: string[];
  readonly compare: (ids: readonly ObjectId[], inventory?: readonly ObjectId[]) => ReturnType<typeof compareLive>;
}

function scene(script: PassScript & { requests?: Partial<ClusterClient> } = {}): Compared {
  const requests: string[] = [];
  const client: Partial<ClusterClient> = {
    async get(_kind, { name }) {
      requests.push(`get ${name}`);
      return ABSENT;
    },
    async listBySelector(_kind, { fieldSelector = '' }) {
      requests.push(`list ${fieldSelector}`);
      return { ok: true, objects: [] };
    },
    async apply({ body, dryRun }: ApplyRequest) {
      requests.push(`${dryRun ? 'dry run' : 'apply'} ${String(body.metadata['name'])}`);
      return { ok: true, object: liveOf({ id: A }), isCreated: false, warnings: [] };
    },
    ...script.requests,
  };
  const kinds = kindsOf(A, JOB, EVENT);
  const it = scriptPass({ client, kinds, ...script });
  const compare = (ids: readonly ObjectId[], inventory: readonly ObjectId[] = []): ReturnType<typeof compareLive> => {
    const objects = ids.map((id) => desiredOf({ id }));
    const bound = { desired: { objects, problems: [], digest: 'set' }, kinds, isComplete: true };
    return compareLive(it.pass, bound, inventoryOf(...inventory));
  };
  return { ...it, requests, compare };
}

const typesOf = ({ changes }: Awaited<ReturnType<typeof compareLive>>): string[] =>
  changes.map(({ id, type }) => `${id.name} ${type}`);

test('an object that was never applied is to be created without a request', async () => {
  const it = scene();
  assert.deepEqual(typesOf(await it.compare([A])), ['a create']);
  assert.deepEqual(it.requests, []);
});

test('an object of the inventory that no watch shows is read by name', async () => {
  const it = scene();
  assert.deepEqual(typesOf(await it.compare([A], [A])), ['a create']);
  assert.deepEqual(it.requests, ['get a']);
});

test('an object of the inventory that is not desired any more is to be pruned', async () => {
  const it = scene({ live: entryOf(A, { state: 'present', object: liveOf({ id: A }) }) });
  assert.deepEqual(typesOf(await it.compare([], [A])), ['a prune']);
  assert.deepEqual([...it.pass.memory.inventory.written], [idKey(A)]);
});

test('the claim of an Application that does not exist holds nothing back', async () => {
  const it = scene();
  it.pass.context.claims.claim('cluster', A, 'apps/gone');
  assert.deepEqual(typesOf(await it.compare([A])), ['a create']);
});

test('a mode that writes nothing decides what is unsure by a dry run, and does so once', async () => {
  const live = liveOf({ id: A });
  const it = scene({
    live: entryOf(A, { state: 'present', object: live }),
    goal: { intent: { mode: 'detect', prune: false, objects: undefined } },
    requests: {},
  });
  await it.compare([A], [A]);
  assert.deepEqual(it.requests, ['dry run a']);
  await it.compare([A], [A]);
  assert.deepEqual(it.requests, ['dry run a']);
});

test('in mode auto the apply itself brings the evidence', async () => {
  const it = scene({ live: entryOf(A, { state: 'present', object: liveOf({ id: A }) }) });
  assert.deepEqual(typesOf(await it.compare([A], [A])), ['a unsure']);
  assert.deepEqual(it.requests, []);
});

test('a Job whose creation was interrupted is not compared before its Events tell whether it ran', async () => {
  const sent = { [idKey(JOB)]: storedSending('digest', 999_000) };
  const it = scene({ stored: { status: { started: sent } }, live: entryOf(JOB, { state: 'absent' }) });
  assert.deepEqual(typesOf(await it.compare([JOB], [JOB])), ['migrate unknown']);
  assert.deepEqual(it.requests, ['list involvedObject.kind=Job,involvedObject.name=migrate']);
});

test('a sync that names such a Job asks nothing and runs it', async () => {
  const sent = { [idKey(JOB)]: storedSending('digest', 999_000) };
  const objects = new Set([idKey(JOB)]);
  const goal = { intent: { mode: 'auto' as const, prune: true, objects } };
  const it = scene({ goal, stored: { status: { started: sent } }, live: entryOf(JOB, { state: 'absent' }) });
  assert.deepEqual(typesOf(await it.compare([JOB], [JOB])), ['migrate create']);
  assert.deepEqual(it.requests, []);
});

test('a change that waits is foreseen by one dry run for each version of the object', async () => {
  const it = scene();
  const live = liveOf({ id: A });
  const changes = [changeOf('unsure', { id: A, live })];
  for (let pass = 0; pass < 2; pass++) await foreseeChanges(it.pass, changes, () => true);
  assert.deepEqual(it.requests, ['dry run a']);
  const newer = [changeOf('unsure', { id: A, live: { ...live, resourceVersion: '2' } })];
  await foreseeChanges(it.pass, newer, () => true);
  assert.deepEqual(it.requests, ['dry run a', 'dry run a']);
  assert.equal(await foreseeChanges(it.pass, changes, () => false).then(([change]) => change?.type), 'unsure');
  assert.equal(it.requests.length, 2, 'what does not wait is applied, and needs no dry run');
});

test('a dry run that is refused leaves the change unsure', async () => {
  const it = scene({ requests: { apply: async () => refusedWith('Unavailable', { retry: 'backoff' }) } });
  const changes = [changeOf('unsure', { id: A, live: liveOf({ id: A }) })];
  const [foreseen] = await foreseeChanges(it.pass, changes, () => true);
  assert.equal(foreseen?.type, 'unsure');
  assert.equal(it.pass.memory.evidence.foreseen.size, 0);
});
