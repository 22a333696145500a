/** An object that needs what only one object may have, while the holder of it leaves Git in the same commit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { configMap, text, type Manifest } from '../../support/objects.ts';
import { at, declareSubject, readyMessage, readyReason, untilGone, type Subject } from '../../support/scene.ts';

const { world } = useWorld({ agent: true });

function service(name: string, spec: Record<string, unknown>): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: 'x' }, ports: [{ port: 80 }], ...spec },
  };
}

const nodePort = (name: string, port: number): Manifest =>
  service(name, { type: 'NodePort', ports: [{ port: 80, nodePort: port }] });

const cronJob = (name: string): Manifest => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name },
  spec: {
    schedule: '0 0 1 1 *',
    jobTemplate: {
      spec: {
        template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'example.com/c' }] } },
      },
    },
  },
});

const CASES = [
  {
    name: 'node-port',
    title: 'node port',
    path: '/api/v1/namespaces/node-port/services',
    before: nodePort('edge-old', 30480),
    after: nodePort('edge', 30480),
  },
  {
    name: 'cluster-ip',
    title: 'cluster address',
    path: '/api/v1/namespaces/cluster-ip/services',
    before: (ip: string) => service('edge-old', { clusterIP: ip }),
    after: (ip: string) => service('edge', { clusterIP: ip }),
  },
  {
    name: 'quota',
    title: 'place in a quota',
    path: '/apis/batch/v1/namespaces/quota/cronjobs',
    before: cronJob('edge-old'),
    after: cronJob('edge'),
    quota: { 'count/cronjobs.batch': '1' },
  },
] as const;

/** An address of the range from which the API server hands out addresses. */
async function freeAddress(): Promise<string> {
  const kubernetes = await world.read('/api/v1/namespaces/default/services/kubernetes');
  return String(at(kubernetes, 'spec', 'clusterIP')).replace(/\d+$/, '77');
}

async function limit(namespace: string, hard: Record<string, string>): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/resourcequotas`;
  await world.send('POST', path, { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' }, spec: { hard } });
  // No controller counts here, so the test does it.
  const stored = await world.read(`${path}/q`);
  await world.send('PUT', `${path}/q/status`, { ...stored, status: { hard, used: hard } });
}

for (const { name, title, path, before, after, ...more } of CASES) {
  test(`a renamed object gets the ${title} of the object that left Git`, async () => {
    const ip = await freeAddress();
    const made = (manifest: typeof before | typeof after): string =>
      text(typeof manifest === 'function' ? manifest(ip) : manifest, configMap('c', { a: '1' }));
    const subject = await declareSubject(world, name, { files: { 'a.yaml': made(before) } });
    await subject.application.untilReady();
    if ('quota' in more) await limit(name, more.quota);
    await subject.repository.commit({ 'a.yaml': made(after) });
    await subject.application.refresh();
    if ('quota' in more) {
      // The quota is freed by a controller, which does not run here.
      await untilGone(world, `${path}/edge-old`);
      await world.send('DELETE', `/api/v1/namespaces/${name}/resourcequotas/q`);
    }
    await subject.application.untilReady();
    assert.ok(await world.read(`${path}/edge`));
    assert.equal(await world.read(`${path}/edge-old`), undefined);
  });
}

async function staysRefused({ application, repository }: Subject, files: Record<string, string>): Promise<string> {
  await repository.commit(files);
  await application.refresh();
  const told = await application.until('refused', (a) => readyReason(a) === 'False ReconciliationFailed');
  return readyMessage(told);
}

test('an object that left Git stays while a stranger holds the port that the new object needs', async () => {
  const subject = await declareSubject(world, 'stranger', { files: { 'a.yaml': text(nodePort('edge-old', 30481)) } });
  await subject.application.untilReady();
  await world.apply({ ...nodePort('theirs', 30482), metadata: { name: 'theirs', namespace: 'default' } });
  const message = await staysRefused(subject, { 'a.yaml': text(nodePort('edge', 30482)) });
  assert.match(message, /already allocated/);
  assert.ok(await world.read('/api/v1/namespaces/stranger/services/edge-old'));
});

test('an object that left Git stays while another object fails for another reason', async () => {
  const subject = await declareSubject(world, 'also-bad', { files: { 'a.yaml': text(nodePort('edge-old', 30483)) } });
  await subject.application.untilReady();
  const bad = { ...configMap('Bad_Name', {}) };
  await staysRefused(subject, { 'a.yaml': text(nodePort('edge', 30483), bad) });
  assert.ok(await world.read('/api/v1/namespaces/also-bad/services/edge-old'));
});
