import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../../../src/diff/changes.ts';
import type { ObjectId } from '../../../src/object/identity.ts';
import type { Value } from '../../../src/object/value.ts';
import { homesOf, indexHomes } from '../../../src/plan/homes.ts';
import { kindOf } from '../../support/changes.ts';

const CRD_GROUP = 'apiextensions.k8s.io';

function idOf(group: string, kind: string, namespace: string, name: string): ObjectId {
  return { group, kind, namespace, name };
}

function changeOf(id: ObjectId, spec?: Value): Change {
  const kind = kindOf(id);
  const body = { apiVersion: 'v1', kind: id.kind, metadata: { name: id.name }, ...(spec !== undefined && { spec }) };
  const desired = { id, kind, body, digest: 'd', file: 'f.yaml', line: 1 };
  return { type: 'create', id, kind, fields: [], desired };
}

const SHOP = idOf('', 'Namespace', '', 'shop');
const WIDGETS = idOf(CRD_GROUP, 'CustomResourceDefinition', '', 'widgets.example.com');
const DEFINES_WIDGET = { group: 'example.com', names: { kind: 'Widget' } };
const homes = indexHomes([changeOf(SHOP), changeOf(WIDGETS, DEFINES_WIDGET)]);

const REQUIRED: Readonly<Record<string, readonly [ObjectId, readonly ObjectId[]]>> = {
  'a custom resource requires its Namespace and its definition': [
    idOf('example.com', 'Widget', 'shop', 'first'),
    [SHOP, WIDGETS],
  ],
  'a custom resource in a namespace that is not in Git requires only its definition': [
    idOf('example.com', 'Widget', 'other', 'first'),
    [WIDGETS],
  ],
  'a cluster-scoped custom resource requires only its definition': [
    idOf('example.com', 'Widget', '', 'first'),
    [WIDGETS],
  ],
  'an object of a built-in kind requires only its Namespace': [idOf('', 'ConfigMap', 'shop', 'a'), [SHOP]],
  'a kind with the same name in another group requires no definition': [
    idOf('example.org', 'Widget', 'shop', 'first'),
    [SHOP],
  ],
  'a Namespace requires nothing': [SHOP, []],
  'a definition requires nothing': [WIDGETS, []],
};

for (const [name, [id, required]] of Object.entries(REQUIRED)) {
  test(name, () => assert.deepEqual(homesOf(id, homes), required));
}

test('a kind of another group named Namespace is not the home of any object', () => {
  const foreign = indexHomes([changeOf(idOf('example.com', 'Namespace', '', 'shop'))]);
  assert.deepEqual(homesOf(idOf('', 'ConfigMap', 'shop', 'a'), foreign), []);
});

test('a definition without a group or a kind is not the home of any object', () => {
  for (const spec of [undefined, {}, { group: 'example.com' }, { names: { kind: 'Widget' } }]) {
    assert.equal(indexHomes([changeOf(WIDGETS, spec)]).definitions.size, 0);
  }
});

test('a definition that is no longer desired is not the home of any object', () => {
  const { desired: _left, ...change } = changeOf(WIDGETS, DEFINES_WIDGET);
  assert.equal(indexHomes([{ ...change, type: 'prune' }]).definitions.size, 0);
});
