/** Drift and no drift of fields, by the managers that own them: one row a case. */
import { testComparisons } from './comparison-rows.ts';

testComparisons([
  ['equal values', 'same', 'v1', 'ConfigMap', { desired: { data: { a: '1' } }, live: { data: { a: '1' } } }],
  [
    'fields that others added',
    'same',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1' } },
      live: { data: { a: '1', b: '2' }, immutable: true },
    },
  ],
  [
    'a field that left Git',
    'differs',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1' } },
      live: { data: { a: '1', b: '2' } },
      owned: { data: { a: '1', b: '2' } },
    },
    '/data/b',
  ],
  [
    'a field that left Git and may have a default',
    'inconclusive',
    'v1',
    'Service',
    {
      desired: { spec: { a: 1 } },
      live: { spec: { a: 1, type: 'ClusterIP' } },
      owned: { spec: { a: 1, type: 'ClusterIP' } },
    },
    '/spec/type',
  ],
  [
    'a field that left Git and that another manager owns too',
    'inconclusive',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1' } },
      live: { data: { a: '1', b: '2' } },
      owned: { data: { a: '1', b: '2' } },
      entries: [{ manager: 'other', fields: { 'f:data': { 'f:b': {} } } }],
    },
    '/data/b',
  ],
  [
    'a value that another manager took over and changed',
    'differs',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1', b: '2' } },
      live: { data: { a: 'x', b: '2' } },
      owned: { data: { b: '2' } },
    },
    '/data/a',
  ],
  [
    'a value that another manager took over and set back',
    'same',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1', b: '2' } },
      live: { data: { a: '1', b: '2' } },
      owned: { data: { b: '2' } },
    },
  ],
  [
    'a value that was removed',
    'differs',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1', b: '2' } },
      live: { data: { b: '2' } },
      owned: { data: { b: '2' } },
    },
    '/data/a',
  ],
  [
    'a zero value that was removed',
    'inconclusive',
    'v1',
    'Pod',
    {
      desired: { spec: { a: 1, hostNetwork: false } },
      live: { spec: { a: 1 } },
      owned: { spec: { a: 1 } },
    },
    '/spec/hostNetwork',
  ],
  [
    'a different value of a field that we own',
    'inconclusive',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1' } },
      live: { data: { a: 'x' } },
    },
    '/data/a',
  ],
  [
    'equal values without our managedFields entry',
    'same',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1' } },
      live: { data: { a: '1' } },
      owned: null,
    },
  ],
  [
    'different values without our managedFields entry',
    'inconclusive',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1' } },
      live: { data: { a: 'x' } },
      owned: null,
    },
    '/data/a',
  ],
  [
    'our managedFields entry in another API version',
    'inconclusive',
    'v1',
    'ConfigMap',
    {
      desired: { data: { a: '1' } },
      live: { data: { a: '1' } },
      owned: null,
      entries: [{ manager: 'tautline', apiVersion: 'v2', fields: { 'f:data': { 'f:a': {} } } }],
    },
  ],
]);
