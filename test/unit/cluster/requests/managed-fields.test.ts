import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  moveManagedFields,
  takeFieldsOf,
  takeOverManagedFields,
  unionFields,
} from '../../../../src/cluster/requests/managed-fields.ts';
import { cloneValue, type KubeObject, type Value, type ValueMap } from '../../../../src/object/value.ts';

const TIME = '2026-01-02T03:04:05Z';

function entry(manager: string, operation: string, fieldsV1: Value, subresource?: string): Value {
  return {
    manager,
    operation,
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(subresource && { subresource }),
  };
}

function object(...managedFields: Value[]): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', managedFields } };
}

const data = (key: string): Value => ({ 'f:data': { '.': {}, [`f:${key}`]: {} } });

test('a take-over joins our entry and those of tools that apply whole manifests into one', () => {
  const foreign = [
    entry('kubectl-rollout', 'Update', data('r')),
    entry('kubectl-scale', 'Update', data('s')),
    entry('kubectl', 'Update', data('k')),
    entry('helm', 'Update', data('h'), 'status'),
    entry('hpa', 'Apply', data('p')),
  ];
  const result = takeOverManagedFields(
    object(
      entry('kubectl-client-side-apply', 'Update', data('a')),
      ...foreign,
      entry('tautline', 'Apply', data('b')),
      entry('kubectl', 'Apply', data('c')),
      entry('before-first-apply', 'Update', data('a')),
    ),
    TIME,
  );
  assert.deepEqual(
    cloneValue(result ?? []),
    cloneValue([
      ...foreign,
      {
        ...(entry('tautline', 'Apply', { 'f:data': { '.': {}, 'f:b': {}, 'f:a': {}, 'f:c': {} } }) as object),
        time: TIME,
      },
    ]),
  );
});

test('there is nothing to take over from other managers or from ourselves', () => {
  assert.equal(
    takeOverManagedFields(object(entry('tautline', 'Apply', {}), entry('hpa', 'Update', {})), TIME),
    undefined,
  );
  assert.equal(takeOverManagedFields(object(), TIME), undefined);
});

test('field sets are united deeply, with the keys of lists, and neither set is written to', () => {
  const a = { 'f:spec': { 'k:{"name":"x"}': { '.': {}, 'f:image': {} } } };
  const b = { 'f:spec': { 'k:{"name":"x"}': { 'f:env': {} }, 'k:{"name":"y"}': { '.': {} } } };
  const before = JSON.stringify([a, b]);
  assert.deepEqual(JSON.parse(JSON.stringify(unionFields(a, b))), {
    'f:spec': { 'k:{"name":"x"}': { '.': {}, 'f:image': {}, 'f:env': {} }, 'k:{"name":"y"}': { '.': {} } },
  });
  assert.equal(JSON.stringify([a, b]), before);
});

/** An entry in another version. */
const inVersion = (apiVersion: string, of: Value): Value => ({ ...(of as ValueMap), apiVersion });

test('the fields of a version that is gone are moved for every manager, and those of other versions stay', () => {
  const moved = moveManagedFields(
    object(
      inVersion('x/v1beta1', entry('tautline', 'Apply', data('a'))),
      inVersion('x/v1beta1', entry('kubectl-patch', 'Update', data('b'))),
      inVersion('x/v2', entry('controller', 'Update', data('c'), 'status')),
    ),
    { isGone: (version) => version === 'x/v1beta1', to: 'x/v1' },
  );
  assert.deepEqual(
    cloneValue(moved ?? null),
    cloneValue([
      inVersion('x/v1', entry('tautline', 'Apply', data('a'))),
      inVersion('x/v1', entry('kubectl-patch', 'Update', data('b'))),
      inVersion('x/v2', entry('controller', 'Update', data('c'), 'status')),
    ]),
  );
});

test('entries of one manager in the old and the new version become one, but not those of a subresource', () => {
  const moved = moveManagedFields(
    object(
      inVersion('x/v1', entry('tautline', 'Apply', data('a'))),
      inVersion('x/v1beta1', entry('tautline', 'Apply', data('b'))),
      inVersion('x/v1beta1', entry('tautline', 'Apply', data('c'), 'status')),
      inVersion('x/v1beta1', entry('tautline', 'Update', data('d'))),
    ),
    { isGone: (version) => version === 'x/v1beta1', to: 'x/v1' },
  );
  assert.deepEqual(
    cloneValue(moved ?? null),
    cloneValue([
      inVersion('x/v1', entry('tautline', 'Apply', unionFields(data('a'), data('b')))),
      inVersion('x/v1', entry('tautline', 'Apply', data('c'), 'status')),
      inVersion('x/v1', entry('tautline', 'Update', data('d'))),
    ]),
  );
});

test('nothing is moved where no entry has the version', () => {
  assert.equal(
    moveManagedFields(object(entry('tautline', 'Apply', data('a'))), { isGone: () => false, to: 'x/v2' }),
    undefined,
  );
});

test('fields that are taken are ours alone, also those of a subresource, and an emptied entry is dropped', () => {
  const taken = { 'f:data': { 'f:a': {} }, 'f:list': { 'k:{"name":"x"}': { '.': {} } } };
  const item: Value = { 'f:list': { '.': {}, 'k:{"name":"x"}': { '.': {}, 'f:name': {} }, 'k:{"name":"y"}': {} } };
  const result = takeFieldsOf(
    object(
      entry('person', 'Update', { 'f:data': { 'f:a': {} } }),
      entry('hpa', 'Apply', { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } }, 'scale'),
      entry('other', 'Apply', item),
      entry('tautline', 'Apply', data('c')),
    ),
    { fields: taken, time: TIME },
  );
  assert.deepEqual(
    cloneValue(result),
    cloneValue([
      entry('hpa', 'Apply', { 'f:data': { '.': {}, 'f:b': {} } }, 'scale'),
      entry('other', 'Apply', { 'f:list': { '.': {}, 'k:{"name":"y"}': {} } }),
      {
        ...(entry('tautline', 'Apply', {
          'f:data': { '.': {}, 'f:c': {}, 'f:a': {} },
          'f:list': taken['f:list'],
        }) as object),
        time: TIME,
      },
    ]),
  );
});
