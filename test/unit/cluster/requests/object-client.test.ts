import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, type Identity } from '../../../../src/cluster/identity.ts';
import { toLiveObject } from '../../../../src/cluster/live-object.ts';
import type { LiveObject } from '../../../../src/cluster/live.ts';
import type { ClusterClient } from '../../../../src/cluster/ports.ts';
import { createClient, deleteOptions } from '../../../../src/cluster/requests/object-client.ts';
import type { HttpAnswer, HttpRequest } from '../../../../src/cluster/transport/transport.ts';
import { OWNER_ANNOTATION, ownerOf, PART_OF_LABEL } from '../../../../src/object/applyset.ts';
import type { KubeObject } from '../../../../src/object/value.ts';
import { configMaps, secrets } from '../sample-kinds.ts';

const ID = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'a' };
const METADATA = { namespace: 'shop', name: 'a', uid: 'uid-a', resourceVersion: '7' };

interface Sender {
  readonly client: ClusterClient;
  readonly sent: HttpRequest[];
}

/** A client whose requests are answered one after the other by these answers. */
function clientOf(...answers: Partial<HttpAnswer>[]): Sender {
  const sent: HttpRequest[] = [];
  const transport = {
    send(request: HttpRequest) {
      sent.push(request);
      return Promise.resolve({ status: 200, headers: {}, text: '', ...answers[sent.length - 1] });
    },
  };
  return { client: createClient(transport, agentIdentity), sent };
}

function configMap(extra: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...METADATA, ...extra } };
}

function live(extra: object = {}): LiveObject {
  const object = toLiveObject(configMaps, configMap(extra));
  assert.ok(object);
  return object;
}

const text = (value: object): { text: string } => ({ text: JSON.stringify(value) });
const status = (code: number, reason: string, details: object = {}): Partial<HttpAnswer> => ({
  status: code,
  ...text({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code, details }),
});
const bodyOf = (request: HttpRequest | undefined): unknown => JSON.parse(request?.body ?? 'null');

test('every write returns the warnings of its answer, also a dry run and a take-over', async () => {
  const answer = { ...text(configMap()), headers: { warning: '299 - "deprecated"' } };
  const owned = { managedFields: [{ manager: 'helm', operation: 'Update', fieldsV1: {} }] };
  const writes: Record<string, (client: ClusterClient) => ReturnType<ClusterClient['apply']>> = {
    apply: (client) => client.apply({ kind: configMaps, body: configMap(), force: true }),
    'dry run': (client) => client.apply({ kind: configMaps, body: configMap(), force: true, dryRun: true }),
    'take-over': (client) => client.takeOver(configMaps, live(owned)),
    release: (client) => client.release(configMaps, live()),
  };
  for (const [name, write] of Object.entries(writes)) {
    const written = await write(clientOf(answer).client);
    assert.ok(written.ok, name);
    assert.deepEqual(written.warnings, ['deprecated'], name);
  }
});

test('a warning about a Secret does not show its values', async () => {
  const body: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata: METADATA, data: { key: 'aHVudGVyMg==' } };
  const { client } = clientOf({ ...text(body), headers: { warning: '299 - "hunter2 is weak"' } });
  const answer = await client.apply({ kind: secrets, body, force: true });
  assert.ok(answer.ok);
  assert.equal(answer.warnings.length, 1);
  assert.doesNotMatch(JSON.stringify(answer), /hunter2|aHVudGVyMg/);
});

test('an apply is a server-side apply with its field manager, and 201 means created', async () => {
  const { client, sent } = clientOf({ status: 201, ...text(configMap()) }, text(configMap()));
  const created = await client.apply({ kind: configMaps, body: configMap(), force: false });
  const updated = await client.apply({ kind: configMaps, body: configMap(), force: true, fieldManager: 'other' });
  assert.deepEqual(
    sent.map(({ method, path, contentType }) => [method, path, contentType]),
    [
      [
        'PATCH',
        '/api/v1/namespaces/shop/configmaps/a?fieldManager=tautline&force=false',
        'application/apply-patch+yaml',
      ],
      ['PATCH', '/api/v1/namespaces/shop/configmaps/a?fieldManager=other&force=true', 'application/apply-patch+yaml'],
    ],
  );
  assert.deepEqual([created.ok && created.isCreated, updated.ok && updated.isCreated], [true, false]);
});

test('live Secret keys are sent with their present values, and a missing one is left out', async () => {
  const stored = { apiVersion: 'v1', kind: 'Secret', metadata: METADATA, data: { token: 'bGl2ZQ==' } };
  const body: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata: METADATA, data: { password: 'cHc=' } };
  const { client, sent } = clientOf(text(stored), text(stored));
  await client.apply({ kind: secrets, body, force: true, liveSecretKeys: ['token', 'absent'] });
  assert.deepEqual(
    sent.map(({ method }) => method),
    ['GET', 'PATCH'],
  );
  assert.deepEqual((bodyOf(sent[1]) as KubeObject)['data'], { password: 'cHc=', token: 'bGl2ZQ==' });
});

