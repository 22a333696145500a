import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import type { Change, ChangeType } from '../../../src/diff/changes.ts';
import { idKey, type ObjectId } from '../../../src/object/identity.ts';
import { hasEffects, planChanges, plannedIds, type PlanOptions } from '../../../src/plan/plan.ts';
import { WAVES } from '../../../src/plan/waves.ts';
import { kindOf, planOptions } from '../../support/changes.ts';

const KINDS = [
  ['', 'Namespace'],
  ['apiextensions.k8s.io', 'CustomResourceDefinition'],
  ['', 'ServiceAccount'],
  ['', 'ConfigMap'],
  ['', 'Service'],
  ['apps', 'Deployment'],
  ['example.com', 'Widget'],
  ['admissionregistration.k8s.io', 'ValidatingWebhookConfiguration'],
] as const;
const CLUSTER_SCOPED = new Set(['Namespace', 'CustomResourceDefinition', 'ValidatingWebhookConfiguration']);

function changeOf(type: ChangeType, id: ObjectId, more: Partial<Change> = {}): Change {
  const spec = { group: 'example.com', names: { kind: 'Widget' } };
  const body = { apiVersion: 'v1', kind: id.kind, metadata: { name: id.name }, spec };
  const desired: DesiredObject = { id, kind: kindOf(id), body, digest: 'd', file: 'f.yaml', line: 1 };
  const isLeft = type === 'prune' || type === 'release';
  return { type, id, kind: kindOf(id), fields: [], ...(isLeft ? {} : { desired }), ...more };
}

const options = (changes: readonly Change[], more: Partial<PlanOptions> = {}): PlanOptions =>
  planOptions(changes, { guard: { maxShare: 0.3, maxObjects: 10 }, ...more });

const anyId: fc.Arbitrary<ObjectId> = fc
  .record({
    kind: fc.constantFrom(...KINDS),
    namespace: fc.constantFrom('a', 'b'),
    name: fc.constantFrom('a', 'b', 'c'),
  })
  .map(({ kind: [group, kind], namespace, name }) => ({
    group,
    kind,
    namespace: CLUSTER_SCOPED.has(kind) ? '' : namespace,
    name,
  }));

const anyType = fc.constantFrom<ChangeType>(
  ...(['create', 'update', 'adopt', 'prune', 'release', 'conflict', 'unsure', 'none', 'unknown'] as const),
);
const anyChanges = fc
  .uniqueArray(anyId, { selector: idKey, maxLength: 30, size: 'max' })
  .chain((ids) => fc.tuple(...ids.map((id) => anyType.map((type) => changeOf(type, id)))));

test('a plan sends an object after the objects that it requires, and prunes in reverse order of kinds', () => {
  fc.assert(
    fc.property(anyChanges, (changes) => {
      const plan = planChanges(options(changes, { isConfirmed: true }));
      const position = new Map<string, number>();
      plan.waves.forEach((wave, index) => wave.changes.forEach(({ change }) => position.set(idKey(change.id), index)));
      for (const wave of plan.waves) {
        for (const { change, requires } of wave.changes) {
          for (const needed of requires) {
            const before = position.get(idKey(needed));
            assert.ok(before !== undefined && before < (position.get(idKey(change.id)) ?? -1));
          }
        }
      }
      const order = new Map(WAVES.map(({ name }, index) => [name, index]));
      const names = plan.prunes.map(({ name }) => order.get(name) ?? -1);
      assert.deepEqual(
        names,
        names.toSorted((a, b) => b - a),
      );
    }),
  );
});

test('every change with an effect is planned at most once, and no other change', () => {
  const effects: readonly ChangeType[] = ['create', 'update', 'adopt', 'unsure'];
  fc.assert(
    fc.property(anyChanges, (changes) => {
      const plan = planChanges(options(changes, { isConfirmed: true }));
      const sent = plan.waves.flatMap((wave) => wave.changes.map(({ change }) => change));
      const pruned = plan.prunes.flatMap((wave) => wave.changes.map(({ change }) => change));
      assert.equal(
        new Set([...sent, ...pruned, ...plan.releases]).size,
        sent.length + pruned.length + plan.releases.length,
      );
      assert.equal(sent.length, changes.filter(({ type }) => effects.includes(type)).length);
      const isHeldBack = changes.some(({ type, desired }) => type === 'conflict' || desired?.awaitsCrd);
      assert.equal(pruned.length, isHeldBack ? 0 : changes.filter(({ type }) => type === 'prune').length);
      assert.deepEqual(plannedIds(plan).map(idKey).sort(), sent.map(({ id }) => idKey(id)).sort());
    }),
  );
});

test('incomplete knowledge deletes and releases nothing, prune: false deletes nothing, mode detect plans nothing', () => {
  fc.assert(
    fc.property(anyChanges, fc.boolean(), (changes, isConfirmed) => {
      const incomplete = planChanges(options(changes, { isComplete: false, isConfirmed }));
      assert.equal(incomplete.prunes.length + incomplete.releases.length, 0);
      assert.equal(planChanges(options(changes, { mayPrune: false, isConfirmed })).prunes.length, 0);
      assert.equal(hasEffects(planChanges(options(changes, { mode: 'detect', isConfirmed }))), false);
    }),
  );
});

