import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../../../src/object/value.ts';
import { createDependents } from '../../../../src/reconcile/neighbours/dependents.ts';

function application(name: string, dependsOn: readonly string[], ready = 'False'): KubeObject {
  return {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { namespace: 'apps', name, generation: 1 },
    spec: { dependsOn: dependsOn.map((other) => ({ name: other })) },
    status: { conditions: [{ type: 'Ready', status: ready, reason: 'x', message: `m${Math.random()}` }] },
  };
}

function scene(): { woken: string[]; dependents: ReturnType<typeof createDependents> } {
  const woken: string[] = [];
  return { woken, dependents: createDependents((key) => woken.push(key)) };
}

test('dependents of an Application are woken when its readiness changes, and by no other change of it', () => {
  const { woken, dependents } = scene();
  dependents.note('apps/b', application('b', ['a']));
  dependents.note('apps/c', application('c', []));
  dependents.note('apps/a', application('a', []));
  woken.length = 0;
  dependents.note('apps/a', application('a', []));
  dependents.note('apps/c', application('c', [], 'True'));
  assert.deepEqual(woken, []);
  dependents.note('apps/a', application('a', [], 'True'));
  assert.deepEqual(woken, ['apps/b']);
  dependents.note('apps/a', undefined);
  assert.deepEqual(woken, ['apps/b', 'apps/b']);
});

test('a change of the dependencies of an Application wakes its direct and indirect dependents', () => {
  const { woken, dependents } = scene();
  dependents.note('apps/a', application('a', ['b']));
  dependents.note('apps/b', application('b', ['c']));
  woken.length = 0;
  dependents.note('apps/c', application('c', ['a']));
  assert.deepEqual([...new Set(woken)].sort(), ['apps/a', 'apps/b', 'apps/c']);
  dependents.note('apps/a', undefined);
  dependents.note('apps/c', undefined);
  woken.length = 0;
  dependents.note('apps/a', application('a', [], 'True'));
  assert.deepEqual(woken, []);
});
