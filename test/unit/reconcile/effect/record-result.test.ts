import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeResult, Outcome } from '../../../../src/apply/applied.ts';
import { agentIdentity } from '../../../../src/cluster/identity.ts';
import type { LiveStore } from '../../../../src/cluster/ports.ts';
import { idKey } from '../../../../src/object/identity.ts';
import { recordResult } from '../../../../src/reconcile/effect/record-result.ts';
import { emptyMemory, type Memory } from '../../../../src/reconcile/memory.ts';
import { inventoryOf } from '../../../support/applications.ts';
import { createClock } from '../../../support/clock.ts';
import { changeOf, desiredOf, idOf, leftChange, liveOf, OTHER_OWNER, refusedWith } from '../../../support/changes.ts';
import { recordLog, recordMetrics, type Logged } from '../../../support/recorders.ts';

const A = idOf('a');
const KEY = idKey(A);
const LIVE = liveOf({ id: A });
const UPDATE = changeOf('update', { id: A, live: LIVE });

interface Recorded {
  readonly memory: Memory;
  /** The calls of `live.record`, as the id and the object. */
  readonly seen: unknown[];
  readonly counted: unknown[];
  /** Keys of the Applications that were woken. */
  readonly woken: string[];
  readonly log: readonly Logged[];
}

/** A memory with evidence, a heal and an inventory entry of the object `A`. */
function memoryOfA(): Memory {
  const memory = emptyMemory();
  memory.inventory.ids = inventoryOf(A, idOf('b'));
  memory.evidence.accepted.set(KEY, 'digest');
  memory.evidence.baselines.set(KEY, { manifestDigest: 'old', projectionDigest: '', uid: '', ownedDigest: '' });
  memory.evidence.settled.set(KEY, { manifestDigest: 'digest', resourceVersion: '1', change: UPDATE });
  memory.heals.records.set(KEY, {
    manifestDigest: 'digest',
    heals: 1,
    lastHealMs: 0,
    other: 'another writer',
    isRecreating: false,
  });
  memory.place.isNamespaceKnown = true;
  return memory;
}

function record(result: ChangeResult, memory = memoryOfA()): Recorded {
  const seen: unknown[] = [];
  const woken: string[] = [];
  const [log, metrics] = [recordLog(), recordMetrics()];
  const live: Pick<LiveStore, 'record'> = { record: (_identity, _kind, id, object) => void seen.push([id, object]) };
  recordResult(
    {
      identity: agentIdentity,
      memory,
      record: { key: 'apps/shop' },
      target: { live },
      context: { clock: createClock(10_000), log, metrics, neighbours: { wake: (key) => void woken.push(key) } },
    },
    result,
  );
  return { memory, seen, counted: [...metrics.calls], woken, log: log.lines };
}

test('an applied object is known as the server returned it, and its manifest as accepted', () => {
  const answer = liveOf({ id: A, resourceVersion: '2' });
  const memory = emptyMemory();
  const { seen, counted, log } = record({ change: UPDATE, outcome: 'configured', live: answer }, memory);
  assert.deepEqual(seen, [[A, answer]]);
  assert.equal(memory.evidence.accepted.get(KEY), 'digest');
  assert.equal(memory.evidence.baselines.get(KEY)?.uid, answer.uid);
  assert.equal(memory.heals.records.size, 0, 'the first apply of a manifest is not a heal');
  assert.deepEqual(counted, [['onChange', 'configured']]);
  assert.deepEqual(log, []);
});

test('an object that was read and left as it is is known, and its manifest does not count as accepted', () => {
  for (const outcome of ['unchanged', 'conflict'] as const) {
    const memory = emptyMemory();
    const { seen } = record({ change: changeOf('create', { id: A }), outcome, found: LIVE }, memory);
    assert.deepEqual(seen, [[A, LIVE]]);
    assert.equal(memory.evidence.accepted.size, 0);
    assert.equal(memory.endedJobs.ended?.size ?? 0, 0);
  }
});

test('every result drops the settled comparison of the object', () => {
  for (const outcome of ['configured', 'failed', 'unchanged', 'pruned', 'conflict'] as const) {
    assert.equal(record({ change: UPDATE, outcome }).memory.evidence.settled.size, 0, outcome);
  }
});

test('a heal that makes an object contested is logged with its name', () => {
  const { memory, log } = record({ change: UPDATE, outcome: 'configured', live: LIVE });
  assert.deepEqual(memory.heals.records.get(KEY)?.heals, 2);
  const fields = { application: 'apps/shop', object: 'ConfigMap shop/a' };
  assert.deepEqual(log, [{ level: 'warn', message: 'an object is contested', fields }]);
});