const configMaps = (count: number): Change[] =>
  Array.from({ length: count }, (_, n) =>
    changeOf('prune', { group: '', kind: 'ConfigMap', namespace: 'a', name: `m${n}` }),
  );

test('many prunes, or the prune of one Namespace, wait for a confirmation', () => {
  assert.equal(planChanges(options(configMaps(11), { objectsBefore: 36 })).held?.changes.length, 11);
  assert.equal(planChanges(options(configMaps(11), { objectsBefore: 37 })).held, undefined);
  assert.equal(planChanges(options(configMaps(10), { objectsBefore: 10 })).held, undefined);
  assert.equal(planChanges(options(configMaps(11), { objectsBefore: 11, isConfirmed: true })).held, undefined);
  const namespace = changeOf('prune', { group: '', kind: 'Namespace', namespace: '', name: 'n' });
  const held = planChanges(options([namespace, ...configMaps(1)]));
  assert.equal(held.prunes.length, 0);
  assert.match(held.held?.reason ?? '', /Namespace n would delete everything/);
});

test('the prune of an object that is being deleted needs no confirmation', () => {
  const id = { group: '', kind: 'Namespace', namespace: '', name: 'n' };
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } };
  const live: LiveObject = { id, apiVersion: 'v1', uid: 'u', resourceVersion: '1', deletionTimestamp: 't', body };
  const plan = planChanges(options([changeOf('prune', id, { live })]));
  assert.equal(plan.held, undefined);
  assert.equal(plan.prunes.length, 1);
});

test('an object whose kind is not served yet waits and is not planned', () => {
  const crd = { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition', namespace: '', name: 'widgets' };
  const id = { group: 'example.com', kind: 'Widget', namespace: 'a', name: 'w' };
  const waiting = changeOf('create', id);
  const desired = { ...(waiting.desired as DesiredObject), awaitsCrd: crd };
  const plan = planChanges(options([changeOf('create', crd), { ...waiting, desired }]));
  assert.deepEqual(plannedIds(plan), [crd]);
  assert.deepEqual(
    plan.waitingFor.map(({ id: waits }) => waits),
    [id],
  );
});

test('postponed changes are neither pruned nor applied, and are listed as waiting', () => {
  const [left, wanted, other] = ['left', 'wanted', 'other'].map((name) => ({
    group: '',
    kind: 'ConfigMap',
    namespace: 'a',
    name,
  })) as [ObjectId, ObjectId, ObjectId];
  const changes = [changeOf('prune', left), changeOf('conflict', wanted), changeOf('update', other)];
  const postponed = new Map(
    [left, wanted].map((id) => [idKey(id), 'another Application must read the revision first']),
  );
  const plan = planChanges(options(changes, { postponed }));
  assert.deepEqual(plannedIds(plan), [other]);
  assert.deepEqual(plan.prunes, []);
  assert.deepEqual(plan.waitingFor.map(({ id }) => id.name).sort(), ['left', 'wanted']);
});

test('an object that the Application never prunes is held, also after a confirmation, and holds back nothing else', () => {
  const [self, other] = [
    { group: '', kind: 'Namespace', namespace: '', name: 'a' },
    { group: '', kind: 'ConfigMap', namespace: 'a', name: 'other' },
  ] as const;
  const changes = [changeOf('prune', self, { keptFor: 'this Application lives in it' }), changeOf('prune', other)];
  for (const isConfirmed of [false, true]) {
    const plan = planChanges(options(changes, { isConfirmed }));
    assert.deepEqual(
      plan.prunes.flatMap(({ changes: pruned }) => pruned.map(({ change }) => change.id)),
      [other],
    );
    assert.match(plan.held?.reason ?? '', /^Namespace a left Git and is not deleted: this Application lives in it; /);
  }
});

test('prunes yield their place only where no guard, other Application or kind forbids it', () => {
  const id = (kind: string, name: string): ObjectId => ({ group: '', kind, namespace: 'a', name });
  const withLive = (change: Change): Change => ({
    ...change,
    live: {
      id: change.id,
      apiVersion: 'v1',
      uid: 'u',
      resourceVersion: '1',
      body: { apiVersion: 'v1', kind: change.id.kind, metadata: { name: change.id.name } },
    },
  });
  const [service, waits] = [id('Service', 'old'), id('Service', 'waits')];
  const changes = [service, waits].map((each) => withLive(changeOf('prune', each)));
  const names = (more: Partial<PlanOptions>, of: readonly Change[] = changes): string[] =>
    (planChanges(options(of, more)).yielding ?? []).map(({ id: { name } }) => name);
  assert.deepEqual(names({}), ['old', 'waits']);
  assert.deepEqual(names({ postponed: new Map([[idKey(waits), 'another Application reads the revision']]) }), ['old']);
  assert.deepEqual(names({ guard: { maxShare: 0, maxObjects: 1 } }), []);
  assert.deepEqual(names({ mayPrune: false }), []);
  assert.deepEqual(names({ isComplete: false }), []);
  const claim = withLive(changeOf('prune', id('PersistentVolumeClaim', 'data')));
  assert.deepEqual(names({ isConfirmed: true }, [...changes, claim]), ['old', 'waits']);
});
