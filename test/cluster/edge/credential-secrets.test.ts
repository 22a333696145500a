/** Secrets with the credentials of repositories, found by label on a real API server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity } from '../../../src/cluster/identity.ts';
import { secret } from '../../support/objects.ts';
import { useCluster } from './edge-cluster.ts';

const { plane, cluster } = useCluster({ events: { onChange() {} } });

const OWN = 'tautline.dev/secret-type';
const ARGO = 'argocd.argoproj.io/secret-type';

async function put(name: string, url: string, labels: Readonly<Record<string, string>>): Promise<void> {
  const stringData = { url, username: 'me', password: 'hidden-word', empty: '' };
  const body = secret(name, { stringData }, { labels });
  assert.equal((await plane.request('POST', '/api/v1/namespaces/default/secrets', body)).code, 201);
}

const listCount = (): number => cluster.requestCounts().watch;

test('only Secrets with one of the labels are found, and of them no values', async () => {
  await put('both', 'https://git.example.com', { [OWN]: 'repo-creds', [ARGO]: 'repository' });
  await put('argo', 'https://git.example.com/a', { [ARGO]: 'repository' });
  await put('cluster', 'https://git.example.com', { [ARGO]: 'cluster' });
  await put('plain', 'https://git.example.com', {});
  const answer = await cluster.credentialSecrets.list(agentIdentity, 'default');
  assert.ok(answer.ok);
  const keys = ['password', 'url', 'username'];
  assert.deepEqual(
    answer.secrets.map((found) => ({ ...found, keys: found.keys.toSorted() })),
    [
      { name: 'both', label: OWN, type: 'repo-creds', url: 'https://git.example.com', keys },
      { name: 'argo', label: ARGO, type: 'repository', url: 'https://git.example.com/a', keys },
    ],
  );
  assert.ok(!JSON.stringify(answer).includes('hidden-word'));
});

test('an answer is shared and kept until it is doubted, for one identity and namespace', async () => {
  await cluster.credentialSecrets.list(agentIdentity, 'default');
  const before = listCount();
  const answers = await Promise.all([1, 2, 3].map(() => cluster.credentialSecrets.list(agentIdentity, 'default')));
  assert.equal(listCount(), before);
  const elsewhere = await cluster.credentialSecrets.list(agentIdentity, 'kube-system');
  assert.deepEqual(elsewhere, { ok: true, secrets: [] });
  assert.equal(listCount(), before + 2, 'one list for each label');
  await put('newer', 'https://newer.example.com', { [OWN]: 'repo-creds' });
  cluster.credentialSecrets.doubt(agentIdentity, 'kube-system');
  assert.deepEqual(await cluster.credentialSecrets.list(agentIdentity, 'default'), answers[0]);
  cluster.credentialSecrets.doubt(agentIdentity, 'default');
  const next = await cluster.credentialSecrets.list(agentIdentity, 'default');
  assert.ok(next.ok && next.secrets.some(({ name }) => name === 'newer'));
});

test('an account that may list no Secrets is refused once, and never gets the answer of another', async () => {
  const account = serviceAccountIdentity('default', 'nobody-at-all');
  const ask = () => cluster.credentialSecrets.list(account, 'default');
  const [first, second] = await Promise.all([ask(), ask()]);
  assert.ok(!first.ok);
  assert.equal(first.refusal.code, 'Forbidden');
  const before = listCount();
  assert.deepEqual([second, await ask()], [first, first]);
  assert.equal(listCount(), before);
});
