/** The objects behind Applications that left Git. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeInventory } from '../../../../src/application/inventory.ts';
import { PRUNE_FINALIZER } from '../../../../src/application/keys.ts';
import type { Change } from '../../../../src/diff/changes.ts';
import { formatId, idKey, type ObjectId } from '../../../../src/object/identity.ts';
import type { KubeObject, ValueMap } from '../../../../src/object/value.ts';
import { objectsBehind } from '../../../../src/reconcile/decide/objects-behind.ts';
import { createRecord } from '../../../../src/reconcile/memory.ts';
import { createRegistry } from '../../../../src/reconcile/neighbours/neighbours.ts';

const child = (name: string): ObjectId => ({
  group: 'tautline.dev',
  kind: 'Application',
  namespace: 'apps',
  name,
});
const configMap = (name: string): ObjectId => ({ group: '', kind: 'ConfigMap', namespace: 'a', name });

interface Stored {
  readonly holds?: readonly ObjectId[];
  readonly spec?: ValueMap;
  readonly metadata?: ValueMap;
  readonly inventory?: ValueMap;
  /** Names of ConfigMaps that it desires. */
  readonly desires?: readonly string[];
}

/** The objects behind the Application `child`, for people; `waiting` names an Application that waits for `a`. */
function behind(applications: Readonly<Record<string, Stored>>, waiting?: string) {
  const registry = createRegistry({ clock: { now: () => 0, monotonicMs: () => 0 }, wake: () => undefined });
  for (const [name, { holds = [], spec, metadata, inventory, desires }] of Object.entries(applications)) {
    const stored = {
      apiVersion: 'tautline.dev/v1alpha1',
      kind: 'Application',
      metadata: {
        name,
        namespace: 'apps',
        uid: name,
        resourceVersion: '1',
        finalizers: [PRUNE_FINALIZER],
        ...metadata,
      },
      spec: { source: { repoURL: 'https://git.example.com/shop.git' }, ...spec },
      status: { inventory: inventory ?? (encodeInventory(holds) as unknown as ValueMap) },
    } as KubeObject;
    registry.note(createRecord(`apps/${name}`, stored));
    const ids = new Set((desires ?? []).map((each) => idKey(configMap(each))));
    const poll = { begunMs: 0, endedMs: 0 };
    const statement = { commit: 'c', generation: 1, ids, isComplete: true, poll };
    if (desires) registry.neighbours.announce(`apps/${name}`, statement, false);
  }
  const changes: Change[] = [{ type: 'prune', id: child('child'), kind: undefined, fields: [] }];
  const wantedBy = (id: ObjectId) => (waiting !== undefined && id.name === 'a' ? [`apps/${waiting}`] : []);
  const found = objectsBehind({ changes, neighbours: registry.neighbours, wantedBy, standing: () => true }).get(
    idKey(child('child')),
  );
  return { names: found?.ids.map(formatId), uncounted: found?.uncounted };
}

const HOLDS = [configMap('a'), configMap('b')];
const TWO = ['ConfigMap a/a', 'ConfigMap a/b'];

test('all objects of the inventory are behind an Application', () => {
  assert.deepEqual(behind({ child: { holds: HOLDS } }), { names: TWO, uncounted: undefined });
});

const NOTHING: Readonly<Record<string, Stored>> = {
  'with deletionPolicy Orphan': { spec: { deletionPolicy: 'Orphan' } },
  'that was told not to prune': { spec: { sync: { prune: false } } },
  'that only detects': { spec: { sync: { mode: 'detect' } } },
  'that is suspended': { spec: { suspend: true } },
  'with a spec that cannot be read': { spec: { suspend: 'perhaps' } },
  'without the finalizer': { metadata: { finalizers: [] } },
  'that is being deleted': { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
};
for (const [name, stored] of Object.entries(NOTHING)) {
  test(`an Application ${name} has nothing behind it`, () => {
    assert.equal(behind({ child: { holds: HOLDS, ...stored } }).names, undefined);
  });
}

for (const sync of [{ prune: false }, { mode: 'detect' }]) {
  test(`deletionPolicy Prune counts before ${JSON.stringify(sync)}`, () => {
    assert.deepEqual(behind({ child: { holds: HOLDS, spec: { deletionPolicy: 'Prune', sync } } }).names, TWO);
  });
}

test('an Application that the agent does not know has nothing behind it', () => {
  assert.equal(behind({}).names, undefined);
});

test('Applications behind an Application are followed, and those that hold each other end the search', () => {
  const { names } = behind({
    child: { holds: [configMap('a'), child('grandchild')] },
    grandchild: { holds: [configMap('b'), child('child'), child('grandchild')] },
  });
  assert.deepEqual(names, ['ConfigMap a/a', 'Application.tautline.dev apps/grandchild', 'ConfigMap a/b']);
});

test('an inventory that cannot be read is told', () => {
  const { uncounted } = behind({ child: { inventory: { gzip: 'damaged' } } });
  assert.equal(uncounted, 'the inventory of Application apps/child cannot be read');
});

test('more Applications than are looked at are told', () => {
  const many = Array.from({ length: 1_001 }, (_, n) => child(`n${n}`));
  assert.match(behind({ child: { holds: many } }).uncounted ?? '', /more than 1000 Applications/);
});

test('objects that an Application which stays desires or waits for go over to it', () => {
  assert.deepEqual(behind({ child: { holds: HOLDS }, renamed: { desires: ['a'] } }).names, ['ConfigMap a/b']);
  assert.deepEqual(behind({ child: { holds: HOLDS } }, 'renamed').names, ['ConfigMap a/b']);
  assert.equal(behind({ child: { holds: HOLDS }, renamed: { desires: ['a', 'b'] } }).names, undefined);
});

test('objects that only an Application in mode detect or one that goes as well desires are lost', () => {
  const reporting = { desires: ['a', 'b'], spec: { sync: { mode: 'detect' } } };
  assert.deepEqual(behind({ child: { holds: HOLDS }, reporting }).names, TWO);
  const holds = [...HOLDS, child('twin')];
  const twin = { desires: ['a', 'b'] };
  assert.deepEqual(behind({ child: { holds }, twin }).names?.slice(0, 2), TWO);
});
