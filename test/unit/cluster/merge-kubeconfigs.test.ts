/** Several kubeconfigs in KUBECONFIG are merged as kubectl merges them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadCredentials } from '../../../src/cluster/transport/credentials.ts';
import { mergeKubeconfigs } from '../../../src/cluster/transport/merge-kubeconfigs.ts';

test('the first of several entries with one name counts, and paths are relative to their own file', () => {
  const one = { 'current-context': '', clusters: [{ name: 'a', cluster: { server: 'https://one' } }] };
  const two = {
    'current-context': 'two',
    contexts: [{ name: 'two', context: { cluster: 'b', user: 'u' } }],
    clusters: [
      { name: 'a', cluster: { server: 'https://other' } },
      { name: 'b', cluster: { server: 'https://two', 'certificate-authority': 'ca.crt' } },
    ],
    users: [{ name: 'u', user: { tokenFile: '/run/token', 'client-key': 'keys/u.pem' } }],
  };
  const merged = mergeKubeconfigs([
    { file: '/one/config', root: one },
    { file: '/two/config', root: two },
  ]);
  assert.deepEqual(JSON.parse(JSON.stringify(merged)), {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'two',
    contexts: two.contexts,
    clusters: [
      { name: 'a', cluster: { server: 'https://one' } },
      { name: 'b', cluster: { server: 'https://two', 'certificate-authority': '/two/ca.crt' } },
    ],
    users: [{ name: 'u', user: { tokenFile: '/run/token', 'client-key': '/two/keys/u.pem' } }],
  });
});

test('a context of one file may use the cluster and the user of another', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tautline-kubeconfigs-'));
  try {
    const files = ['contexts', 'rest'].map((name) => join(dir, name));
    const [contexts = '', rest = ''] = files;
    writeFileSync(
      contexts,
      'current-context: c\ncontexts: [{name: c, context: {cluster: x, user: y, namespace: team}}]\n',
    );
    writeFileSync(
      rest,
      'clusters: [{name: x, cluster: {server: "https://cluster.example"}}]\nusers: [{name: y, user: {token: t}}]\n',
    );
    const credentials = await loadCredentials({ type: 'kubeconfig', file: contexts, more: [rest] });
    assert.deepEqual([credentials.server, credentials.namespace], ['https://cluster.example', 'team']);
    assert.equal(await credentials.authorization({ mustRenew: false }), 'Bearer t');
    const context = 'nowhere';
    await assert.rejects(loadCredentials({ type: 'kubeconfig', file: contexts, more: [rest], context }), (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, /kubeconfigs .*contexts, .*rest has no context 'nowhere'/);
      return true;
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
