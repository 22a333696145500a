import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEventHead } from '../../../../src/cluster/watches/event-head.ts';

const line = (metadata: object, type = 'MODIFIED'): string =>
  JSON.stringify({ type, object: { kind: 'ConfigMap', apiVersion: 'v1', metadata, data: { name: 'other' } } });

test('the head of an event names object and version', () => {
  const metadata = { name: 'a', namespace: 'shop', uid: 'u', resourceVersion: '5', labels: {} };
  assert.deepEqual(readEventHead(line(metadata)), { name: 'a', namespace: 'shop', resourceVersion: '5' });
  const { namespace: _, ...global } = metadata;
  assert.deepEqual(readEventHead(line(global, 'ADDED')), { name: 'a', namespace: '', resourceVersion: '5' });
  const generated = { name: 'a-1', generateName: 'a-', namespace: 'shop', uid: 'u', resourceVersion: '5' };
  assert.equal(readEventHead(line(generated))?.name, 'a-1');
});

test('an event whose fields are in another order, or that changes no object, has no head', () => {
  const metadata = { name: 'a', namespace: 'shop', uid: 'u', resourceVersion: '5' };
  for (const type of ['DELETED', 'BOOKMARK', 'ERROR']) assert.equal(readEventHead(line(metadata, type)), undefined);
  assert.equal(readEventHead(line({ labels: { x: 'y' }, ...metadata })), undefined);
  assert.equal(readEventHead(line({ ...metadata, name: 'a"b' })), undefined);
  assert.equal(readEventHead(line({ ...metadata, resourceVersion: 'five' })), undefined);
  assert.equal(readEventHead('not JSON'), undefined);
});
