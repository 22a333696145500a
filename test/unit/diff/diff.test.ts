import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveEntry } from '../../../src/cluster/live.ts';
import { baselineOf } from '../../../src/diff/baseline.ts';
import type { ChangeType } from '../../../src/diff/changes.ts';
import { diffObjects, REASONS } from '../../../src/diff/diff.ts';
import { OWNER_ANNOTATION, ownerOf, PART_OF_LABEL } from '../../../src/object/applyset.ts';
import { idOf } from '../../../src/object/identity.ts';
import type { KubeObject, ValueMap } from '../../../src/object/value.ts';
import { ACCEPTED, desiredOf, judge, judgeLeftover, kindsOf, liveOf, memoryWith, ours, owner } from './fixtures.ts';

const configMap = ours('v1', 'ConfigMap', 'a', { data: { a: '1' } });

function marked(labels: ValueMap, annotations: ValueMap): KubeObject {
  const maps = Object.entries({ labels, annotations }).filter(([, map]) => Object.keys(map).length > 0);
  const metadata = { name: 'a', namespace: 'shop', ...Object.fromEntries(maps) };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: '1' } };
}

test('an object that is as desired needs no change', () => {
  assert.equal(judge(configMap, liveOf(configMap)).type, 'none');
});

test('an object that does not exist is created, with a reason if it is in the inventory', () => {
  const table: [LiveEntry, ChangeType, string | undefined][] = [
    [{ state: 'absent' }, 'create', REASONS.missing],
    [{ state: 'unseen' }, 'create', REASONS.unseen],
    [{ state: 'unknown', reason: 'the list failed' }, 'unknown', 'the list failed'],
  ];
  for (const [entry, type, reason] of table) {
    const change = judge(configMap, entry);
    assert.deepEqual([change.type, change.reason], [type, reason]);
  }
  const fresh = judge(configMap, { state: 'unseen' }, { inventory: new Map() });
  assert.deepEqual([fresh.type, fresh.reason], ['create', undefined]);
  assert.equal(judge(configMap, { state: 'unseen' }, { live: new Map() }).type, 'unknown');
});

test('a Job that ran to completion and was removed afterwards needs no change', () => {
  const memory = { ...ACCEPTED, runOf: () => 'ended' as const };
  for (const state of ['absent', 'unseen'] as const) {
    const change = judge(ours('batch/v1', 'Job', 'a'), { state }, { memory });
    assert.deepEqual([change.type, change.reason], ['none', REASONS.finished]);
  }
});

test('an object whose kind is not served yet is created', () => {
  const desired = { ...desiredOf(configMap), awaitsCrd: idOf(configMap) };
  const [change] = diffObjects({
    desired: { objects: [desired], problems: [], digest: '' },
    live: new Map(),
    inventory: new Map(),
    owner,
    memory: ACCEPTED,
    kinds: kindsOf(),
  });
  assert.equal(change?.type, 'create');
});

test('owner marks decide between conflict, adoption and update', () => {
  const other = ownerOf({ hubId: 'hub', namespace: 'shop', name: 'api' });
  const body = (label?: string, annotation?: string) =>
    marked(label ? { [PART_OF_LABEL]: label } : {}, annotation ? { [OWNER_ANNOTATION]: annotation } : {});
  const table: [string, KubeObject, boolean, ChangeType, RegExp][] = [
    ['another Application', body(other.applySetId, other.ownerAnnotation), false, 'conflict', /hub\/shop\/api/],
    [
      'another Application, though it was ours',
      body(other.applySetId, other.ownerAnnotation),
      true,
      'conflict',
      /hub\/shop\/api/,
    ],
    ['a foreign ApplySet', body('applyset-x-v1'), false, 'conflict', /applyset-x-v1/],
    ['no marks', body(), false, 'adopt', /without the owner marks/],
    ['marks that disagree', body('applyset-x-v1', other.ownerAnnotation), false, 'adopt', /without the owner marks/],
    ['our marks removed', body(), true, 'update', /^$/],
    ['our label removed', body(undefined, owner.ownerAnnotation), true, 'update', /^$/],
    ['our label changed', body('x', owner.ownerAnnotation), true, 'update', /^$/],
    ['our annotation removed', body(owner.applySetId), true, 'update', /^$/],
  ];
  for (const [title, live, isInInventory, type, reason] of table) {
    // A mark that another manager changed is no longer owned by us.
    const owned = title.endsWith('changed') ? marked({}, { [OWNER_ANNOTATION]: owner.ownerAnnotation }) : live;
    const change = judge(configMap, liveOf(live, { owned }), isInInventory ? {} : { inventory: new Map() });
    assert.equal(change.type, type, title);
    assert.match(change.reason ?? '', reason, title);
    if (type === 'update') assert.ok(change.fields.length > 0, title);
  }
});

