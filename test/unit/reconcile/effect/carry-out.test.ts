/** The order of the effects of a pass: what is stored on the Application before any object is written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRUNE_FINALIZER } from '../../../../src/application/keys.ts';
import type { ApplyRequest, WriteAnswer } from '../../../../src/cluster/ports.ts';
import type { Change } from '../../../../src/diff/changes.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import { stringAt } from '../../../../src/object/value.ts';
import type { Plan } from '../../../../src/plan/plan.ts';
import { parentMarks } from '../../../../src/reconcile/decide/parent-marks.ts';
import { carryOut, countSync } from '../../../../src/reconcile/effect/carry-out.ts';
import { StatusConflict } from '../../../../src/reconcile/pass.ts';
import type { Findings } from '../../../../src/reconcile/report/report-of.ts';
import { inventoryOf, snapshotOf } from '../../../support/applications.ts';
import { ABSENT, changeOf, idOf, liveOf, refusedWith } from '../../../support/changes.ts';
import { scriptPass, statusIn, type PassScript, type ScriptedPass } from '../../../support/pass.ts';
import { recordMetrics } from '../../../support/recorders.ts';

const A = idOf('a');
const JOB: ObjectId = { group: 'batch', kind: 'Job', namespace: 'shop', name: 'migrate' };
const SNAPSHOT = snapshotOf('1');
const FINDINGS: Findings = { attempt: { revision: '', startedAt: '', startedMs: 1_000_000 }, snapshot: SNAPSHOT };
const SYNCED = { sync: { status: 'Synced', lastAttemptedRevision: SNAPSHOT.revision }, observedGeneration: 1 };

function planOf(...changes: readonly Change[]): Plan {
  const wave = { name: 'all', changes: changes.map((change) => ({ change, requires: [] })) };
  return { waves: changes.length > 0 ? [wave] : [], releases: [], prunes: [], waitingFor: [] } as unknown as Plan;
}

interface Scene extends ScriptedPass {
  readonly run: (plan: Plan) => ReturnType<typeof carryOut>;
}

/** A pass whose inventory holds `A`; `answer` is that of every apply. */
function scene(
  script: PassScript & { answer?: (request: ApplyRequest) => WriteAnswer; isMarked?: boolean } = {},
): Scene {
  const { answer = ({ body }) => applied(String(stringAt(body.metadata, 'name'))) } = script;
  const client = {
    get: async () => ABSENT,
    async apply(request: ApplyRequest) {
      it.journal.push(`apply ${stringAt(request.body.metadata, 'name')}`);
      return answer(request);
    },
  };
  const it: ScriptedPass = scriptPass({ client, ...script });
  const { pass } = it;
  pass.memory.inventory.ids = inventoryOf(A);
  pass.memory.endedJobs.started = new Map();
  pass.memory.endedJobs.ended = new Map();
  if (script.isMarked ?? true) {
    const { labels, annotations } = parentMarks({ ...pass, settings: pass.context.settings }, [A]);
    const metadata = { ...it.stored.metadata, labels, annotations, finalizers: [PRUNE_FINALIZER] };
    it.stored = { ...it.stored, metadata };
    pass.base = it.stored;
  }
  return Object.assign(it, { run: (plan: Plan) => carryOut(pass, plan, FINDINGS) });
}

function applied(name: string, id = idOf(name)): WriteAnswer {
  return { ok: true, object: liveOf({ id, resourceVersion: '9' }), isCreated: true, warnings: [] };
}

const heal = (): Plan => planOf(changeOf('update', { id: A, live: liveOf({ id: A }) }));
const inStatus = (more: object = {}) => ({
  stored: { status: { ...SYNCED, inventory: { objects: { ConfigMap: { shop: 'a' } } }, ...more } },
});

