/**
 * A value that the server refuses beside the one of Git is removed in the write that sets the one of Git, for every
 * kind of object, and no matter who left it. The object stays the same one, and other managers keep what they applied.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendChange } from '../../../src/apply/send.ts';
import { ownerOf } from '../../../src/object/applyset.ts';
import type { KindInfo } from '../../../src/cluster/kinds.ts';
import type { LiveObject } from '../../../src/cluster/live.ts';
import { digestValue } from '../../../src/object/digest.ts';
import { idOf } from '../../../src/object/identity.ts';
import { parsePointer, valueAtPointer } from '../../../src/object/pointer.ts';
import { listAt, numberAt, stringAt, type KubeObject, type Value } from '../../../src/object/value.ts';
import { kindOf, useCluster, found, written } from '../edge/edge-cluster.ts';
import { pathOf } from '../diff/api.ts';
import type { Case } from './alternatives.ts';
import { kubectl } from '../../support/kubectl.ts';
import { prepare } from '../../support/use-world.ts';
import { untilTrue } from '../../support/world.ts';
import { CHOICES, OTHER_CASES } from './kinds.ts';
import { NETWORK_CASES } from './networks.ts';
import { POD_CASES } from './pods.ts';
import { volumeCases } from './volumes.ts';

const { plane, cluster, client } = useCluster();
const OWNER = ownerOf({ hubId: 'hub', namespace: 'apps', name: 'shop' });

prepare(async () => {
  const definitions = await kindOf(cluster, CHOICES.apiVersion, CHOICES.kind);
  written(await client.apply({ kind: definitions, body: CHOICES, force: true }));
  await kubectl({ plane }, ['wait', '--for=condition=Established', 'crd/choices.choice.example.com']);
  await cluster.kinds({ refresh: true });
});

for (const [name, one] of [...POD_CASES, ...volumeCases(), ...NETWORK_CASES, ...OTHER_CASES])
  test(name, () => check(one));

async function check({ before: first, hand, applied, after = first, expected }: Case): Promise<void> {
  const base = plain(first);
  const id = idOf(base);
  const kind = await kindOf(cluster, base.apiVersion, base.kind);
  await using _ = { [Symbol.asyncDispose]: () => remove(pathOf(kind, id)) };
  written(await client.apply({ kind, body: base, force: true }));
  if (hand) {
    const { code, body } = await plane.request('PATCH', `${pathOf(kind, id)}?fieldManager=kubectl-edit`, hand);
    assert.equal(code, 200, JSON.stringify(body));
  }
  if (applied) written(await client.apply({ kind, body: plain(applied), force: true, fieldManager: 'theirs' }));
  const live = found(await client.get(kind, id));
  const made = await send(kind, plain(after), live);
  assert.equal(made.uid, live.uid);
  assert.ok(generationOf(made) <= generationOf(live) + 1, 'its content is written once');
  for (const [pointer, value] of Object.entries(expected)) {
    assert.deepEqual(
      strip(valueAtPointer(made.body, parsePointer(pointer)) ?? null),
      strip((value as Value) ?? null),
      pointer,
    );
  }
  const isUpdate = listAt(made.body.metadata, 'managedFields').some(
    (entry) => stringAt(entry, 'manager') === 'tautline' && stringAt(entry, 'operation') === 'Update',
  );
  assert.ok(!isUpdate, 'its fields leave with Git');
  const again = written(await client.apply({ kind, body: plain(after), force: true }));
  assert.equal(again.object.resourceVersion, made.resourceVersion, 'it is at rest');
}

async function remove(path: string): Promise<void> {
  await plane.request('DELETE', path);
  await untilTrue(async () => (await plane.request('GET', path)).code === 404, 'the object is gone');
}

/** Sends the object as an update, as after a comparison that found it different. */
async function send(kind: KindInfo, body: KubeObject, live: LiveObject): Promise<LiveObject> {
  const id = idOf(body);
  const desired = { id, kind, body, digest: digestValue(body), file: 'x.yaml', line: 1 };
  const result = await sendChange({ type: 'update', id, kind, desired, live, fields: [] }, { client, owner: OWNER });
  assert.equal(result.outcome, 'configured', JSON.stringify(result.refusal ?? result.message));
  return result.live ?? assert.fail('an answer holds the object');
}

function plain(manifest: unknown): KubeObject {
  return JSON.parse(JSON.stringify(manifest)) as KubeObject;
}

function strip(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}

function generationOf({ body }: LiveObject): number {
  return numberAt(body.metadata, 'generation') ?? 0;
}
