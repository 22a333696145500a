/** Edges between single objects in a plan, as laws. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Change } from '../../../src/diff/changes.ts';
import { idKey } from '../../../src/object/identity.ts';
import { orderOf } from '../../../src/object/order.ts';
import { planChanges, plannedIds } from '../../../src/plan/plan.ts';
import { changeOf, idOf, leftChange, liveOf, planOptions } from '../../support/changes.ts';

const DEPENDS_ON = 'config.kubernetes.io/depends-on';
const reference = (at: number): string => `/namespaces/shop/ConfigMap/o${at}`;

interface Node {
  readonly type: 'create' | 'update' | 'none';
  readonly wave: number;
  readonly isWell: boolean;
  readonly isAccepted: boolean;
  /** Numbers of nodes before it. */
  readonly after: readonly number[];
}

/** Edges lead to lower numbers, and no wave is against them. */
const anyNodes: fc.Arbitrary<readonly Node[]> = fc
  .array(
    fc.record({
      type: fc.constantFrom('create' as const, 'update' as const, 'none' as const),
      wave: fc.constantFrom(0, 0, 1),
      isWell: fc.boolean(),
      isAccepted: fc.boolean(),
      after: fc.array(fc.nat(9), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 10, size: 'max' },
  )
  .map((nodes) => nodes.map((node, at) => ({ ...node, after: node.after.filter((other) => other < at) })));

function changesOf(nodes: readonly Node[], isOrdered: boolean): Change[] {
  return nodes.map(({ type, wave, after }, at) => {
    const change = changeOf(type, { id: idOf(`o${at}`), policy: { wave } });
    if (!isOrdered || after.length === 0 || !change.desired) return change;
    const annotations = { [DEPENDS_ON]: after.map(reference).join(',') };
    const order = orderOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', annotations } });
    return { ...change, desired: { ...change.desired, ...(order ? { order } : {}) } };
  });
}

function planOf(nodes: readonly Node[], isOrdered: boolean) {
  const gate = {
    unwell: new Map(nodes.flatMap(({ isWell }, at) => (isWell ? [] : [[idKey(idOf(`o${at}`)), 'it is Degraded']]))),
    isAccepted: ({ id }: Change) => nodes[Number(id.name.slice(1))]?.isAccepted === true,
  };
  return planChanges(planOptions(changesOf(nodes, isOrdered), { gate }));
}

test('a new manifest is sent only after each object before it is applied and well, and heals always', () => {
  fc.assert(
    fc.property(anyNodes, (nodes) => {
      const sent = new Set(plannedIds(planOf(nodes, true)).map(({ name }) => Number(name.slice(1))));
      const isSettled = (at: number): boolean => {
        const node = nodes[at];
        return node !== undefined && (node.type === 'none' || node.isAccepted) && node.isWell;
      };
      for (const [at, { after, isAccepted, type }] of nodes.entries()) {
        if (sent.has(at) && !isAccepted) assert.ok(after.every(isSettled), `o${at} is sent too early`);
        if (isAccepted && type !== 'none') assert.ok(sent.has(at), `o${at} is healed`);
      }
    }),
  );
});

test('without an edge the plan is the same, and an edge only lets more wait', () => {
  fc.assert(
    fc.property(anyNodes, (nodes) => {
      const bare = nodes.map((node) => ({ ...node, after: [] }));
      assert.deepEqual(planOf(bare, true), planOf(nodes, false));
      const free = new Set(plannedIds(planOf(nodes, false)).map(idKey));
      assert.ok(plannedIds(planOf(nodes, true)).every((id) => free.has(idKey(id))));
    }),
  );
});

test('everything is sent in the end: each pass settles what it sent', () => {
  fc.assert(
    fc.property(anyNodes, (nodes) => {
      let left: readonly Node[] = nodes.map((node) => ({ ...node, isWell: true, isAccepted: node.type === 'none' }));
      for (let pass = 0; pass < 25 && left.some(({ type }) => type !== 'none'); pass++) {
        const sent = new Set(plannedIds(planOf(left, true)).map(({ name }) => Number(name.slice(1))));
        left = left.map((node, at) => (sent.has(at) ? { ...node, type: 'none', isAccepted: true } : node));
      }
      const isAgainstWaves = nodes.some(({ after, wave }) => after.some((at) => (nodes[at]?.wave ?? 0) > wave));
      if (!isAgainstWaves) assert.ok(left.every(({ type }) => type === 'none'));
    }),
  );
});

test('an object that waits names the one before it', () => {
  const nodes: Node[] = [
    { type: 'none', wave: 0, isWell: false, isAccepted: true, after: [] },
    { type: 'create', wave: 0, isWell: true, isAccepted: false, after: [0] },
  ];
  assert.deepEqual(
    planOf(nodes, true).waitingFor.map(({ reason }) => reason),
    ['it waits for ConfigMap shop/o0: it is Degraded'],
  );
});

test('objects are deleted before those that they depend on, whatever their waves', () => {
  fc.assert(
    fc.property(anyNodes, (nodes) => {
      const changes = nodes.map(({ after, wave }, at) => {
        const annotations = {
          'argocd.argoproj.io/sync-wave': String(wave),
          ...(after.length > 0 ? { [DEPENDS_ON]: after.map(reference).join(',') } : {}),
        };
        return { ...leftChange('prune', idOf(`o${at}`)), live: liveOf({ id: idOf(`o${at}`), annotations }) };
      });
      const { prunes } = planChanges(planOptions(changes, { isConfirmed: true }));
      const place = new Map(
        prunes.flatMap((wave, at) => wave.changes.map(({ change }) => [change.id.name, at] as const)),
      );
      assert.equal(place.size, nodes.length);
      for (const [at, { after }] of nodes.entries()) {
        for (const other of after) assert.ok((place.get(`o${at}`) ?? 0) < (place.get(`o${other}`) ?? 0));
      }
    }),
  );
});
