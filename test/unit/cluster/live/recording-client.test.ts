import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordWrites } from '../../../../src/cluster/live/recording-client.ts';
import { toLiveObject } from '../../../../src/cluster/live-object.ts';
import type { ClusterClient } from '../../../../src/cluster/ports.ts';
import { formatId } from '../../../../src/object/identity.ts';
import { configMaps } from '../sample-kinds.ts';

const metadata = { namespace: 'shop', name: 'a', uid: 'u', resourceVersion: '7' };
const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
const object = toLiveObject(configMaps, body);
assert.ok(object);

const { id, uid, resourceVersion } = object;
const removal = { kind: configMaps, id, uid, resourceVersion, propagation: 'Background' } as const;
const written = { ok: true, object, isCreated: false, warnings: [] } as const;
const refused = {
  ok: false,
  refusal: { code: 'Modified', status: 409, message: 'changed', retry: 'backoff' },
} as const;

/** Notes the begin and the outcome of each write of a client with these methods. */
function record(methods: Partial<ClusterClient>): { readonly client: ClusterClient; readonly notes: string[] } {
  const notes: string[] = [];
  const client = recordWrites(methods as ClusterClient, (_kind, of) => {
    notes.push(`begin ${formatId(of)}`);
    return (outcome) => void notes.push(typeof outcome === 'object' ? outcome.resourceVersion : String(outcome));
  });
  return { client, notes };
}

test('the answer of every write is recorded', async () => {
  const write = (): Promise<typeof written> => Promise.resolve(written);
  const { client, notes } = record({ apply: write, takeOver: write, moveGoneVersions: write, release: write });
  await client.apply({ kind: configMaps, body, force: true });
  await client.takeOver(configMaps, object);
  await client.moveGoneVersions(configMaps, object, 'v1beta1');
  await client.release(configMaps, object);
  assert.deepEqual(notes, Array.from({ length: 4 }, () => ['begin ConfigMap shop/a', '7']).flat());
});

test('a removed object is recorded as gone, and a held one is left to its events', async () => {
  const outcomes = ['gone', 'held'] as const;
  for (const outcome of outcomes) {
    const { client, notes } = record({ remove: () => Promise.resolve({ ok: true, outcome }) });
    await client.remove(removal);
    assert.deepEqual(notes, ['begin ConfigMap shop/a', outcome === 'gone' ? 'gone' : 'undefined']);
  }
});

test('a refused or rejected write ends without an outcome', async () => {
  const fails = (): Promise<never> => Promise.reject(new RangeError('no precondition'));
  const { client, notes } = record({ apply: () => Promise.resolve(refused), remove: fails });
  assert.equal(await client.apply({ kind: configMaps, body, force: true }), refused);
  await assert.rejects(client.remove(removal), RangeError);
  assert.deepEqual(notes, ['begin ConfigMap shop/a', 'undefined', 'begin ConfigMap shop/a', 'undefined']);
});

test('a dry run is not recorded', async () => {
  const { client, notes } = record({
    apply: () => Promise.resolve(written),
    remove: () => Promise.resolve({ ok: true, outcome: 'gone' }),
  });
  await client.apply({ kind: configMaps, body, force: true, dryRun: true });
  await client.remove({ ...removal, dryRun: true });
  assert.deepEqual(notes, []);
});
