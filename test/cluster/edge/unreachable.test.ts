/** Connections that fail: no server, a refused token, a certificate that is not trusted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useControlPlane } from '../../support/use-world.ts';
import { connect } from './edge-cluster.ts';
import { kubeconfigText } from '../../support/kubeconfig.ts';

const plane = useControlPlane();

test('an API server that does not listen is reported with its address and what to check', async () => {
  const source = {
    type: 'kubeconfigText',
    text: kubeconfigText({ cluster: { server: 'https://127.0.0.1:1' }, user: { token: 'hunter2' } }),
  } as const;
  await assert.rejects(connect(plane, { source }), {
    name: 'StageError',
    code: 'ClusterUnreachable',
    message: /https:\/\/127\.0\.0\.1:1: nothing listens there/,
  });
});

test('a refused token and a certificate that is not trusted have errors of their own', async () => {
  const text = (user: Record<string, unknown>, cluster: object): string =>
    kubeconfigText({ cluster: { server: plane.url, ...cluster }, user });
  const insecure = { 'insecure-skip-tls-verify': true };
  const wrongToken = { type: 'kubeconfigText', text: text({ token: 'hunter2' }, insecure) } as const;
  await assert.rejects(connect(plane, { source: wrongToken }), { code: 'ClusterUnauthorized' });
  const noCa = { type: 'kubeconfigText', text: text({ token: plane.adminToken }, {}) } as const;
  await assert.rejects(connect(plane, { source: noCa }), { code: 'ClusterUnreachable', message: /check the CA/ });
  const right = { type: 'kubeconfigText', text: text({ token: plane.adminToken }, insecure) } as const;
  await (await connect(plane, { source: right })).close();
});
