/** planGuarded: an Application that is renamed in the folder of another is pruned only once the new one is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeInventory } from '../../../../src/application/inventory.ts';
import { PRUNE_FINALIZER } from '../../../../src/application/keys.ts';
import type { Change } from '../../../../src/diff/changes.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import { finish } from '../../../../src/object/steps.ts';
import type { KubeObject, ValueMap } from '../../../../src/object/value.ts';
import { planGuarded } from '../../../../src/reconcile/decide/plan-guarded.ts';
import { createRecord } from '../../../../src/reconcile/memory.ts';
import { createRegistry } from '../../../../src/reconcile/neighbours/neighbours.ts';
import { applicationOf } from '../../../support/applications.ts';
import { changeOf, idOf, leftChange } from '../../../support/changes.ts';

const child = (name: string): ObjectId => ({ group: 'tautline.dev', kind: 'Application', namespace: 'apps', name });
const HELD = Array.from({ length: 20 }, (_, index) => idOf(`c-${index}`));

/** `known`: whether the watch of Applications has brought the new one, which desires all objects of the old one. */
function plan({ type, known }: { readonly type: 'create' | 'none'; readonly known: boolean }) {
  const registry = createRegistry({ clock: { now: () => 0, monotonicMs: () => 0 }, wake: () => undefined });
  const note = (name: string, holds: readonly ObjectId[]): void => {
    const stored = {
      apiVersion: 'tautline.dev/v1alpha1',
      kind: 'Application',
      metadata: { name, namespace: 'apps', uid: name, resourceVersion: '1', finalizers: [PRUNE_FINALIZER] },
      spec: { source: { repoURL: 'https://git.example.com/shop.git' } },
      status: { inventory: encodeInventory(holds) as unknown as ValueMap },
    } as KubeObject;
    registry.note(createRecord(`apps/${name}`, stored));
  };
  note('old', HELD);
  if (known) note('new', []);
  const ids = new Set(HELD.map(idKey));
  const statement = { commit: 'c', generation: 1, ids, isComplete: true, poll: { begunMs: 0, endedMs: 0 } };
  if (known) registry.neighbours.announce('apps/new', statement, false);
  const changes: Change[] = [leftChange('prune', child('old')), changeOf(type, { id: child('new') })];
  const steps = planGuarded(
    {
      application: applicationOf({}),
      goal: { intent: { mode: 'auto', prune: true, objects: undefined }, isDryRun: false } as never,
      neighbours: registry.neighbours,
      wantedBy: () => [],
      settings: { pruneGuard: { maxShare: 0.3, maxObjects: 10 } },
    },
    { changes, commit: 'c', standing: () => true, mode: 'auto', mayPrune: true, isComplete: true, objectsBefore: 22 },
  );
  return finish(steps).plan;
}

for (const [when, options] of [
  ['is still to be created', { type: 'create', known: false }],
  ['exists, and the watch of Applications has not brought it yet', { type: 'none', known: false }],
] as const) {
  test(`the old Application waits, and is not held, while the new one ${when}`, () => {
    const { held, prunes, waitingFor } = plan(options);
    assert.equal(held, undefined);
    assert.deepEqual(
      prunes.flatMap(({ changes }) => changes),
      [],
    );
    assert.ok(
      waitingFor.some(({ id, reason }) => id.name === 'old' && /once Application\S* apps\/new exists/.test(reason)),
    );
  });
}

test('the old Application is pruned once the new one has said that it desires the objects', () => {
  const { held, prunes } = plan({ type: 'none', known: true });
  assert.equal(held, undefined);
  assert.deepEqual(
    prunes.flatMap(({ changes }) => changes.map(({ change }) => change.id.name)),
    ['old'],
  );
});