test('an apply with live Secret keys sends nothing if the Secret cannot be read', async () => {
  const body: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata: METADATA };
  const { client, sent } = clientOf(status(403, 'Forbidden'));
  const answer = await client.apply({ kind: secrets, body, force: true, liveSecretKeys: ['token'] });
  assert.ok(!answer.ok && answer.refusal.code === 'Forbidden');
  assert.equal(sent.length, 1);
});

test('a take-over is guarded by uid and resourceVersion', async () => {
  const { client, sent } = clientOf(text(configMap()));
  await client.takeOver(configMaps, live({ managedFields: [{ manager: 'helm', operation: 'Update', fieldsV1: {} }] }));
  assert.equal(sent[0]?.contentType, 'application/json-patch+json');
  const [guard, fields, version] = bodyOf(sent[0]) as { op: string; path: string; value: unknown }[];
  assert.deepEqual(guard, { op: 'test', path: '/metadata/uid', value: 'uid-a' });
  assert.equal(fields?.path, '/metadata/managedFields');
  assert.deepEqual(version, { op: 'replace', path: '/metadata/resourceVersion', value: '7' });
});

test('a take-over of an object without foreign fields sends no request', async () => {
  const { client, sent } = clientOf();
  const object = live();
  assert.deepEqual(await client.takeOver(configMaps, object), { ok: true, object, isCreated: false, warnings: [] });
  assert.equal(sent.length, 0);
});

const OWNER = ownerOf({ hubId: 'hub', namespace: 'apps', name: 'shop' });

test('a release removes only our label and annotation, guarded by uid and resourceVersion', async () => {
  const { client, sent } = clientOf(text(configMap()));
  const labels = { [PART_OF_LABEL]: OWNER.applySetId };
  await client.release(configMaps, live({ labels, annotations: { [OWNER_ANNOTATION]: OWNER.ownerAnnotation } }));
  assert.equal(sent[0]?.contentType, 'application/merge-patch+json');
  assert.deepEqual(bodyOf(sent[0]), {
    metadata: {
      uid: 'uid-a',
      resourceVersion: '7',
      labels: { [PART_OF_LABEL]: null },
      annotations: { [OWNER_ANNOTATION]: null },
    },
  });
});

test('a release to another Application replaces our label and annotation', async () => {
  const { client, sent } = clientOf(text(configMap()));
  const labels = { [PART_OF_LABEL]: OWNER.applySetId };
  const to = ownerOf({ hubId: 'hub', namespace: 'apps', name: 'other' });
  await client.release(configMaps, live({ labels, annotations: { [OWNER_ANNOTATION]: OWNER.ownerAnnotation } }), to);
  assert.deepEqual(bodyOf(sent[0]), {
    metadata: {
      uid: 'uid-a',
      resourceVersion: '7',
      labels: { [PART_OF_LABEL]: to.applySetId },
      annotations: { [OWNER_ANNOTATION]: to.ownerAnnotation },
    },
  });
});

test('a release leaves the label of another ApplySet', async () => {
  const { client, sent } = clientOf(text(configMap()));
  const labels = { [PART_OF_LABEL]: 'applyset-of-another-tool-v1' };
  await client.release(configMaps, live({ labels, annotations: { [OWNER_ANNOTATION]: OWNER.ownerAnnotation } }));
  const metadata = { uid: 'uid-a', resourceVersion: '7', annotations: { [OWNER_ANNOTATION]: null } };
  assert.deepEqual(bodyOf(sent[0]), { metadata });
});

test('a GET by name that is answered with 404 proves absence, and an unserved kind does not', async () => {
  const missing = status(404, 'NotFound', { name: 'a', kind: 'configmaps' });
  assert.deepEqual(await clientOf(missing).client.get(configMaps, ID), { ok: true, object: undefined });
  const unserved = await clientOf({ status: 404, text: '404 page not found' }).client.get(configMaps, ID);
  assert.ok(!unserved.ok && unserved.refusal.code === 'KindNotServed');
});

test('an answer of status 200 that is not an object is unavailable', async () => {
  for (const answer of [{ text: '<html>' }, text({}), text({ metadata: {} })]) {
    const read = await clientOf(answer).client.get(configMaps, ID);
    assert.ok(!read.ok && read.refusal.code === 'Unavailable');
    const written = await clientOf(answer).client.apply({ kind: configMaps, body: configMap(), force: true });
    assert.ok(!written.ok && written.refusal.code === 'Unavailable');
  }
});

test('a delete is gone after a Status, a missing object or an unserved kind, and held after any other answer', async () => {
  const request = { kind: configMaps, id: ID, uid: 'uid-a', resourceVersion: '7', propagation: 'Background' } as const;
  const outcomeOf = async (answer: Partial<HttpAnswer>): Promise<string> => {
    const deleted = await clientOf(answer).client.remove(request);
    return deleted.ok ? deleted.outcome : deleted.refusal.code;
  };
  assert.equal(await outcomeOf(text({ kind: 'Status', apiVersion: 'v1', status: 'Success' })), 'gone');
  assert.equal(await outcomeOf(status(404, 'NotFound', { name: 'a', kind: 'configmaps' })), 'gone');
  assert.equal(await outcomeOf({ status: 404, text: '404 page not found' }), 'gone');
  assert.equal(await outcomeOf(text(configMap({ deletionTimestamp: '2026-01-02T03:04:05Z' }))), 'held');
  assert.equal(await outcomeOf({ text: '<html>' }), 'held');
  assert.equal(await outcomeOf(status(409, 'Conflict')), 'Modified');
});

