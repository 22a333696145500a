import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ValueMap } from '../../../../src/object/value.ts';
import { declaredPolicy } from '../../../../src/application/deletion-policy.ts';
import { permissionToPrune, type PrunePermission } from '../../../../src/reconcile/deletion/deletion-policy.ts';
import { applicationOf } from '../../../support/applications.ts';
import { kindsOf } from '../../../support/reading.ts';
import { ABSENT, found, liveOf, refusedWith } from '../../../support/changes.ts';
import { scriptDeletion, type DeletionScript } from './scene.ts';

const POLICIES: readonly (readonly [ValueMap, 'Prune' | 'Orphan'])[] = [
  [{}, 'Prune'],
  [{ sync: { mode: 'manual' } }, 'Prune'],
  [{ sync: { prune: false } }, 'Orphan'],
  [{ sync: { mode: 'detect' } }, 'Orphan'],
  [{ deletionPolicy: 'Prune' }, 'Prune'],
  [{ deletionPolicy: 'Prune', sync: { prune: false } }, 'Prune'],
  [{ deletionPolicy: 'Prune', sync: { mode: 'detect' } }, 'Prune'],
  [{ deletionPolicy: 'Orphan' }, 'Orphan'],
  [{ deletionPolicy: 'Prune', suspend: true }, 'Orphan'],
];
for (const [spec, expected] of POLICIES) {
  test(`the deletion policy of the spec ${JSON.stringify(spec)} is ${expected}`, () => {
    assert.equal(declaredPolicy(applicationOf({ spec }).spec), expected);
  });
}

test('an Application whose spec cannot be read releases its objects', () => {
  assert.equal(declaredPolicy(undefined), 'Orphan');
});

const permissionWith = (script: DeletionScript): Promise<PrunePermission> =>
  permissionToPrune(scriptDeletion(script).context.hub);

const PERMISSIONS: readonly (readonly [string, DeletionScript, PrunePermission])[] = [
  ['exists', {}, { type: 'granted' }],
  [
    'is being deleted',
    { hubReads: { CustomResourceDefinition: found(liveOf({ isTerminating: true })) } },
    { type: 'abandon' },
  ],
  ['is gone', { hubReads: { CustomResourceDefinition: ABSENT } }, { type: 'abandon' }],
  [
    'cannot be read',
    { hubReads: { CustomResourceDefinition: refusedWith('Forbidden') } },
    {
      type: 'wait',
      reason:
        'nothing is deleted before CustomResourceDefinition.apiextensions.k8s.io applications.tautline.dev can be ' +
        'read: the server answered Forbidden',
    },
  ],
  [
    'is of a kind that is not served',
    { hubKinds: kindsOf() },
    { type: 'wait', reason: 'the API server does not serve CustomResourceDefinitions just now' },
  ],
];
for (const [what, script, expected] of PERMISSIONS) {
  test(`while the definition of Applications ${what} the permission to prune is '${expected.type}'`, async () => {
    assert.deepEqual(await permissionWith(script), expected);
  });
}
