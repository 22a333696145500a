/**
 * Applies every folder of examples/ from a real Git server by a real agent, so that examples work when people copy
 * them. Only the URL of the repository is changed, to that of the test's server.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { helmBinary } from '../control-plane/binaries.ts';
import { openHelm } from '../chart/helm.ts';
import { readExamples } from '../journey/demo-examples.ts';
import type { TestRepository } from '../support/git-repository.ts';
import { prepare, useStarted, useWorld } from '../support/use-world.ts';
import { conditionOf, eventually, type Json } from '../support/world.ts';

const HOST = 'https://git.example.com';
const FOLDERS = [
  'app-of-apps',
  'applications',
  'helm',
  'plain',
  'private-repository',
  'render-options',
  'shop',
  'tenant',
  'webhook',
];

const secrets = useStarted('the folder of secrets', () => mkdtempDisposable(join(tmpdir(), 'tautline-examples-')));
const { world, agent } = useWorld({
  mode: 'full',
  agent: async (started) =>
    started.agent({ flags: ['--webhook-secrets-dir', secrets.path, '--helm', await helmBinary()] }),
});
let files: Record<string, string>;
let repository: TestRepository;

prepare(async () => {
  const written = Object.entries(await readExamples());
  files = Object.fromEntries(written.map(([path, text]) => [path, text.replaceAll(HOST, world.git.url)]));
  repository = await world.repository('team/examples');
  await repository.commit(files);
});

function example(path: string): string {
  return files[path] ?? assert.fail(`examples/${path} is missing`);
}

async function apply(text: string): Promise<void> {
  const { code, stderr } = await world.plane.kubectl(['apply', '--server-side', '-f', '-'], { input: text });
  assert.equal(code, 0, stderr);
}

async function untilSyncedAndHealthy(namespace: string, name: string): Promise<Json> {
  const path = `/apis/tautline.dev/v1alpha1/namespaces/${namespace}/applications/${name}`;
  let last: Json | undefined;
  const found = await eventually(async () => {
    last = await world.read(path);
    const { sync, health } = (last?.['status'] ?? {}) as Record<string, Json>;
    const isReady = String(last && conditionOf(last, 'Ready')?.['status']) === 'True';
    const isSyncedAndHealthy = String(sync?.['status']) === 'Synced' && String(health?.['status']) === 'Healthy';
    return isReady && isSyncedAndHealthy ? last : undefined;
  });
  return found ?? assert.fail(`${namespace}/${name}: ${JSON.stringify(last?.['status'], null, 1)}`);
}

test('every folder of examples/ is tested in this file and listed in examples/README.md', () => {
  const folders = new Set(Object.keys(files).flatMap((path) => (path.includes('/') ? [path.split('/')[0]] : [])));
  assert.deepEqual([...folders].sort(), FOLDERS);
  for (const folder of FOLDERS) assert.ok(example('README.md').includes(`| \`${folder}/\` |`), folder);
});

test('every YAML file of examples/ can be parsed, and its credentials are placeholders', () => {
  const isTemplate = (path: string): boolean => path.includes('/templates/');
  const manifests = Object.entries(files).filter(([path]) => path.endsWith('.yaml') && !isTemplate(path));
  for (const [path, text] of manifests) {
    for (const { errors } of parseAllDocuments(text)) assert.deepEqual(errors, [], path);
  }
  const credentials = ['private-repository', 'webhook'].map((folder) => parse(example(`${folder}/secret.yaml`)));
  for (const { stringData } of credentials) {
    for (const value of Object.values(stringData as Record<string, string>)) {
      assert.match(value, /^(deployer|put-a-[a-z-]+-here)$/);
    }
  }
});

test('the chart accepts the values of the webhook example', async () => {
  await using helm = await openHelm();
  const kinds = (await helm.render(parse(example('webhook/values.yaml')))).map(({ kind }) => kind);
  assert.ok(kinds.includes('Ingress'));
});

test('the app of apps syncs the plain folder and both overlays', async () => {
  await apply(example('app-of-apps/application.yaml'));
  for (const name of ['plain', 'shop', 'shop-staging', 'everything']) await untilSyncedAndHealthy('default', name);
  const staging = await world.read('/apis/apps/v1/namespaces/shop-staging/deployments/web');
  assert.equal(Number(staging?.['spec']?.['replicas']), 1);
  const production = await world.read('/apis/apps/v1/namespaces/shop/deployments/web');
  assert.equal(Number(production?.['spec']?.['replicas']), 3);
});

test('the chart is rendered with values of its Application and of the cluster', async () => {
  await apply(example('helm/application.yaml'));
  await untilSyncedAndHealthy('default', 'guestbook');
  const page = await world.read('/api/v1/namespaces/default/configmaps/guestbook');
  assert.equal(page?.['data']?.['index.html'], 'Hello');
  const web = await world.read('/apis/apps/v1/namespaces/default/deployments/guestbook');
  assert.equal(Number(web?.['spec']?.['replicas']), 2);
});

test('the tenant syncs its shop with an account that may not create Secrets', async () => {
  await apply(example('tenant/tenant.yaml'));
  await untilSyncedAndHealthy('team-a', 'shop');
  const canCreateSecrets = await world.plane.kubectl([
    ...['auth', 'can-i', 'create', 'secrets', '-n', 'team-a', '--as=system:serviceaccount:team-a:deployer'],
  ]);
  assert.equal(canCreateSecrets.stdout.trim(), 'no');
});

test('an Application of a private repository reports that its Secret is missing, and syncs once it exists', async () => {
  const hidden = await world.repository('team/private');
  await hidden.commit({
    'deploy/settings.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hidden}\ndata: {a: b}\n',
  });
  const { stringData } = parse(example('private-repository/secret.yaml')) as { stringData: Record<string, string> };
  const pair = `${stringData['username']}:${stringData['password']}`;
  const header = `Basic ${Buffer.from(pair).toString('base64')}`;
  world.git.onRequest = ({ path, headers }) =>
    path.startsWith('/team/private.git') && headers.authorization !== header
      ? { status: 401, headers: { 'www-authenticate': 'Basic realm="git"' } }
      : undefined;
  await apply(example('private-repository/application.yaml'));
  const refused = await eventually(async () => {
    const found = await world.read('/apis/tautline.dev/v1alpha1/namespaces/default/applications/private');
    return found && String(conditionOf(found, 'SourceReady')?.['reason']) === 'SecretNotFound' ? found : undefined;
  });
  assert.ok(refused, 'the Application does not report that its Secret is missing');
  await apply(example('private-repository/secret.yaml'));
  await untilSyncedAndHealthy('default', 'private');
});

test('the post-receive hook of the example makes the agent apply a push', async () => {
  const { stringData } = parse(example('webhook/secret.yaml')) as { stringData: Record<string, string> };
  await writeFile(join(secrets.path, 'generic'), String(stringData['generic']));
  const text = example('plain/settings.yaml').replace('info', 'debug');
  const commit = await repository.commit({ 'plain/settings.yaml': text });
  const answer = JSON.parse(await postReceive(`${'0'.repeat(40)} ${commit} refs/heads/main\n`)) as {
    applications: number;
  };
  // Three Applications of applications/, and one each of app-of-apps/, helm/ and the tenant.
  assert.equal(answer.applications, 6);
  const live = await eventually(async () => {
    const found = await world.read('/api/v1/namespaces/plain/configmaps/settings');
    return String(found?.['data']?.['log-level']) === 'debug' ? found : undefined;
  });
  assert.ok(live);
});

/** Runs the example's script as Git does after a push. Resolves to its output, which is the agent's answer. */
async function postReceive(input: string): Promise<string> {
  const environment = {
    TAUTLINE_HOOK: `${agent.webhookUrl}/hooks/generic`,
    TAUTLINE_SECRET_FILE: join(secrets.path, 'generic'),
    REPOSITORY_URL: repository.url,
  };
  const script = new URL('../../examples/webhook/post-receive', import.meta.url);
  const child = spawn('sh', [script.pathname], { env: { ...process.env, ...environment } });
  let [output, problem] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (problem += chunk));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  assert.equal(code, 0, problem);
  return output;
}

test('the Application with options of a render is Synced, and follows a change of its variables', async () => {
  await apply(example('render-options/settings.yaml'));
  await apply(example('render-options/application.yaml'));
  await untilSyncedAndHealthy('default', 'render-options');
  const read = (): Promise<Json | undefined> => world.read('/api/v1/namespaces/default/configmaps/eu-web-settings');
  const expected = { cluster: 'eu-central', upper: 'EU-CENTRAL', log_level: 'info', shell: 'echo ${HOME}' };
  assert.deepEqual((await read())?.['data'], expected);
  const deployment = await world.read('/apis/apps/v1/namespaces/default/deployments/eu-web');
  assert.equal(deployment?.['spec']?.['replicas'], 1);
  await apply(example('render-options/settings.yaml').replace('eu-central', 'eu-north'));
  const followed = await eventually(async () => {
    const data = (await read())?.['data'];
    return String(data?.['upper']) === 'EU-NORTH' ? data : undefined;
  });
  assert.equal(followed?.['cluster'], 'eu-north');
});
