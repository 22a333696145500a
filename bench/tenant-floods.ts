/** More attackers of `npm run bench -- tenants`: those that need many objects, requests or waiting writes. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeAuthority } from '../test/support/certificates.ts';
import { configMap, declareMany, type Scene } from './tenant-scene.ts';

const MIB = 1024 * 1024;

/** A small repository whose manifests inflate to some hundred MiB, and labelled objects of no Application. */
export async function bigObjects({ world }: Scene): Promise<() => Promise<void>> {
  const repository = await world.repository('big');
  const big = 'x'.repeat(7 * MIB);
  const names = Array.from({ length: 4 * 14 }, (_, n) => `p${n % 4}/f${n}.yaml`);
  await repository.commit(Object.fromEntries(names.map((name, n) => [name, configMap(`big-${n}`, { big })])));
  const specOf = (n: number) => ({ source: { repoURL: repository.url, path: `p${n}`, interval: '10s' } });
  const remove = await declareMany(world, { namespaces: ['big'], count: 4, specOf });
  const labels = { 'applyset.kubernetes.io/part-of': 'whatever' };
  for (let n = 0; n < 60; n++) {
    const metadata = { name: `labelled-${n}`, labels };
    const data = { x: 'x'.repeat(MIB / 2) };
    await world.plane.request('POST', '/api/v1/namespaces/big/configmaps', {
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data },
    });
  }
  return remove;
}

/** Webhooks with a false signature, some hundred a second. */
export async function unsignedHooks({ agent }: Scene): Promise<() => Promise<void>> {
  let isOver = false;
  const headers = { 'x-github-event': 'push', 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` };
  const loop = async (): Promise<void> => {
    while (!isOver) {
      await fetch(`${agent.webhookUrl}/hooks/github`, { method: 'POST', body: '{}', headers })
        .then((answer) => answer.arrayBuffer())
        .catch(() => undefined);
      await sleep(10);
    }
  };
  const loops = Array.from({ length: 4 }, () => loop());
  return async () => {
    isOver = true;
    await Promise.all(loops);
  };
}

/** Longer than a push may take. */
const ADMISSION_MS = 15_000;

/** Two Applications with many objects in a namespace whose admission webhook lets every write wait. */
export async function slowAdmission({ world }: Scene): Promise<() => Promise<void>> {
  const { ca, server: keys } = await makeAuthority();
  const server = createServer({ cert: keys.certificate, key: keys.key }, (request, response) => {
    void text(request).then((review) => {
      const { apiVersion, kind, request: asked } = JSON.parse(review);
      const answer = JSON.stringify({ apiVersion, kind, response: { uid: asked.uid, allowed: true } });
      setTimeout(() => response.end(answer), ADMISSION_MS).unref();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const configuration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'slow' },
    webhooks: [
      {
        ...{ name: 'slow.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None', timeoutSeconds: 30 },
        failurePolicy: 'Ignore',
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'slow-admission' } },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }],
        clientConfig: {
          url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
          caBundle: Buffer.from(ca).toString('base64'),
        },
      },
    ],
  };
  const collection = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  await world.plane.request('POST', collection, configuration);
  const repository = await world.repository('slow-admission');
  const names = Array.from({ length: 120 }, (_, n) => `p${n % 2}/a${n}`);
  const files = Object.fromEntries(names.map((name, n) => [`${name}.yaml`, configMap(`a${n}`)]));
  await repository.commit(files);
  const specOf = (n: number) => ({ source: { repoURL: repository.url, path: `p${n}` } });
  const remove = await declareMany(world, { namespaces: ['slow-admission'], count: 2, specOf });
  return async () => {
    await world.plane.request('DELETE', `${collection}/slow`);
    server.closeAllConnections();
    server.close();
    await remove();
  };
}

/** Thousands of Applications of one namespace, whose repositories cannot be reached. */
export async function manyApplications({ world }: Scene): Promise<() => Promise<void>> {
  const specOf = () => ({ source: { repoURL: 'http://127.0.0.1:1/x.git', interval: '10s' } });
  await declareMany(world, { namespaces: ['many'], count: 2_000, specOf });
  // It is the last attacker: the cluster ends with it.
  return async () => undefined;
}
