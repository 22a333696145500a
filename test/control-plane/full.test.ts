import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startControlPlane } from './control-plane.ts';

test('a full control plane rolls out a Deployment and collects the objects of a deleted one', async () => {
  await using plane = await startControlPlane({ mode: 'full', nodes: 2 });
  const create = await plane.kubectl(['create', 'deployment', 'web', '--image=example.invalid/web', '--replicas=3']);
  assert.equal(create.code, 0, create.stderr);
  const status = await plane.kubectl(['rollout', 'status', 'deployment/web']);
  assert.equal(status.code, 0, status.stderr);
  assert.match(status.stdout, /successfully rolled out/);
  const remove = await plane.kubectl(['delete', 'deployment', 'web', '--cascade=foreground']);
  assert.equal(remove.code, 0, remove.stderr);
  const left = await plane.kubectl(['get', 'replicasets,pods', '--output=name']);
  assert.equal(left.stdout, '');
});
