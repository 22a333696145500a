import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKindFinder, kindKey, type KindInfo, type Kinds } from '../../../src/cluster/kinds.ts';
import { deployments } from './sample-kinds.ts';

const inVersion = (version: string): KindInfo => ({ ...deployments, version });

function kindsOf(served: readonly KindInfo[], extra: Partial<Kinds> = {}): Kinds {
  const entries = served.map((info) => [kindKey(`${info.group}/${info.version}`, info.kind), info] as const);
  return { served: new Map(entries), stale: new Set(), preferred: new Map(), ...extra };
}

const id = { group: 'apps', kind: 'Deployment', namespace: 'shop' };

test('a kind is found in the preferred version of its group', () => {
  const kinds = kindsOf([inVersion('v1beta1'), inVersion('v1')], { preferred: new Map([['apps', 'v1']]) });
  assert.deepEqual(createKindFinder(kinds)(id), inVersion('v1'));
});

test('a kind is found in another version if the preferred one does not serve it', () => {
  const kinds = kindsOf([inVersion('v1beta1')], { preferred: new Map([['apps', 'v1']]) });
  assert.deepEqual(createKindFinder(kinds)(id), inVersion('v1beta1'));
});

test('an unserved kind is unavailable only while a version of its group does not answer', () => {
  assert.equal(createKindFinder(kindsOf([], { stale: new Set(['apps/v1']) }))(id), 'unavailable');
  assert.equal(createKindFinder(kindsOf([], { stale: new Set(['batch/v1']) }))(id), undefined);
  assert.equal(
    createKindFinder(kindsOf([], { stale: new Set(['v1']) }))({ ...id, group: '', kind: 'Pod' }),
    'unavailable',
  );
  assert.equal(createKindFinder(kindsOf([inVersion('v1')]))({ ...id, group: 'batch' }), undefined);
});

for (const isPreferred of [true, false]) {
  for (const isNamespaced of [true, false]) {
    const scope = isNamespaced ? 'namespaced' : 'cluster-scoped';
    test(`a kind that is ${scope} now, in ${isPreferred ? 'the preferred' : 'another'} version, fits objects of that scope only`, () => {
      const kind: KindInfo = { ...inVersion('v1'), isNamespaced };
      const find = createKindFinder(kindsOf([kind], isPreferred ? { preferred: new Map([['apps', 'v1']]) } : {}));
      assert.deepEqual(find({ ...id, namespace: 'shop' }), isNamespaced ? kind : undefined);
      assert.deepEqual(find({ ...id, namespace: '' }), isNamespaced ? undefined : kind);
    });
  }
}
