/**
 * An admission webhook that refuses every write and deletion of Secrets in one namespace, and quotes their values in
 * all that it says: the message, the causes and the warnings.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Manifest } from '../../support/objects.ts';
import { secret } from '../../support/objects.ts';
import { at } from '../../support/scene.ts';
import { untilTrue, type World } from '../../support/world.ts';

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

/**
 * Resolves once the webhook is in force. A Secret whose name ends in `422` is refused as invalid, any other one as
 * forbidden.
 */
export async function startQuotingWebhook(world: World, namespace: string): Promise<AsyncDisposable> {
  const { caFile } = world.plane;
  const [cert, key] = await Promise.all([readFile(caFile), readFile(caFile.replace(/\.crt$/, '.key'))]);
  const server = createServer({ cert, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => response.end(JSON.stringify(refuse(JSON.parse(Buffer.concat(chunks).toString())))));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await world.send('POST', CONFIGURATIONS, configuration(namespace, { url, caBundle: cert.toString('base64') }));
  const probe = `/api/v1/namespaces/${namespace}/secrets?dryRun=All`;
  await untilTrue(
    async () => (await world.plane.request('POST', probe, secret('probe', {}))).code === 403,
    'the webhook refuses Secrets',
  );
  return {
    async [Symbol.asyncDispose]() {
      await world.plane.request('DELETE', `${CONFIGURATIONS}/${namespace}`);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function configuration(namespace: string, clientConfig: Manifest): Manifest {
  const rule = {
    apiGroups: [''],
    apiVersions: ['v1'],
    operations: ['CREATE', 'UPDATE', 'DELETE'],
    resources: ['secrets'],
  };
  return {
    metadata: { name: namespace },
    webhooks: [
      {
        name: 'quotes.example.com',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        rules: [rule],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        clientConfig,
      },
    ],
  };
}

function refuse(review: unknown): Manifest {
  const object = at(review, 'request', 'object') ?? at(review, 'request', 'oldObject');
  const data = (at(object, 'data') ?? {}) as Record<string, string>;
  const values = Object.values(data).flatMap((value) => [Buffer.from(value, 'base64').toString(), value]);
  const message = `exceeded quota: ${values.join(' ')} cannot be resource; ${values.join(' ')} already in use`;
  const isInvalid = String(at(object, 'metadata', 'name')).endsWith('422');
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid: at(review, 'request', 'uid'),
      allowed: false,
      warnings: [message],
      status: { code: isInvalid ? 422 : 403, message, details: { causes: [{ field: 'data', message }] } },
    },
  };
}