test('marks and inventory are stored before the first object of a new revision is written', async () => {
  const it = scene({ isMarked: false });
  await it.run(planOf(changeOf('create', { id: A }), changeOf('create', { id: idOf('b') })));
  const order = ['marks', 'point marks-written', 'status OutOfSync', 'point inventory-written', 'apply a', 'apply b'];
  assert.deepEqual(it.journal.filter((line) => !line.startsWith('event')).slice(0, 6), order);
  assert.equal(JSON.stringify(statusIn(it)['inventory']), '{"objects":{"ConfigMap":{"shop":"a b"}}}');
});

test('a heal at a known revision reads the Application first, and writes no status', async () => {
  const it = scene(inStatus());
  await it.run(heal());
  assert.deepEqual(it.journal, [
    'point marks-written',
    'read',
    'point inventory-written',
    'apply a',
    'point wave-applied',
  ]);
});

test('nothing is healed where another agent has written another revision meanwhile', async () => {
  const it = scene(inStatus());
  it.stored = { ...it.stored, status: { sync: { status: 'Synced', revision: snapshotOf('2').revision } } };
  await assert.rejects(it.run(heal()), StatusConflict);
  assert.ok(!it.journal.includes('apply a'), it.journal.join());
});

test('the creation of a Job is stored before it is sent, and is known as started after its answer', async () => {
  const it = scene({ ...inStatus(), answer: () => applied('migrate', JOB) });
  let sent: unknown;
  it.atPoint = (point) => {
    if (point === 'inventory-written') sent = statusIn(it)['started'];
  };
  await it.run(planOf(changeOf('create', { id: JOB })));
  assert.deepEqual(sent, { [idKey(JOB)]: 'digest:sent-1000' });
  assert.deepEqual([...(it.pass.memory.endedJobs.started ?? [])], [[idKey(JOB), 'digest']]);
});

test('a Job that the API server refuses is not known as sent', async () => {
  const it = scene({ ...inStatus(), answer: () => refusedWith('InvalidManifest', { status: 422 }) });
  await it.run(planOf(changeOf('create', { id: JOB })));
  assert.equal(it.pass.memory.endedJobs.started?.size, 0);
});

test('while the status is refused nothing new is created, and what is stored is healed', async () => {
  const refuseStatus = refusedWith('Forbidden', { status: 403 });
  const it = scene({ ...inStatus(), refuseStatus });
  await it.run(planOf(...[A, idOf('b'), JOB].map((id) => changeOf('update', { id, live: liveOf({ id }) }))));
  const writes = it.journal.filter((line) => line.startsWith('apply'));
  assert.deepEqual(writes, ['apply a']);
  assert.deepEqual([...(it.pass.memory.inventory.ids?.keys() ?? [])], [idKey(A)]);
  assert.deepEqual(
    it.pass.failures.map(({ stage }) => stage),
    ['status'],
  );
});

test('an object that may not be created leaves the inventory again', async () => {
  const it = scene({ ...inStatus(), answer: () => refusedWith('Forbidden', { status: 403 }) });
  await it.run(planOf(changeOf('create', { id: idOf('b') })));
  assert.deepEqual([...(it.pass.memory.inventory.ids?.keys() ?? [])], [idKey(A)]);
});

test('effects without an inventory are a defect', async () => {
  const it = scene();
  it.pass.memory.inventory.ids = undefined;
  await assert.rejects(it.run(planOf()), RangeError);
});

test('a pass counts as a sync if an object changed, and as a failed one if any change failed', () => {
  const change = changeOf('update', { id: A });
  const counted = (...outcomes: readonly ('configured' | 'failed' | 'unchanged' | 'waiting')[]): unknown => {
    const metrics = recordMetrics();
    countSync(metrics, new Map(outcomes.map((outcome, index) => [String(index), { change, outcome }])));
    return metrics.calls.map(([, result]) => result);
  };
  assert.deepEqual(counted('unchanged', 'waiting'), []);
  assert.deepEqual(counted('configured', 'unchanged'), ['success']);
  assert.deepEqual(counted('configured', 'failed'), ['failure']);
  const metrics = recordMetrics();
  countSync(metrics, undefined);
  assert.deepEqual(metrics.calls, [['onSync', 'failure']]);
});
