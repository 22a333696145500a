import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { applySetIdOf, ownerOf, parseOwner, readOwnership } from '../../../src/object/applyset.ts';
import type { KubeObject, Value } from '../../../src/object/value.ts';

const owner = ownerOf({ hubId: 'hub', namespace: 'shop', name: 'web' });
const other = ownerOf({ hubId: 'hub', namespace: 'shop', name: 'api' });

function marked(label?: string, annotation?: string): KubeObject {
  const labels: { [key: string]: Value } = label === undefined ? {} : { 'applyset.kubernetes.io/part-of': label };
  const annotations: { [key: string]: Value } = annotation === undefined ? {} : { 'tautline.dev/owner': annotation };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', labels, annotations } };
}

test('an ApplySet id is computed as kubectl computes it, and is 55 characters long', () => {
  const hash = createHash('sha256').update('web.shop.Application.tautline.dev').digest('base64url');
  assert.equal(owner.applySetId, `applyset-${hash}-v1`);
  assert.equal(owner.applySetId.length, 55);
  assert.equal(owner.ownerAnnotation, 'hub/shop/web');
  assert.notEqual(
    applySetIdOf({ name: 'a', namespace: 'b', kind: 'Secret', group: '' }),
    applySetIdOf({ name: 'b', namespace: 'a', kind: 'Secret', group: '' }),
  );
});

test('an owner annotation is read back, and a malformed one is refused', () => {
  assert.deepEqual(parseOwner('hub/shop/web'), { hubId: 'hub', namespace: 'shop', name: 'web' });
  for (const text of ['', 'hub', 'hub/shop', 'hub//web', 'a/b/c/d']) assert.equal(parseOwner(text), undefined);
});

test('an object belongs to an owner only if the label and the annotation agree', () => {
  const elsewhere = ownerOf({ hubId: 'other-hub', namespace: 'shop', name: 'web' });
  const table: [string, KubeObject, Value][] = [
    ['both ours', marked(owner.applySetId, owner.ownerAnnotation), { type: 'ours' }],
    ['label removed', marked(undefined, owner.ownerAnnotation), { type: 'half' }],
    ['annotation removed', marked(owner.applySetId), { type: 'half' }],
    ['label changed', marked('x', owner.ownerAnnotation), { type: 'half' }],
    ['annotation changed', marked(owner.applySetId, other.ownerAnnotation), { type: 'half' }],
    [
      'both of another',
      marked(other.applySetId, other.ownerAnnotation),
      { type: 'application', annotation: other.ownerAnnotation },
    ],
    [
      'another hub',
      marked(elsewhere.applySetId, elsewhere.ownerAnnotation),
      { type: 'application', annotation: elsewhere.ownerAnnotation },
    ],
    ['a foreign ApplySet', marked('applyset-x-v1'), { type: 'set', applySetId: 'applyset-x-v1' }],
    ['marks that disagree', marked('applyset-x-v1', other.ownerAnnotation), { type: 'none' }],
    ['a left-over annotation', marked(undefined, other.ownerAnnotation), { type: 'none' }],
    ['no marks', marked(), { type: 'none' }],
  ];
  for (const [name, object, expected] of table) assert.deepEqual(readOwnership(object, owner), expected, name);
});
