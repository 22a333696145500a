/** Secrets that are found by a label and the address under their key `url`, in the namespace of the Application. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basic } from '../../support/git-server.ts';
import { APP_ID, INSTALLATION_ID, makeAppKey, startGitHubApi } from '../../support/github-api.ts';
import { createRepository } from '../../support/git-repository.ts';
import { configMap, secret, text } from '../../support/objects.ts';
import { grant, makeAccount, rule } from '../../support/rights.ts';
import { configMapPath, makeNamespace, requestsByVerb, sourceReason, untilFailed } from '../../support/scene.ts';
import { useStarted } from '../../support/use-world.ts';
import type { ApplicationHandle } from '../../support/world.ts';
import { declareTenant, FILES, useScene } from './scene.ts';

const scene = useScene();
const key = makeAppKey();
const api = useStarted("GitHub's API", async () => {
  const started = await startGitHubApi(key.publicKey);
  return { ...started, api: started, [Symbol.asyncDispose]: () => started.stop() };
});

const OWN = 'tautline.dev/secret-type';
const ARGO = 'argocd.argoproj.io/secret-type';

interface Labelled {
  readonly namespace: string;
  readonly name: string;
  readonly url: string;
  readonly password?: string;
  readonly values?: Readonly<Record<string, string>>;
  /** Default: `repo-creds` with the label of Tautline. */
  readonly labels?: Readonly<Record<string, string>>;
}

const passwordOf = (name: string): string => `word-${name}`;

async function label({
  namespace,
  name,
  url,
  password = passwordOf(name),
  values,
  labels = { [OWN]: 'repo-creds' },
}: Labelled) {
  const stringData = { url, ...(values ?? { username: 'me', password }) };
  await scene.world.apply(secret(name, { stringData }, { namespace, labels }));
}

const unlabel = (namespace: string, name: string) =>
  scene.world.send('DELETE', `/api/v1/namespaces/${namespace}/secrets/${name}`);

async function failsWith(application: ApplicationHandle, reason: string, message: RegExp): Promise<void> {
  await application.until(`the source fails with ${reason}: ${message}`, (found) => {
    const conditions = (found['status']?.['conditions'] ?? []) as { type: string; reason: string; message: string }[];
    return conditions.some(
      (it) => it.type === 'SourceReady' && it.reason === reason && message.test(it.message.replaceAll('\n', ' ')),
    );
  });
}

test('polls list no Secrets while they find what they need', async () => {
  const { world, agent, locks } = scene;
  await makeNamespace(world, 'calm');
  await label({ namespace: 'calm', name: 'whole', url: `${world.git.url}/calm` });
  locks.set('calm', basic('me', passwordOf('whole')));
  const { application } = await declareTenant(scene, 'calm', {});
  await application.untilReady();
  const lists = async (): Promise<number> => (await requestsByVerb(agent))['list'] ?? 0;
  const before = await lists();
  for (let n = 0; n < 3; n++) await application.refresh();
  assert.equal(await lists(), before);
});

test('the longest prefix wins, a new password counts at once, and a deleted Secret is used no more', async () => {
  const { world, locks } = scene;
  const place = { namespace: 'prefixes' };
  await makeNamespace(world, 'prefixes');
  await label({ ...place, name: 'host', url: world.git.url });
  await label({ ...place, name: 'whole', url: `${world.git.url}/prefixes` });
  await label({ ...place, name: 'other', url: `${world.git.url}/prefix` });
  locks.set('prefixes', basic('me', passwordOf('whole')));
  const { application, repository } = await declareTenant(scene, 'prefixes', {});
  await application.untilReady();

  locks.set('prefixes', basic('me', passwordOf('next')));
  await label({ ...place, name: 'whole', url: `${world.git.url}/prefixes`, password: passwordOf('next') });
  const second = await repository.commit({ 'more.yaml': text(configMap('more')) });
  await application.refresh();
  await application.untilReady(second);

  await unlabel('prefixes', 'whole');
  await application.refresh();
  await failsWith(application, 'CredentialsRefused', /credentials of the Secret prefixes\/host/);
  assert.ok(await world.read(configMapPath('prefixes', 'more')), 'nothing is pruned');

  locks.set('prefixes', basic('me', passwordOf('host')));
  await application.refresh();
  await application.untilReady(second);
  const passwords = scene.shown.filter(({ path }) => path.startsWith('/prefixes.git')).map((it) => it.authorization);
  const known = ['whole', 'next', 'host'].map((password) => basic('me', passwordOf(password)));
  assert.ok(passwords.every((shown) => shown === undefined || known.includes(shown)));
});

test("Secrets of Argo CD are read as they are: a prefix's, and a repository's alone", async () => {
  const { world, locks } = scene;
  await makeNamespace(world, 'argo');
  const place = { namespace: 'argo' };
  const [creds, one] = [{ [ARGO]: 'repo-creds' }, { [ARGO]: 'repository' }];
  await label({ ...place, name: 'creds', url: world.git.url, labels: creds });
  await label({
    ...place,
    name: 'declared',
    url: `${world.git.url}/argo`,
    labels: one,
    values: { type: 'git', project: 'p' },
  });
  locks.set('argo', basic('me', passwordOf('creds')));
  const { application } = await declareTenant(scene, 'argo', {});
  await application.untilReady();
  locks.set('argo', basic('me', passwordOf('declared')));
  await label({ ...place, name: 'declared', url: `${world.git.url}/argo.git`, labels: one });
  await application.refresh();
  await application.untilReady();
});

