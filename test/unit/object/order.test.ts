/** The order that annotations of other tools declare: how it is read, its edges, and cycles. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { idKey, type ObjectId } from '../../../src/object/identity.ts';
import { cycleIn, deletionEdgesOf, describeCycle, edgesOf, orderOf, type Ordered } from '../../../src/object/order.ts';
import { idOf } from '../../support/changes.ts';

const orderIn = (annotations: Record<string, string>) =>
  orderOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', annotations } });

const ordered = (name: string, annotations: Record<string, string> = {}): Ordered => ({
  id: idOf(name),
  order: orderIn(annotations),
});

/** `later<earlier` for each edge. */
function textsOf(edges: ReturnType<typeof edgesOf>): string[] {
  return [...(edges ?? [])]
    .flatMap(([later, earlier]) => [...earlier.keys()].map((other) => `${nameIn(later)}<${nameIn(other)}`))
    .sort();
}

const nameIn = (key: string): string => key.slice(key.lastIndexOf('/') + 1);

test('depends-on names objects of any group, with and without a namespace', () => {
  const text =
    '/namespaces/shop/Service/db, apps/namespaces/shop/Deployment/db,rbac.authorization.k8s.io/ClusterRole/x';
  assert.deepEqual(orderIn({ 'config.kubernetes.io/depends-on': text })?.dependsOn, [
    { group: '', kind: 'Service', namespace: 'shop', name: 'db' },
    { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'db' },
    { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', namespace: '', name: 'x' },
  ]);
  assert.equal(orderIn({ other: 'x' }), undefined);
});

test('an annotation that is not understood is a mistake with its text', () => {
  const { mistakes } = orderIn({
    'config.kubernetes.io/depends-on': 'Deployment/db',
    'kapp.k14s.io/change-rule': 'upsert whenever it fits',
  }) ?? { mistakes: [] };
  assert.match(
    mistakes.join('\n'),
    /Deployment\/db is not group\/Kind\/name[\s\S]*"upsert whenever it fits" is not a rule/,
  );
});

test('groups and rules of kapp become edges, several by suffixes', () => {
  const objects = [
    ordered('db', { 'kapp.k14s.io/change-group': 'databases' }),
    ordered('job', {
      'kapp.k14s.io/change-group.a': 'jobs',
      'kapp.k14s.io/change-rule.a': 'upsert after upserting databases',
      'kapp.k14s.io/change-rule.b': 'delete  before deleting databases',
      'kapp.k14s.io/change-rule.c': 'upsert after deleting databases',
    }),
    ordered('web', { 'kapp.k14s.io/change-rule': 'upsert after upserting jobs' }),
    ordered('first', { 'kapp.k14s.io/change-rule': 'upsert before upserting databases' }),
  ];
  assert.deepEqual(textsOf(edgesOf(objects)), ['db<first', 'job<db', 'web<job']);
  assert.deepEqual(textsOf(deletionEdgesOf(objects)), ['db<job']);
});

test('an object that depends on another is deleted before it', () => {
  const objects = [ordered('a'), ordered('b', { 'config.kubernetes.io/depends-on': '/namespaces/shop/ConfigMap/a' })];
  assert.deepEqual(textsOf(edgesOf(objects)), ['b<a']);
  assert.deepEqual(textsOf(deletionEdgesOf(objects)), ['a<b']);
  assert.equal(edgesOf([ordered('a'), ordered('c')]), undefined);
});

test('a cycle is found exactly if there is one, and is a path along edges back to its start', () => {
  const edge = fc.tuple(fc.nat(7), fc.nat(7)).filter(([a, b]) => a !== b);
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 14, size: 'max' }), (pairs) => {
      const edges = new Map<string, Map<string, ObjectId>>();
      for (const [later, earlier] of pairs) {
        const key = idKey(idOf(`o${later}`));
        const known = edges.get(key) ?? new Map<string, ObjectId>();
        edges.set(key, known.set(idKey(idOf(`o${earlier}`)), idOf(`o${earlier}`)));
      }
      const cycle = cycleIn(edges);
      // Without a cycle all objects go away, each once nothing before it is left.
      const left = new Map([...edges].map(([key, earlier]) => [key, new Set(earlier.keys())]));
      for (let round = 0; round < 8; round++) {
        for (const [key, earlier] of left) {
          for (const other of earlier) if (!left.has(other)) earlier.delete(other);
          if (earlier.size === 0) left.delete(key);
        }
      }
      assert.equal(cycle !== undefined, left.size > 0);
      for (const [at, id] of (cycle ?? []).entries()) {
        const next = cycle?.[at + 1];
        if (next) assert.ok(edges.get(idKey(id))?.has(idKey(next)));
      }
      if (cycle) assert.equal(idKey(cycle[0] as ObjectId), idKey(cycle.at(-1) as ObjectId));
    }),
  );
});

test('a chain of 20,000 objects is walked without recursion', () => {
  const id = (at: number) => idOf(`o${at}`);
  const edges = new Map(
    Array.from({ length: 20_000 }, (_, at) => [idKey(id(at)), new Map([[idKey(id(at + 1)), id(at + 1)]])] as const),
  );
  assert.equal(cycleIn(edges), undefined);
  edges.set(idKey(id(20_000)), new Map([[idKey(id(0)), id(0)]]));
  assert.match(
    describeCycle(cycleIn(edges) ?? []),
    /^ConfigMap shop\/o0 → ConfigMap shop\/o1 → .* → … → ConfigMap shop\/o0$/,
  );
});
