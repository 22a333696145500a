/** mayDelete: an Application deletes neither its own object nor its own Namespace, unless it is deleted itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OWNER_ANNOTATION, ownerOf, PART_OF_LABEL } from '../../../src/object/applyset.ts';
import { mayDelete, type DeleteOccasion } from '../../../src/object/may-delete.ts';
import type { ObjectId } from '../../../src/object/identity.ts';

const OWNER = ownerOf({ hubId: 'hub', namespace: 'shop', name: 'me' });
const application = (namespace: string, name: string): ObjectId => ({
  group: 'tautline.dev',
  kind: 'Application',
  namespace,
  name,
});
const namespace = (name: string): ObjectId => ({ group: '', kind: 'Namespace', namespace: '', name });

function decide(id: ObjectId, occasion: DeleteOccasion, annotations: Record<string, string> = {}): string {
  const metadata = {
    name: id.name,
    labels: { [PART_OF_LABEL]: OWNER.applySetId },
    annotations: { [OWNER_ANNOTATION]: OWNER.ownerAnnotation, ...annotations },
  };
  return mayDelete({ live: { id, body: { apiVersion: 'v1', kind: id.kind, metadata } }, owner: OWNER, occasion }).type;
}

const CASES: readonly (readonly [string, ObjectId, Record<DeleteOccasion, string>])[] = [
  ['its own object', application('shop', 'me'), { prune: 'refuse', recreate: 'refuse', deletion: 'delete' }],
  ['another Application', application('shop', 'other'), { prune: 'delete', recreate: 'delete', deletion: 'delete' }],
  ['one of its name elsewhere', application('else', 'me'), { prune: 'delete', recreate: 'delete', deletion: 'delete' }],
  ['its own Namespace', namespace('shop'), { prune: 'refuse', recreate: 'refuse', deletion: 'delete' }],
  ['another Namespace', namespace('else'), { prune: 'delete', recreate: 'refuse', deletion: 'delete' }],
];

for (const [name, id, expected] of CASES) {
  for (const [occasion, decision] of Object.entries(expected)) {
    test(`${name} on the occasion ${occasion}: ${decision}`, () => {
      assert.equal(decide(id, occasion as DeleteOccasion), decision);
    });
  }
}

test('an annotation that forbids the prune releases the own object and the own Namespace', () => {
  for (const id of [application('shop', 'me'), namespace('shop')]) {
    assert.equal(decide(id, 'prune', { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' }), 'release');
  }
});
