import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadCredentials } from '../../../../src/cluster/transport/credentials.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tautline-credentials-'));
});
after(() => rm(directory, { recursive: true, force: true }));

interface Parts {
  readonly cluster?: object;
  readonly user?: object;
}

function kubeconfig({ cluster = {}, user = {} }: Parts): string {
  return JSON.stringify({
    'current-context': 'one',
    contexts: [
      { name: 'one', context: { cluster: 'c', user: 'u', namespace: 'shop' } },
      { name: 'two', context: { cluster: 'absent', user: 'u' } },
    ],
    clusters: [{ name: 'c', cluster: { server: 'https://api.example.com:6443/prefix/', ...cluster } }],
    users: [{ name: 'u', user }],
  });
}

async function fileOf(parts: Parts): Promise<string> {
  const file = join(directory, 'config');
  await writeFile(file, kubeconfig(parts));
  return file;
}

test('a kubeconfig gives address, namespace, authority, client certificate and token', async () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  await writeFile(join(directory, 'client.key'), 'KEY');
  const file = await fileOf({
    cluster: { 'certificate-authority-data': base64('CA'), 'tls-server-name': 'kubernetes' },
    user: { 'client-certificate-data': base64('CERT'), 'client-key': 'client.key', token: 'hunter2' },
  });
  const credentials = await loadCredentials({ type: 'kubeconfig', file });
  assert.equal(credentials.server, 'https://api.example.com:6443/prefix');
  assert.equal(credentials.namespace, 'shop');
  assert.equal(credentials.tls.ca?.toString(), 'CA');
  assert.equal(credentials.tls.cert?.toString(), 'CERT');
  assert.equal(credentials.tls.key?.toString(), 'KEY');
  assert.equal(credentials.tls.servername, 'kubernetes');
  assert.equal(await credentials.authorization({ mustRenew: false }), 'Bearer hunter2');
});

test('a token file is read again only when the token must be renewed', async () => {
  await writeFile(join(directory, 'token'), 'old\n');
  const file = await fileOf({ user: { tokenFile: 'token' } });
  const { authorization } = await loadCredentials({ type: 'kubeconfig', file });
  assert.equal(await authorization({ mustRenew: false }), 'Bearer old');
  await writeFile(join(directory, 'token'), 'new\n');
  assert.equal(await authorization({ mustRenew: false }), 'Bearer old');
  assert.equal(await authorization({ mustRenew: true }), 'Bearer new');
  assert.equal(await authorization({ mustRenew: false }), 'Bearer new');
});

test('a login plugin runs only if the caller allows it', async () => {
  const plugin = join(directory, 'login');
  const answer = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: 'fresh' },
  };
  await writeFile(plugin, `#!/bin/sh\necho '${JSON.stringify(answer)}'\n`);
  await chmod(plugin, 0o755);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, interactiveMode: 'Never' };
  const file = await fileOf({ user: { exec } });
  await assert.rejects(loadCredentials({ type: 'kubeconfig', file }), { message: /plugin.*not run here/ });
  const credentials = await loadCredentials({ type: 'kubeconfig', file, allowPlugins: true });
  assert.equal(await credentials.authorization({ mustRenew: false }), 'Bearer fresh');
});

test('a kubeconfig from a Secret may name neither files nor plugins', async () => {
  const cases: Parts[] = [
    { user: { tokenFile: '/etc/passwd' } },
    { user: { 'client-certificate': '/etc/passwd' } },
    { cluster: { 'certificate-authority': '/etc/passwd' } },
    { user: { exec: { command: '/bin/true' } } },
    { user: { 'auth-provider': { name: 'gcp' } } },
  ];
  for (const parts of cases) {
    await assert.rejects(loadCredentials({ type: 'kubeconfigText', text: kubeconfig(parts) }), {
      name: 'StageError',
      code: 'ClusterConfigInvalid',
    });
  }
});

test('an error names the fault of the kubeconfig without quoting its contents', async () => {
  const load = (text: string, context?: string): Promise<unknown> =>
    loadCredentials({ type: 'kubeconfigText', text, ...(context !== undefined && { context }) });
  await assert.rejects(load(kubeconfig({}), 'none'), { message: /no context 'none'/ });
  await assert.rejects(load(kubeconfig({}), 'two'), { message: /no cluster 'absent'/ });
  await assert.rejects(load(kubeconfig({ cluster: { server: 'nowhere' } })), { message: /not a URL/ });
  await assert.rejects(load(kubeconfig({ cluster: { 'proxy-url': 'http://p' } })), { message: /proxy-url/ });
  await assert.rejects(load('token: "hunter2'), (error: Error) => !/hunter2/.test(error.message));
  await assert.rejects(loadCredentials({ type: 'kubeconfig', file: join(directory, 'absent') }), {
    message: /cannot read kubeconfig .*absent: ENOENT/,
  });
});

test('the ServiceAccount of a Pod gives address, authority, namespace and token', async () => {
  await writeFile(join(directory, 'ca.crt'), 'CA');
  await writeFile(join(directory, 'token'), 'pod-token');
  await writeFile(join(directory, 'namespace'), 'tautline-system');
  const credentials = await loadCredentials({ type: 'inCluster', host: 'fd00::1', port: '443', directory });
  assert.equal(credentials.server, 'https://[fd00::1]:443');
  assert.equal(credentials.namespace, 'tautline-system');
  assert.equal(await credentials.authorization({ mustRenew: false }), 'Bearer pod-token');
});

test('an error about a missing ServiceAccount tells what to do outside a cluster', async () => {
  const absent = join(directory, 'absent');
  await assert.rejects(loadCredentials({ type: 'inCluster', host: 'x', port: '1', directory: absent }), {
    message: /outside a cluster, name a kubeconfig/,
  });
});
