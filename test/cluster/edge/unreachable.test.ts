import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useControlPlane } from '../../support/use-world.ts';
import { connect } from './edge-cluster.ts';

const plane = useControlPlane();

describe('an API server that is not there', () => {
  it('is told with its address and what to check', async () => {
    const source = {
      type: 'kubeconfigText',
      text: JSON.stringify({
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
        clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
        users: [{ name: 'u', user: { token: 'hunter2' } }],
      }),
    } as const;
    await assert.rejects(connect(plane, { source }), {
      name: 'StageError',
      code: 'ClusterUnreachable',
      message: /https:\/\/127\.0\.0\.1:1: nothing listens there/,
    });
  });

  it('that refuses the token, or whose certificate is not trusted, is told apart', async () => {
    const text = (user: object, cluster: object): string =>
      JSON.stringify({
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
        clusters: [{ name: 'c', cluster: { server: plane.url, ...cluster } }],
        users: [{ name: 'u', user }],
      });
    const insecure = { 'insecure-skip-tls-verify': true };
    const wrongToken = { type: 'kubeconfigText', text: text({ token: 'hunter2' }, insecure) } as const;
    await assert.rejects(connect(plane, { source: wrongToken }), { code: 'ClusterUnauthorized' });
    const noCa = { type: 'kubeconfigText', text: text({ token: plane.adminToken }, {}) } as const;
    await assert.rejects(connect(plane, { source: noCa }), { code: 'ClusterUnreachable', message: /check the CA/ });
    const right = { type: 'kubeconfigText', text: text({ token: plane.adminToken }, insecure) } as const;
    await (await connect(plane, { source: right })).close();
  });
});