const OTHER_MANIFEST = { ...UPDATE, desired: { ...desiredOf({ id: A }), digest: 'new' } };

test('the answer to a new manifest replaces the evidence of the old one, and is not a heal', () => {
  const { memory, log } = record({ change: OTHER_MANIFEST, outcome: 'configured', live: LIVE });
  assert.equal(memory.evidence.accepted.get(KEY), 'new');
  assert.equal(memory.evidence.baselines.get(KEY)?.manifestDigest, 'new');
  assert.equal(memory.heals.records.get(KEY)?.heals, 1);
  assert.deepEqual(log, []);
});

/** Whether the object is in the inventory, has evidence, and has a record of heals. */
function factsOf({ inventory, evidence, heals }: Memory): readonly boolean[] {
  const hasEvidence = evidence.accepted.has(KEY);
  assert.equal(evidence.baselines.has(KEY), hasEvidence);
  return [inventory.ids?.has(KEY) ?? false, hasEvidence, heals.records.has(KEY)];
}

const ENDS: readonly (readonly [Outcome, boolean])[] = [
  ['pruned', true],
  ['released', true],
  ['pruning', false],
  ['failed', false],
  ['unchanged', false],
  ['waiting', false],
];
for (const [outcome, isGone] of ENDS) {
  test(`an object that left Git and is ${outcome} is ${isGone ? 'forgotten' : 'remembered'}`, () => {
    const { memory, seen } = record({ change: leftChange('prune', A), outcome });
    assert.deepEqual(factsOf(memory), isGone ? [false, false, false] : [true, true, true]);
    assert.equal(memory.inventory.ids?.has(idKey(idOf('b'))), true);
    assert.deepEqual(seen, outcome === 'pruned' ? [[A, undefined]] : []);
  });
}

test('an object whose kind is not served any more is forgotten, and is in no watch', () => {
  const { memory, seen } = record({ change: { ...leftChange('prune', A), kind: undefined }, outcome: 'pruned' });
  assert.deepEqual(factsOf(memory), [false, false, false]);
  assert.deepEqual(seen, []);
});

test('an object of another Application that was never ours leaves the inventory', () => {
  assert.equal(
    record({ change: changeOf('create', { id: A }), outcome: 'conflict' }).memory.inventory.ids?.has(KEY),
    false,
  );
  assert.equal(record({ change: UPDATE, outcome: 'conflict' }).memory.inventory.ids?.has(KEY), true);
});

test('an inventory that was not read stays unread', () => {
  const memory = memoryOfA();
  memory.inventory.ids = undefined;
  record({ change: leftChange('prune', A), outcome: 'pruned' }, memory);
  assert.equal(memory.inventory.ids, undefined);
});

test('the namespace is looked for again once an apply finds it missing', () => {
  const failed = (code: 'NamespaceMissing' | 'Forbidden'): ChangeResult => ({
    change: UPDATE,
    outcome: 'failed',
    ...refusedWith(code),
  });
  assert.equal(record(failed('NamespaceMissing')).memory.place.isNamespaceKnown, false);
  assert.equal(record(failed('Forbidden')).memory.place.isNamespaceKnown, true);
});

test('an object that did not change is not counted', () => {
  assert.deepEqual(record({ change: UPDATE, outcome: 'unchanged', live: LIVE }).counted, []);
  assert.deepEqual(record({ change: UPDATE, outcome: 'failed' }).counted, [['onChange', 'failed']]);
});

test('the Application that an object is taken from is woken, and only by an adoption', () => {
  const change = { ...changeOf('adopt', { id: A, live: LIVE }), takenFrom: OTHER_OWNER.ownerAnnotation };
  assert.deepEqual(record({ change, outcome: 'adopted', live: LIVE }).woken, ['apps/other']);
  assert.deepEqual(record({ change, outcome: 'failed' }).woken, []);
  assert.deepEqual(record({ change: UPDATE, outcome: 'adopted', live: LIVE }).woken, []);
});

test('a Job that the server accepted counts as started', () => {
  const id = idOf('migrate', { group: 'batch', kind: 'Job' });
  const memory = emptyMemory();
  memory.endedJobs.started = new Map();
  record({ change: changeOf('create', { id }), outcome: 'failed' }, memory);
  assert.deepEqual([...memory.endedJobs.started.keys()], []);
  record({ change: changeOf('create', { id }), outcome: 'created', live: liveOf({ id }) }, memory);
  assert.deepEqual([...memory.endedJobs.started.keys()], [idKey(id)]);
});
