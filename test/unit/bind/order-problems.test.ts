/** Mistakes in the order that annotations declare, as problems with the place of the manifest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import { orderProblems } from '../../../src/bind/order-problems.ts';
import { orderOf } from '../../../src/object/order.ts';
import { desiredOf, idOf } from '../../support/changes.ts';

const DEPENDS_ON = 'config.kubernetes.io/depends-on';
const on = (...names: string[]) => ({
  [DEPENDS_ON]: names.map((name) => `/namespaces/shop/ConfigMap/${name}`).join(','),
});

function object(name: string, annotations: Record<string, string> = {}, wave = 0): DesiredObject {
  const order = orderOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations } });
  return { ...desiredOf({ id: idOf(name), policy: { wave } }), file: `${name}.yaml`, ...(order ? { order } : {}) };
}

const problemsOf = (...objects: DesiredObject[]): string[] =>
  orderProblems(objects).map(({ file, message }) => `${file}: ${message}`);

test('an order that can be kept is no problem', () => {
  assert.deepEqual(problemsOf(object('a'), object('b', on('a')), object('c', on('a', 'b'), 1)), []);
});

test('a cycle names its objects', () => {
  const rules = { 'kapp.k14s.io/change-group': 'g', 'kapp.k14s.io/change-rule': 'upsert after upserting h' };
  const last = object('c', { ...on('b'), 'kapp.k14s.io/change-group': 'h' });
  assert.deepEqual(problemsOf(object('a', rules), object('b', on('a')), last), [
    'a.yaml: The order of objects is a cycle: ConfigMap shop/a → ConfigMap shop/c → ConfigMap shop/b → ConfigMap shop/a.',
  ]);
});

test('a wave against the order, an unknown object and a malformed annotation are problems of the object', () => {
  assert.match(
    problemsOf(object('a', on('b')), object('b', {}, 1)).join(),
    /^a.yaml: .*shop\/a has to wait for .*later wave/,
  );
  assert.match(
    problemsOf(object('a', on('gone'))).join(),
    /^a.yaml: .* depends on ConfigMap shop\/gone, which is not part/,
  );
  assert.match(problemsOf(object('a', { [DEPENDS_ON]: 'x' })).join(), /^a.yaml: .*depends-on: x is not group/);
});
