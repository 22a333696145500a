/** A change of an ignored field between the agent's read and its write is not lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyOnto } from '../../../src/apply/apply-onto.ts';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import { agentIdentity } from '../../../src/cluster/identity.ts';
import { digestValue } from '../../../src/object/digest.ts';
import { idOf } from '../../../src/object/identity.ts';
import { parsePointer } from '../../../src/object/pointer.ts';
import { valueAt, type KubeObject } from '../../../src/object/value.ts';
import { prepare } from '../../support/use-world.ts';
import { configMap, createNamespace, found, kindOf, useCluster, written } from '../edge/edge-cluster.ts';
import { edit, kubectl } from '../../support/kubectl.ts';

const { plane, cluster } = useCluster();

prepare(async () => {
  await createNamespace(plane, 'race');
});
async function desiredOf(body: KubeObject, pointer: string): Promise<DesiredObject> {
  return {
    id: idOf(body),
    kind: await kindOf(cluster, body.apiVersion, body.kind),
    body,
    digest: digestValue(body),
    file: 'a.yaml',
    line: 1,
    ignored: { paths: [parsePointer(pointer)], managers: [], digest: pointer },
  };
}

function setData(name: string, data: Record<string, string | null>): Promise<void> {
  return edit({ plane }, `configmap/${name}`, { namespace: 'race', patch: { data } });
}

test('an ignored field that changed since the object was read is read again and kept', async () => {
  const client = cluster.as(agentIdentity);
  const first = await desiredOf(configMap('race', 'changed', { tuned: 'git', k: '1' }), '/data/tuned');
  const { object: stale } = written(await applyOnto(client, { desired: first, live: undefined, force: true }));
  await setData('changed', { tuned: 'hand' });
  const desired = await desiredOf(configMap('race', 'changed', { tuned: 'newer', k: '2' }), '/data/tuned');
  // In the stale object we are the only owner of the field, so its old value would be sent.
  const { object } = written(await applyOnto(client, { desired, live: stale, force: true }));
  assert.deepEqual({ ...(valueAt(object.body, 'data') as object) }, { tuned: 'hand', k: '2' });
});

test('an object that was deleted since it was read is not created with the ignored fields missing', async () => {
  const client = cluster.as(agentIdentity);
  const desired = await desiredOf(configMap('race', 'gone', { tuned: 'git', k: '1' }), '/data/tuned');
  written(await applyOnto(client, { desired, live: undefined, force: true }));
  await setData('gone', { tuned: 'hand' });
  const stale = found(await client.get(desired.kind, desired.id));
  await kubectl({ plane }, ['delete', 'configmap', 'gone', '-n', 'race']);
  const answer = await applyOnto(client, { desired, live: stale, force: true });
  assert.equal(answer.ok ? undefined : answer.refusal.code, 'Modified');
  const read = await client.get(desired.kind, desired.id);
  assert.equal(read.ok && read.object, undefined);
});
