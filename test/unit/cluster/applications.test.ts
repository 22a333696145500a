import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { createApplicationClient, type OwnedApplicationClient } from '../../../src/cluster/applications.ts';
import { defaultClusterLimits } from '../../../src/cluster/limits.ts';
import { noMetrics } from '../../../src/cluster/metrics.ts';
import type { HttpAnswer, HttpRequest } from '../../../src/cluster/transport/transport.ts';
import { stringAt, type KubeObject } from '../../../src/object/value.ts';
import { endOfList, expired, scriptTransport, settle, type ScriptedTransport } from './watches/scripted-watch.ts';

const GUARDS = { namespace: 'shop', name: 'app', uid: 'u', resourceVersion: '7' };

function application(extra: object = {}): KubeObject {
  return {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { ...GUARDS, labels: { a: 'b' }, ...extra },
    spec: { source: {} },
  };
}

let client: OwnedApplicationClient | undefined;
afterEach(() => client?.close());

function clientOf(transport: ScriptedTransport['transport'], namespace?: string): OwnedApplicationClient {
  client = createApplicationClient({
    transport,
    limits: defaultClusterLimits,
    clock: { monotonicMs: () => 0 },
    chance: () => 0,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    metrics: noMetrics,
    ...(namespace !== undefined && { namespace }),
  });
  return client;
}

/** A client whose requests all get this answer. */
function writing(answer: Partial<HttpAnswer> = { text: JSON.stringify(application()) }) {
  const sent: HttpRequest[] = [];
  const { transport } = scriptTransport();
  const send = (request: HttpRequest): Promise<HttpAnswer> => {
    sent.push(request);
    return Promise.resolve({ status: 200, headers: {}, text: '', ...answer });
  };
  return { client: clientOf({ ...transport, send }), sent };
}

const PATH = '/apis/tautline.dev/v1alpha1/namespaces/shop/applications/app';
const bodyOf = (request: HttpRequest | undefined): KubeObject => JSON.parse(request?.body ?? 'null') as KubeObject;

test('the status is written with the guards of the version that was read, and nothing of the spec', async () => {
  const writer = writing();
  const answer = await writer.client.putStatus(application(), { phase: 'x' });
  assert.ok(answer.ok);
  const [request] = writer.sent;
  assert.deepEqual([request?.method, request?.path], ['PUT', `${PATH}/status?fieldManager=tautline-status`]);
  assert.deepEqual(bodyOf(request), {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: GUARDS,
    status: { phase: 'x' },
  });
});

test('metadata is applied with the guards, and an empty list of finalizers is left out', async () => {
  const writer = writing();
  await writer.client.applyMetadata(application(), { finalizers: [], labels: { l: '1' }, annotations: {} });
  await writer.client.applyMetadata(application(), { finalizers: ['f'], labels: {}, annotations: { a: '2' } });
  const [without, withFinalizer] = writer.sent;
  assert.equal(without?.path, `${PATH}?fieldManager=tautline-applyset&force=true`);
  assert.equal(without?.contentType, 'application/apply-patch+yaml');
  assert.deepEqual(bodyOf(without).metadata, { ...GUARDS, labels: { l: '1' }, annotations: {} });
  assert.deepEqual(bodyOf(withFinalizer).metadata, {
    ...GUARDS,
    labels: {},
    annotations: { a: '2' },
    finalizers: ['f'],
  });
});

test('removing a finalizer leaves the others, and the last one removes the list', async () => {
  const writer = writing();
  await writer.client.removeFinalizer(application({ finalizers: ['ours', 'other'] }), 'ours');
  await writer.client.removeFinalizer(application({ finalizers: ['ours'] }), 'ours');
  assert.deepEqual(
    writer.sent.map((request) => bodyOf(request).metadata),
    [
      { ...GUARDS, finalizers: ['other'] },
      { ...GUARDS, finalizers: null },
    ],
  );
});

test('a conflict is returned as the refusal Modified', async () => {
  const writer = writing({ status: 409, text: JSON.stringify({ kind: 'Status', reason: 'Conflict', code: 409 }) });
  const answer = await writer.client.putStatus(application(), {});
  assert.ok(!answer.ok && answer.refusal.code === 'Modified');
});

/** A client that watches, with the calls of its handlers. */
async function watching() {
  const { transport, opened } = scriptTransport();
  const told: string[] = [];
  let isListed = false;
  const nameOf = ({ metadata }: KubeObject): string => `${stringAt(metadata, 'name')}@${stringAt(metadata, 'uid')}`;
  void clientOf(transport, 'shop')
    .watch({
      onUpsert: (object, isOfList) => void told.push(`${isOfList ? 'listed' : 'changed'} ${nameOf(object)}`),
      onDelete: (object) => void told.push(`deleted ${nameOf(object)}`),
      onFailed: ({ code }) => void told.push(`failed ${code}`),
    })
    .then(() => (isListed = true));
  await settle();
  return {
    told,
    opened,
    isListed: () => isListed,
    /** Sends events on the latest stream. */
    send: async (...events: object[]): Promise<void> => {
      opened.at(-1)?.send(...events);
      await settle();
    },
  };
}

const event = (type: string, name: string, uid: string, resourceVersion: string): object => ({
  type,
  object: application({ name, uid, resourceVersion }),
});

test('the watch is limited to its namespace, and resolves when the first list is complete', async () => {
  const { opened, send, told, isListed } = await watching();
  assert.match(opened[0]?.path ?? '', /^\/apis\/tautline\.dev\/v1alpha1\/namespaces\/shop\/applications\?watch=1/);
  await send(event('ADDED', 'a', 'u1', '5'));
  assert.equal(isListed(), false);
  await send(endOfList('9'));
  assert.equal(isListed(), true);
  await send(event('MODIFIED', 'a', 'u1', '10'), event('MODIFIED', 'a', 'u1', '10'), event('DELETED', 'a', 'u1', '11'));
  assert.deepEqual(told, ['listed a@u1', 'changed a@u1', 'deleted a@u1']);
});

test('an Application that was deleted and created again between two events is reported as deleted first', async () => {
  const { send, told } = await watching();
  await send(event('ADDED', 'a', 'u1', '5'), endOfList('9'), event('MODIFIED', 'a', 'u2', '20'));
  assert.deepEqual(told, ['listed a@u1', 'deleted a@u1', 'changed a@u2']);
});

test('a later list reports the Applications that it does not hold as deleted, and unchanged ones not at all', async () => {
  const { send, told } = await watching();
  await send(event('ADDED', 'a', 'u1', '5'), event('ADDED', 'b', 'u2', '6'), endOfList('9'), expired);
  await send(event('ADDED', 'b', 'u2', '6'), endOfList('30'));
  assert.deepEqual(told, ['listed a@u1', 'listed b@u2', 'deleted a@u1']);
});