test('the body of a delete always holds both preconditions', () => {
  assert.deepEqual(deleteOptions({ uid: 'u', resourceVersion: '7' }), {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid: 'u', resourceVersion: '7' },
    propagationPolicy: 'Background',
  });
  for (const blank of [{ uid: '' }, { resourceVersion: '' }]) {
    const request = { uid: 'u', resourceVersion: '7', ...blank };
    assert.throws(() => deleteOptions(request), RangeError);
  }
});

test('an update is immutable if a dry-run create of the same body under another name succeeds', async () => {
  const allowed = clientOf({ status: 201, ...text(configMap()) });
  assert.equal(await allowed.client.isImmutable(configMaps, configMap()), true);
  const [request] = allowed.sent;
  assert.equal(request?.path, '/api/v1/namespaces/shop/configmaps?dryRun=All&fieldManager=tautline');
  const { metadata } = bodyOf(request) as KubeObject;
  assert.match(String(metadata['name']), /^tautline-dry-run-/);
  assert.deepEqual([metadata['uid'], metadata['resourceVersion']], [undefined, undefined]);
  const refused = clientOf(status(422, 'Invalid'));
  assert.equal(await refused.client.isImmutable(configMaps, configMap()), false);
});

test('a name that would address something else is refused without a request', async () => {
  const { client, sent } = clientOf();
  for (const name of ['', '..', 'a/b']) {
    const read = await client.get(configMaps, { ...ID, name });
    assert.ok(!read.ok && read.refusal.code === 'InvalidManifest');
  }
  assert.equal(sent.length, 0);
});

test('a request for a kind that is not served tells so, and one for an absent object does not', async () => {
  let told = 0;
  const texts = ['404 page not found', JSON.stringify({ kind: 'Status', code: 404, details: { kind: 'configmaps' } })];
  const transport = { send: () => Promise.resolve({ status: 404, headers: {}, text: texts.shift() ?? '' }) };
  const discovery = { kinds: () => Promise.reject(new Error('asked')), doubt: () => void told++ };
  const client = createClient(transport, agentIdentity, discovery);
  assert.equal((await client.get(configMaps, ID)).ok, false);
  assert.equal(told, 1);
  assert.deepEqual(await client.get(configMaps, ID), { ok: true, object: undefined });
  assert.equal(told, 1);
});

test('a creation names a resourceVersion that no object has', async () => {
  const { client, sent } = clientOf();
  await client.apply({ kind: configMaps, body: configMap(), force: false, isCreation: true });
  assert.equal((JSON.parse(String(sent[0]?.body)) as KubeObject).metadata['resourceVersion'], '1');
});

test('the fields of all versions that are not served are moved in one patch, and those of others stay', async () => {
  const sent: HttpRequest[] = [];
  const transport = {
    send(request: HttpRequest) {
      sent.push(request);
      return Promise.resolve({ status: 200, headers: {}, text: JSON.stringify(configMap()) });
    },
  };
  const pumps = { ...configMaps, group: 'x', kind: 'Pump', plural: 'pumps' };
  const served = new Map(['x/v1', 'x/v2'].map((version) => [`${version}/Pump`, pumps] as const));
  const found = { served, stale: new Set(['x/v3']), preferred: new Map<string, string>() };
  const client = createClient(transport, agentIdentity, { kinds: () => Promise.resolve(found), doubt() {} });
  const versions = ['x/v1alpha1', 'x/v1beta1', 'x/v2', 'x/v3', 'v1'];
  const managedFields = versions.map((apiVersion) => ({
    manager: apiVersion,
    operation: 'Update',
    apiVersion,
    fieldsV1: {},
  }));
  await client.moveGoneVersions(pumps, live({ managedFields }), 'x/v1beta1');
  const patch = JSON.parse(String(sent[0]?.body)) as { path: string; value: { apiVersion: string }[] }[];
  const moved = patch.find(({ path }) => path === '/metadata/managedFields')?.value;
  assert.deepEqual(
    moved?.map(({ apiVersion }) => apiVersion),
    ['x/v1', 'x/v1', 'x/v2', 'x/v3', 'v1'],
  );
  assert.equal(sent.length, 1);
});

test('no field is moved while the API server does not tell which versions it serves', async () => {
  const { client, sent } = clientOf();
  const answer = await client.moveGoneVersions(configMaps, live({ managedFields: [] }), 'x/v1beta1');
  assert.ok(!answer.ok && answer.refusal.code === 'Unavailable');
  assert.equal(sent.length, 0);
});

test('a client is not created for a malformed identity', () => {
  const blank: Identity = { type: 'serviceAccount', namespace: 'shop', name: '' };
  assert.throws(() => createClient({ send: () => Promise.reject(new Error('sent')) }, blank), RangeError);
});
