/** Watches of an aggregated API whose server stops and comes back. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { agentIdentity } from '../../../src/cluster/identity.ts';
import type { KindInfo } from '../../../src/cluster/kinds.ts';
import type { LiveEntry } from '../../../src/cluster/live.ts';
import { prepare } from '../../support/use-world.ts';
import { marks } from '../edge/edge-cluster.ts';
import { NAMESPACE, useScene } from './scene.ts';
import { untilTrue } from '../../support/world.ts';

const GROUP = 'gauges.example.com';
const API_VERSION = `${GROUP}/v1`;
const scene = useScene({ limits: { watchStaleMs: 1_500, watchTimeoutSeconds: 5, maxWatchBackoffMs: 500 } });
let extension: Server;
let port: number;

/** Starts the smallest aggregated API server: it answers discovery, one object, and a watch of it. */
async function startExtension(at = 0): Promise<void> {
  const cert = await readFile(scene.plane.caFile);
  const key = await readFile(scene.plane.caFile.replace(/crt$/, 'key'));
  const gauge = {
    apiVersion: API_VERSION,
    kind: 'Gauge',
    metadata: { name: 'g', namespace: NAMESPACE, uid: 'u', resourceVersion: '5', ...marks() },
  };
  const verbs = ['get', 'list', 'watch'];
  const resources = [{ name: 'gauges', singularName: 'gauge', namespaced: true, kind: 'Gauge', verbs }];
  extension = createServer({ cert, key }, (request, response) => {
    const path = new URL(request.url ?? '/', 'https://localhost').pathname;
    const isWatch = request.url?.includes('watch=1');
    response.setHeader('content-type', 'application/json');
    if (path === `/apis/${API_VERSION}`) {
      response.end(JSON.stringify({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: API_VERSION, resources }));
    } else if (!path.startsWith(`/apis/${API_VERSION}/`)) {
      response.writeHead(404).end();
    } else if (isWatch && request.url?.includes('sendInitialEvents')) {
      response.writeHead(422).end(JSON.stringify({ kind: 'Status', code: 422, reason: 'Invalid' }));
    } else if (isWatch) {
      response.write('\n');
    } else {
      const list = { kind: 'GaugeList', apiVersion: API_VERSION, metadata: { resourceVersion: '9' }, items: [gauge] };
      response.end(JSON.stringify(path.endsWith('/gauges') ? list : gauge));
    }
  });
  await new Promise<void>((resolve) => extension.listen(at, '127.0.0.1', resolve));
  port = (extension.address() as AddressInfo).port;
}

async function stopExtension(): Promise<void> {
  const closed = new Promise((resolve) => extension.close(resolve));
  extension.closeAllConnections();
  await closed;
}

prepare(async () => {
  await startExtension();
  const service = { type: 'ExternalName', externalName: 'localhost', ports: [{ port }] };
  const services = `/api/v1/namespaces/${NAMESPACE}/services`;
  const made = await scene.plane.request('POST', services, { metadata: { name: 'gauges' }, spec: service });
  assert.equal(made.code, 201);
  const registered = await scene.plane.request('POST', '/apis/apiregistration.k8s.io/v1/apiservices', {
    metadata: { name: `v1.${GROUP}` },
    spec: {
      group: GROUP,
      version: 'v1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      insecureSkipTLSVerify: true,
      service: { namespace: NAMESPACE, name: 'gauges', port },
    },
  });
  assert.equal(registered.code, 201);
});

after(stopExtension);

let gauges: KindInfo;
const look = (): LiveEntry =>
  scene.cluster.live.look(agentIdentity, gauges, { group: GROUP, kind: 'Gauge', namespace: NAMESPACE, name: 'g' });

async function discovered(): Promise<{ kind: KindInfo | undefined; isStale: boolean; others: boolean }> {
  const kinds = await scene.cluster.kinds({ refresh: true });
  return {
    kind: kinds.served.get(`${API_VERSION}/Gauge`),
    isStale: kinds.stale.has(API_VERSION),
    others: kinds.served.has('v1/ConfigMap') && kinds.served.has('apps/v1/Deployment'),
  };
}

test('an aggregated API is discovered and watched like any other', async () => {
  await untilTrue(async () => {
    const { kind, isStale } = await discovered();
    if (kind && !isStale) gauges = kind;
    return gauges !== undefined;
  }, 'it is discovered');
  await scene.cluster.live.keepWatched('gauges', agentIdentity, [{ kind: gauges, namespace: NAMESPACE }]);
  await untilTrue(() => look().state === 'present', 'its object is known');
  await scene.create('bystander');
  await scene.keepWatched(NAMESPACE);
});

test('an aggregated API that dies is stale; its objects become unknown, never gone, and other kinds are still watched', async () => {
  scene.changes.splice(0);
  await stopExtension();
  await untilTrue(() => look().state === 'unknown', 'its object is unknown');
  await untilTrue(async () => (await discovered()).isStale, 'discovery says that it is stale');
  assert.ok((await discovered()).others);
  await scene.change('bystander', '1');
  await untilTrue(() => scene.valueOf('bystander') === '1', 'what others serve is seen');
  assert.deepEqual(
    scene.changes.filter((change) => change.includes('Gauge')),
    [],
  );
  const read = await scene.cluster
    .as(agentIdentity)
    .get(gauges, { group: GROUP, kind: 'Gauge', namespace: NAMESPACE, name: 'g' });
  assert.ok(!read.ok && read.refusal.code === 'Unavailable', 'a read proves nothing');
});

test('an aggregated API that comes back is discovered and watched again', async () => {
  await startExtension(port);
  await untilTrue(() => look().state === 'present', 'its object is known');
  await untilTrue(async () => !(await discovered()).isStale, 'discovery has it back');
});
