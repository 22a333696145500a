import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  appliedFieldsOf,
  fieldNodeAt,
  isLeaf,
  keyedMembers,
  listTypeOf,
  setMembers,
} from '../../../src/object/field-set.ts';
import type { KubeObject } from '../../../src/object/value.ts';

const fields = {
  'f:metadata': { 'f:finalizers': { 'v:"a/b"': {} }, 'f:labels': { '.': {}, 'f:app': {} } },
  'f:spec': {
    'f:selector': {},
    'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {}, 'f:name': {} } },
  },
};

test('a path is followed through fields, list items and set members', () => {
  const web = { name: 'web', image: 'x' };
  assert.ok(fieldNodeAt(fields, ['spec', 'containers', { item: web }, 'image']));
  assert.ok(fieldNodeAt(fields, ['metadata', 'finalizers', { item: 'a/b' }]));
  assert.equal(fieldNodeAt(fields, ['spec', 'containers', { item: web }, 'command']), undefined);
  assert.equal(fieldNodeAt(fields, ['spec', 'containers', { item: { name: 'api' } }]), undefined);
  assert.equal(fieldNodeAt(fields, ['metadata', 'finalizers', { item: 'c' }]), undefined);
});

test('a leaf covers everything below it', () => {
  assert.ok(fieldNodeAt(fields, ['spec', 'selector', 'matchLabels', 'app']));
  assert.ok(isLeaf({}) && isLeaf({ '.': {} }) && !isLeaf({ 'f:a': {} }));
});

test('the items of a keyed list and the values of a set are read from the names of the members', () => {
  assert.deepEqual(
    keyedMembers(fields['f:spec']['f:containers']).map(({ key }) => key),
    [{ name: 'web' }],
  );
  assert.deepEqual(setMembers(fields['f:metadata']['f:finalizers']), ['a/b']);
  assert.equal(listTypeOf(fields['f:spec']['f:containers']), 'keyed');
  assert.equal(listTypeOf(fields['f:metadata']['f:finalizers']), 'set');
  assert.equal(listTypeOf(fields['f:spec']), undefined);
  assert.deepEqual(keyedMembers({ 'k:{broken': {} }), []);
});

test('only an apply to the object itself counts as the applied fields of a manager', () => {
  const entry = (manager: string, operation: string, extra = {}) => ({
    manager,
    operation,
    apiVersion: 'v1',
    fieldsV1: { 'f:data': {} },
    ...extra,
  });
  const object = (...managedFields: object[]) =>
    ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', managedFields } }) as unknown as KubeObject;
  assert.ok(appliedFieldsOf(object(entry('other', 'Apply'), entry('tautline', 'Apply')), 'tautline'));
  assert.equal(appliedFieldsOf(object(entry('tautline', 'Update')), 'tautline'), undefined);
  assert.equal(appliedFieldsOf(object(entry('tautline', 'Apply', { subresource: 'status' })), 'tautline'), undefined);
  assert.equal(appliedFieldsOf(object({}), 'tautline'), undefined);
});