test('an object of the inventory that others deleted and created again is adopted', () => {
  const live = liveOf(marked({}, {}), { owned: null });
  assert.equal(judge(configMap, live).type, 'adopt');
});

test('an object that another Application claimed first is a conflict, whether it exists or not', () => {
  const claims = () => 'shop/api';
  for (const entry of [liveOf(configMap), { state: 'absent' } as const]) {
    const change = judge(configMap, entry, { claims });
    assert.equal(change.type, 'conflict');
    assert.match(change.reason ?? '', /shop\/api/);
  }
});

test('an object that is being deleted is not changed until it is gone', () => {
  const terminating = ours('v1', 'ConfigMap', 'a', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
  const change = judge(configMap, liveOf(terminating));
  assert.deepEqual([change.type, change.reason], ['none', REASONS.terminating]);
});

test('a manifest that the server has never accepted is unsure even if nothing differs', () => {
  const memory = { ...ACCEPTED, isAccepted: () => false };
  const change = judge(configMap, liveOf(configMap), { memory });
  assert.deepEqual([change.type, change.reason], ['unsure', REASONS.neverAccepted]);
});

test('a value that a webhook or a default may have set is unsure until a baseline settles it', () => {
  const live = ours('v1', 'ConfigMap', 'a', { data: { a: 'changed at admission' } });
  const first = liveOf(live, { owned: configMap });
  assert.equal(judge(configMap, first).type, 'unsure');
  const desired = desiredOf(configMap);
  const memory = memoryWith(desired, baselineOf(desired, first));
  assert.equal(judge(configMap, first, { memory }).type, 'none');

  const status = liveOf({ ...live, status: { x: 1 } }, { owned: configMap, version: '2' });
  assert.equal(judge(configMap, status, { memory }).type, 'none', 'a status write keeps the baseline valid');
  const drifted = liveOf(ours('v1', 'ConfigMap', 'a', { data: { a: 'by hand' } }), { owned: configMap, version: '3' });
  assert.equal(judge(configMap, drifted, { memory }).type, 'update', 'a value other than the admitted one is drift');
  const changed = ours('v1', 'ConfigMap', 'a', { data: { a: '2' } });
  assert.equal(judge(changed, first, { memory }).type, 'unsure', 'a baseline belongs to one manifest');
});

test('a value that another manager took over is drift without further evidence, and names manager and time', () => {
  const live = ours('v1', 'ConfigMap', 'a', { data: { a: 'by hand' } });
  const owned = ours('v1', 'ConfigMap', 'a');
  const entry = {
    manager: 'kubectl-edit',
    operation: 'Update',
    fields: { 'f:data': { 'f:a': {} } },
    time: '2026-02-03T04:05:06Z',
  };
  const change = judge(configMap, liveOf(live, { owned, entries: [entry] }));
  assert.equal(change.type, 'update');
  assert.deepEqual(change.fields, [
    { path: '/data/a', desired: '1', live: 'by hand', manager: 'kubectl-edit', managedAt: '2026-02-03T04:05:06Z' },
  ]);
});

test('a settled change is kept as long as neither manifest nor live object changes', () => {
  const settled = new Map();
  const live = liveOf(configMap);
  const first = judge(configMap, live, { settled });
  assert.equal(settled.size, 1);
  assert.equal(judge(configMap, live, { settled }), first);
  const drifted = liveOf(ours('v1', 'ConfigMap', 'a'), { version: '2' });
  assert.equal(judge(configMap, drifted, { settled }).type, 'update');
  const changed = ours('v1', 'ConfigMap', 'a', { data: { a: '2' } });
  assert.equal(judge(changed, live, { settled }).type, 'unsure');
});

test('an object that left Git is pruned only with both our owner marks, and released if it belongs to others', () => {
  const other = ownerOf({ hubId: 'hub', namespace: 'shop', name: 'api' });
  const controlled = ours('v1', 'ConfigMap', 'a', { metadata: { ownerReferences: [{ controller: true }] } });
  const terminating = ours('v1', 'ConfigMap', 'a', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
  const table: [string, LiveEntry | KubeObject, ChangeType, RegExp][] = [
    ['ours', configMap, 'prune', /^$/],
    ['not seen', { state: 'unseen' }, 'prune', /^$/],
    ['terminating', terminating, 'prune', /being deleted/],
    ['gone', { state: 'absent' }, 'release', /no longer exists/],
    ['unknown', { state: 'unknown', reason: 'forbidden' }, 'unknown', /forbidden/],
    ['label removed', marked({}, { [OWNER_ANNOTATION]: owner.ownerAnnotation }), 'release', /no longer/],
    ['annotation removed', marked({ [PART_OF_LABEL]: owner.applySetId }, {}), 'release', /no longer/],
    [
      'of another',
      marked({ [PART_OF_LABEL]: other.applySetId }, { [OWNER_ANNOTATION]: other.ownerAnnotation }),
      'release',
      /hub\/shop\/api/,
    ],
    ['of a controller', controlled, 'release', /controller/],
  ];
  for (const [title, entry, type, reason] of table) {
    const change = judgeLeftover(configMap, 'state' in entry ? (entry as LiveEntry) : liveOf(entry));
    assert.equal(change.type, type, title);
    assert.match(change.reason ?? '', reason, title);
    assert.equal(change.kind?.kind, 'ConfigMap');
  }
  const claimed = judgeLeftover(configMap, liveOf(configMap), { claims: () => 'shop/api' });
  assert.deepEqual([claimed.type, claimed.reason], ['release', 'claimed by Application shop/api']);
});

test('an object is not pruned while its manifest has a problem, its API does not answer, or it was not observed', () => {
  const problem = { code: 'InvalidObject' as const, message: 'x', object: idOf(configMap) };
  const desired = { objects: [], problems: [problem], digest: '' };
  const silent = { ...kindsOf(), stale: new Set(['v1']) };
  assert.equal(judgeLeftover(configMap, liveOf(configMap), { desired }).type, 'unknown');
  assert.equal(judgeLeftover(configMap, liveOf(configMap), { kinds: silent }).type, 'unknown');
  assert.equal(judgeLeftover(configMap, liveOf(configMap), { live: new Map() }).type, 'unknown');
  const lacking = judgeLeftover(configMap, { state: 'unknown', reason: '' }, { kinds: kindsOf() });
  assert.equal(lacking.type, 'unknown', 'a starting API server does not serve all kinds yet');
  const gone = judgeLeftover(configMap, { state: 'absent' }, { kinds: kindsOf() });
  assert.deepEqual([gone.type, gone.kind], ['prune', undefined], 'its kind was removed, and its objects with it');
});

test('the kind of an object that left Git is looked up in the preferred version of its group', () => {
  const old = ours('autoscaling/v1', 'HorizontalPodAutoscaler', 'a');
  const kinds = {
    ...kindsOf(old, ours('autoscaling/v2', 'HorizontalPodAutoscaler', 'a')),
    preferred: new Map([['autoscaling', 'v2']]),
  };
  assert.equal(judgeLeftover(old, liveOf(old), { kinds }).kind?.version, 'v2');
});