test('a Secret that the spec names wins, also where it is wrong', async () => {
  const { world, locks } = scene;
  await makeNamespace(world, 'explicit');
  await label({ namespace: 'explicit', name: 'whole', url: `${world.git.url}/explicit` });
  locks.set('explicit', basic('me', passwordOf('whole')));
  const { application } = await declareTenant(scene, 'explicit', { secret: { username: 'me', password: 'wrong' } });
  const { message } = await untilFailed({ application }, 'ArtifactFailed');
  assert.match(message, /Secret explicit\/git/);
});

test('a Secret of another namespace is never used, whatever its label and address say', async () => {
  const { world, locks } = scene;
  await makeNamespace(world, 'rich');
  await label({
    namespace: 'rich',
    name: 'whole',
    url: world.git.url,
    labels: { [OWN]: 'repo-creds', [ARGO]: 'repo-creds' },
  });
  locks.set('poor', basic('me', passwordOf('whole')));
  const { application } = await declareTenant(scene, 'poor', {});
  await untilFailed({ application }, 'ArtifactFailed');
  assert.equal(await sourceReason({ application }), 'AuthenticationRequired');
  const shown = scene.shown.filter(({ path }) => path.startsWith('/poor.git'));
  assert.ok(shown.length > 0 && shown.every(({ authorization }) => authorization === undefined));
});

test('an account that may not list Secrets is told so, and reads the repository once it may', async () => {
  const { world, locks } = scene;
  const namespace = 'listless';
  const configMaps = rule('', 'configmaps');
  await makeNamespace(world, namespace);
  await makeAccount(world, namespace);
  await grant(world, { namespace, rules: [configMaps, rule('', 'secrets', ['get'])] });
  await label({ namespace, name: 'whole', url: `${world.git.url}/${namespace}` });
  locks.set(namespace, basic('me', passwordOf('whole')));
  const { application } = await declareTenant(scene, namespace, { spec: { serviceAccountName: 'deployer' } });
  await failsWith(
    application,
    'AuthenticationRequired',
    /by label were not looked for, since the ServiceAccount listless\/deployer may not list Secrets of the namespace listless/,
  );
  await grant(world, { namespace, rules: [configMaps, rule('', 'secrets', ['get', 'list'])] });
  await application.refresh();
  await application.untilReady();
});

test('a Secret that is labelled after a refusal is found by the next poll', async () => {
  const { world, locks } = scene;
  locks.set('late', basic('me', passwordOf('whole')));
  const { application } = await declareTenant(scene, 'late', {});
  await failsWith(application, 'AuthenticationRequired', /secretRef/);
  await label({ namespace: 'late', name: 'whole', url: `${world.git.url}/late` });
  await application.untilReady();
});

test('other sources have the Secrets of their own addresses', async () => {
  const { world, locks } = scene;
  const values = await world.repository('values');
  await values.commit(FILES);
  await makeNamespace(world, 'several');
  await label({ namespace: 'several', name: 'first', url: `${world.git.url}/several` });
  await label({ namespace: 'several', name: 'second', url: `${world.git.url}/values` });
  locks.set('several', basic('me', passwordOf('first')));
  locks.set('values', basic('me', passwordOf('second')));
  const { application } = await declareTenant(scene, 'several', {
    spec: { sources: [{ name: 'values', repoURL: values.url }] },
  });
  await application.untilReady();
});

test('a GitHub App by label opens a repository, and its token is in no status', async () => {
  const { world, locks } = scene;
  const repository = await createRepository(world.git, 'acme/shop');
  await repository.commit(FILES);
  locks.set('acme/shop', '');
  world.git.onRequest = guarded(world.git.onRequest);
  await makeNamespace(world, 'app');
  const values = {
    githubAppID: APP_ID,
    githubAppInstallationID: INSTALLATION_ID,
    githubAppPrivateKey: key.privateKey,
    githubAppEnterpriseBaseUrl: api.api.url,
  };
  await label({
    namespace: 'app',
    name: 'app',
    url: `${world.git.url}/acme`,
    labels: { [ARGO]: 'repo-creds' },
    values,
  });
  const application = await world.declare('app', { source: { repoURL: repository.url } }, 'app');
  const ready = await application.untilReady();
  assert.equal(api.api.tokens.length, 1);
  assert.ok(!JSON.stringify(ready).includes('ghs_'));
});

/** Requests for the repository of the app need one of its tokens. */
function guarded(next: typeof scene.world.git.onRequest): typeof scene.world.git.onRequest {
  return (request) => {
    if (!request.path.startsWith('/acme/')) return next?.(request);
    return api.api.accepts(request.headers.authorization) ? undefined : { status: 401 };
  };
}
