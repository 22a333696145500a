/** The watch of Applications, writes of their status and metadata, and Events, on a real API server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mapAt, stringAt, type KubeObject } from '../../../src/object/value.ts';
import { useCluster } from './edge-cluster.ts';
import { ANY_FIELDS, applicationManifest, definition } from '../../support/objects.ts';
import { untilTrue } from '../../support/world.ts';

const APPLICATIONS = '/apis/tautline.dev/v1alpha1/namespaces/default/applications';
const FINALIZER = 'finalizers.tautline.dev/prune';
const { plane, cluster } = useCluster();
const upserts = new Map<string, KubeObject>();
const deletes: string[] = [];
const failures: string[] = [];

const nameOf = (application: KubeObject): string => stringAt(application.metadata, 'name') ?? '';

/** A definition with the parts of ours that matter here: a required `spec`, and a status subresource. */
const OUR_DEFINITION = definition({
  group: 'tautline.dev',
  kind: 'Application',
  versions: [
    {
      name: 'v1alpha1',
      served: true,
      storage: true,
      subresources: { status: {} },
      schema: {
        openAPIV3Schema: {
          type: 'object',
          required: ['spec'],
          properties: {
            spec: { type: 'object', required: ['source'], properties: { source: { type: 'string' } } },
            status: ANY_FIELDS,
          },
        },
      },
    },
  ],
});

async function create(name: string): Promise<void> {
  const body = applicationManifest(name, { source: 'x' }, { namespace: 'default' });
  const answer = await plane.request('POST', APPLICATIONS, body);
  assert.equal(answer.code, 201);
}

function application(name: string): KubeObject {
  const found = upserts.get(name);
  assert.ok(found, name);
  return found;
}

test('Applications are waited for until their definition is installed', async () => {
  const listed = cluster.applications.watch({
    onUpsert: (application) => void upserts.set(nameOf(application), application),
    onDelete: (application) => void deletes.push(nameOf(application)),
    onFailed: ({ code }) => void failures.push(code),
  });
  assert.equal(await Promise.race([listed.then(() => 'listed'), sleep(300, 'waiting')]), 'waiting');
  assert.ok(failures.includes('KindNotServed'));
  await plane.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', OUR_DEFINITION);
  await listed;
});

test('a new Application is reported, with kind and apiVersion', async () => {
  await create('shop');
  await untilTrue(() => upserts.has('shop'), 'the Application arrives');
  assert.equal(application('shop').kind, 'Application');
  assert.equal(application('shop').apiVersion, 'tautline.dev/v1alpha1');
});

test('a status is written, unless the Application has changed since it was read', async () => {
  const before = application('shop');
  const answer = await cluster.applications.putStatus(before, { sync: { status: 'Synced' } });
  assert.ok(answer.ok);
  assert.equal(stringAt(answer.object, 'status', 'sync', 'status'), 'Synced');
  assert.equal(stringAt(answer.object, 'spec', 'source'), 'x');
  const stale = await cluster.applications.putStatus(before, { sync: { status: 'Unknown' } });
  assert.ok(!stale.ok && stale.refusal.code === 'Modified');
  assert.equal(cluster.requestCounts().status, 2);
});

test('finalizer, label and annotations are set, and removed when a later write leaves them out', async () => {
  await untilTrue(() => mapAt(application('shop'), 'status', 'sync')['status'] === 'Synced', 'the echo arrives');
  const marked = await cluster.applications.applyMetadata(application('shop'), {
    finalizers: [FINALIZER],
    labels: { 'applyset.kubernetes.io/id': 'x' },
    annotations: { 'applyset.kubernetes.io/tooling': 'tautline/0.1.0' },
  });
  assert.ok(marked.ok, JSON.stringify(marked));
  assert.deepEqual(marked.object.metadata['finalizers'], [FINALIZER]);
  assert.equal(stringAt(marked.object, 'spec', 'source'), 'x');
  assert.equal(stringAt(marked.object, 'status', 'sync', 'status'), 'Synced');
  const bare = await cluster.applications.applyMetadata(marked.object, {
    finalizers: [],
    labels: {},
    annotations: {},
  });
  assert.ok(bare.ok);
  assert.equal(bare.object.metadata['finalizers'], undefined);
  assert.equal(bare.object.metadata['labels'], undefined);
});

test('a write never creates an Application that was deleted', async () => {
  await untilTrue(() => application('shop').metadata['labels'] === undefined, 'the echo arrives');
  await create('gone');
  await untilTrue(() => upserts.has('gone'), 'it arrives');
  await plane.request('DELETE', `${APPLICATIONS}/gone`);
  await untilTrue(() => deletes.includes('gone'), 'its end arrives');
  const empty = { finalizers: [FINALIZER], labels: {}, annotations: {} };
  const metadata = await cluster.applications.applyMetadata(application('gone'), empty);
  assert.ok(!metadata.ok);
  assert.match(metadata.refusal.code, /Modified|NotFound/);
  const status = await cluster.applications.putStatus(application('gone'), {});
  assert.ok(!status.ok);
  assert.match(status.refusal.code, /Modified|NotFound/);
});

test('an Application that is deleted while the API server restarts is reported as deleted afterwards', async () => {
  await create('ending');
  await untilTrue(() => upserts.has('ending'), 'it arrives');
  await plane.kill('kube-apiserver', 'SIGKILL');
  await plane.restart('kube-apiserver');
  await plane.request('DELETE', `${APPLICATIONS}/ending`);
  await untilTrue(() => deletes.includes('ending'), 'its end arrives');
  assert.ok(!deletes.includes('shop'));
});

test('an Event is written, and a refused one raises no error', async () => {
  await cluster.writeEvent({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { namespace: 'default', name: 'tautline-test' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    reason: 'Synced',
    action: 'Sync',
    type: 'Normal',
    note: 'all well',
    reportingController: 'tautline.dev/agent',
    reportingInstance: 'test',
    regarding: { apiVersion: 'tautline.dev/v1alpha1', kind: 'Application', namespace: 'default', name: 'shop' },
  });
  const read = await plane.request('GET', '/apis/events.k8s.io/v1/namespaces/default/events/tautline-test');
  assert.equal(read.code, 200);
  await cluster.writeEvent({ apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { namespace: 'default' } });
  assert.equal(cluster.requestCounts().event, 2);
});
