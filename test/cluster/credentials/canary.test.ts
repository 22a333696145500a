/**
 * Canaries in every place where a secret may be: credentials of repositories, Secrets in Git and in the cluster, sealed
 * files and their keys. The agent runs through successes and failures with its log at debug; then no output holds one.
 */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import ssh2 from 'ssh2';
import { encodeLine } from '../../../src/source/transport/pkt-line.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { startTlsFront } from '../../support/front-servers.ts';
import { createRepository } from '../../support/git-repository.ts';
import { basic, type GitReaction } from '../../support/git-server.ts';
import { APP_ID, INSTALLATION_ID, makeAppKey, startGitHubApi } from '../../support/github-api.ts';
import { makeKey, startSshServer } from '../../support/ssh-server.ts';
import { useStarted } from '../../support/use-world.ts';
import { declareTenant, FILES, startScene, type Shown } from './scene.ts';
import { findAll, formsOf, SURFACES, type Watched } from './surfaces.ts';
import { sopsBinary } from '../../control-plane/binaries.ts';
import { kubectl } from '../../support/kubectl.ts';
import { configMap, secret, text } from '../../support/objects.ts';
import { ageKey, seal, VALUES_ONLY } from '../../support/sealed-files.ts';
import { at, makeNamespace, untilFailed, untilObject } from '../../support/scene.ts';
import { conditionOf } from '../../support/world.ts';

const canaries = new Set<string>();
const applications: string[] = [];
const dataDir = useStarted("the agent's folder", () => mkdtempDisposable(join(tmpdir(), 'tautline-canary-')));
const scene = useStarted('the scene', async () =>
  startScene(['--log-level', 'debug', '--data-dir', dataDir.path, '--sops', await sopsBinary()]),
);

function canary(name: string): string {
  const value = `canary-${name}/${Math.random().toString(36).slice(2)}+${Math.random().toString(36).slice(2)}`;
  canaries.add(value);
  return value;
}

/** Makes a canary of each line of a key, and returns them. The last line may be too short to be unique. */
function addLines(pem: string): string[] {
  const lines = pem.trim().split('\n').slice(1, -1);
  return lines.filter((line) => line.length > 20).map((line) => canaries.add(line) && line);
}

const base64 = (value: string): string => Buffer.from(value).toString('base64');

const tenant: typeof declareTenant = (within, name, options) => {
  applications.push(`${name}/${name}`);
  return declareTenant(within, name, options);
};

function watched(): Watched {
  return { world: scene.world, agent: scene.agent, dataDir: dataDir.path, applications };
}

async function expectSilence(): Promise<void> {
  assert.deepEqual(await findAll(canaries, watched()), []);
}

test('the search finds a canary in every form in which it could be shown', () => {
  const value = 'canary-control/1+2';
  for (const shown of [value, `me:${value}`, `xx${value}yy`]) {
    for (const said of [shown, base64(shown), base64(base64(shown)), encodeURIComponent(shown)]) {
      assert.ok(
        formsOf(value).some((form) => said.includes(form)),
        said,
      );
    }
  }
});

test('no canary is shown when a password, a token and a key open repositories that hold Secrets', async () => {
  const files = {
    'data.yaml': text(secret('data', { data: { a: base64(canary('data')) } })),
    'string.yaml': text(secret('string', { stringData: { a: canary('string') } })),
    'last.yaml': text(
      secret(
        'last',
        { data: { a: base64(canary('kept')) } },
        {
          annotations: {
            'kubectl.kubernetes.io/last-applied-configuration': `{"stringData":"${canary('annotated')}"}`,
          },
        },
      ),
    ),
  };
  const password = canary('password');
  scene.locks.set('good-basic', basic('me', password));
  const first = await tenant(scene, 'good-basic', { secret: { username: 'me', password }, files });
  await first.application.untilReady();

  const bearerToken = canary('bearer');
  scene.locks.set('good-bearer', `Bearer ${bearerToken}`);
  const second = await tenant(scene, 'good-bearer', { secret: { bearerToken }, files });
  await second.application.untilReady();

  const { ca, server, client } = await makeAuthority();
  addLines(client.key);
  await using front = await startTlsFront({ server, clientCa: ca, target: scene.world.git.url });
  const certificates = { 'ca.crt': ca, 'tls.crt': client.certificate, 'tls.key': client.key };
  const third = await tenant(scene, 'good-key', { secret: certificates, files, gitUrl: front.url });
  await third.application.untilReady();
  await expectSilence();
});

test('no canary is shown of an SSH key and its passphrase, when they open a repository and when they do not', async () => {
  const passphrase = canary('passphrase');
  const key = makeKey('ed25519', passphrase);
  const plain = ssh2.utils.parseKey(key.private, passphrase);
  assert.ok(!(plain instanceof Error));
  addLines(key.private);
  addLines(plain.getPrivatePEM());
  await using server = await startSshServer(scene.world.git.root, { authorized: [key.public] });
  const { known_hosts } = server.secret;
  const good = { identity: key.private, password: passphrase, known_hosts };
  const subject = await tenant(scene, 'good-ssh', { secret: good, gitUrl: server.url });
  await subject.application.untilReady();
  const bad = [
    { ...good, password: canary('wrong') },
    { ...good, known_hosts: `[127.0.0.1]:${server.port} ${makeKey('ed25519').public}` },
    { ...good, identity: key.private.slice(0, 200) },
  ];
  for (const secret of bad) {
    await subject.setSecret(secret);
    await subject.application.refresh();
    await untilFailed(subject, 'ArtifactFailed');
  }
  await expectSilence();
});

test('no canary is shown of a labelled Secret and the key of a GitHub App, when they open a repository and when not', async () => {
  const { world, locks } = scene;
  const label = async (name: string, url: string, values: Record<string, string>): Promise<void> => {
    await makeNamespace(world, name);
    const meta = { namespace: name, labels: { 'tautline.dev/secret-type': 'repo-creds' } };
    await world.apply(secret('creds', { stringData: { url: `${world.git.url}/${url}`, ...values } }, meta));
  };
  const password = canary('labelled');
  locks.set('labelled', basic('me', password));
  await label('labelled', 'labelled', { username: 'me', password });
  const first = await tenant(scene, 'labelled', {});
  await first.application.untilReady();
  await label('labelled', 'labelled', { username: 'me', password: canary('outdated') });
  await first.application.refresh();
  await untilFailed(first, 'ArtifactFailed');

  const key = makeAppKey();
  const [line = ''] = addLines(key.privateKey);
  const api = await startGitHubApi(key.publicKey);
  await using _ = { [Symbol.asyncDispose]: () => api.stop() };
  const repository = await createRepository(world.git, 'acme/shop');
  await repository.commit(FILES);
  locks.set('', ({ authorization }) => (api.accepts(authorization) ? undefined : { status: 401 }));
  const values = { githubAppID: APP_ID, githubAppInstallationID: INSTALLATION_ID, githubAppEnterpriseBaseUrl: api.url };
  await label('app', 'acme', { ...values, githubAppPrivateKey: key.privateKey });
  applications.push('app/app');
  const application = await world.declare('app', { source: { repoURL: repository.url } }, 'app');
  await application.untilReady();
  [...api.tokens, ...api.signed].forEach((shown) => canaries.add(shown));
  api.intercept = ({ headers }, response) => Boolean(response.writeHead(401).end(`${headers.authorization} ${line}`));
  locks.set('', ({ authorization }) => ({ status: 401, body: `no: ${authorization}` }));
  await application.refresh();
  await untilFailed({ application }, 'ArtifactFailed');
  await label('app', 'acme', { ...values, githubAppPrivateKey: key.privateKey.slice(0, 400) });
  await application.refresh();
  await untilFailed({ application }, 'ArtifactFailed');
  await expectSilence();
});

const GIT = { 'content-type': 'application/x-git-upload-pack-advertisement' };
const RESULT = { 'content-type': 'application/x-git-upload-pack-result' };

/** Answers in which a server repeats a credential; `said` is the header or the password. */
const ECHOES: Readonly<Record<string, (said: string) => GitReaction>> = {
  'page of 401': (said) => ({ status: 401, headers: { 'www-authenticate': said }, body: said }),
  'page of 403': (said) => ({ status: 403, body: said }),
  'page of 500': (said) => ({ status: 500, body: said }),
  'page of 200': (said) => ({ status: 200, headers: { 'content-type': 'text/html' }, body: said }),
  'content type': (said) => ({ status: 200, headers: { 'content-type': said.replace(/[^ -~]/g, '') } }),
  'content encoding': (said) => ({ status: 200, headers: { ...GIT, 'content-encoding': said } }),
  'redirect to another host': (said) => ({
    status: 302,
    headers: {
      location: `http://${said.replace(/[^a-z0-9]/gi, '-').slice(0, 60)}.invalid/${encodeURIComponent(said)}`,
    },
  }),
  'redirect with a user': (said) => ({
    status: 302,
    headers: { location: `${scene.world.git.url.replace('//', `//${encodeURIComponent(said)}@`)}/x` },
  }),
  'ERR line': (said) => ({ status: 200, headers: GIT, body: encodeLine(`ERR denied: ${said}\n`) }),
  'ERR line that is cut': (said) => ({
    status: 200,
    headers: GIT,
    body: encodeLine(`ERR ${'.'.repeat(170)}${said}\n`),
  }),
  'line that is not Git': (said) => ({ status: 200, headers: GIT, body: `${encodeLine(`${said}\n`)}0000` }),
  'object format': (said) => ({
    status: 200,
    headers: GIT,
    body: `${encodeLine('version 2\n')}${encodeLine(`object-format=${said}\n`)}0000`,
  }),
};

test('no canary is shown when a server repeats a credential in any part of its answer', async () => {
  const password = canary('echoed');
  const header = basic('me', password);
  scene.locks.set('echo', header);
  const subject = await tenant(scene, 'echo', { secret: { username: 'me', password } });
  await subject.application.untilReady();
  for (const [what, react] of Object.entries(ECHOES)) {
    for (const said of [password, header, encodeURIComponent(password)]) {
      // A failure drops what is cached about the server, so each answer is met by a GET.
      scene.locks.set('echo', ({ method }) => (method === 'GET' ? react(said) : { status: 500 }));
      await subject.application.refresh();
      const { message } = await untilFailed(subject, 'ArtifactFailed');
      assert.ok(!formsOf(password).some((form) => message.includes(form)), `${what}: ${message}`);
    }
  }
  const untilHealed = async (): Promise<void> => {
    scene.locks.set('echo', header);
    await subject.application.untilReady();
  };
  await untilHealed();

  const isFetch = ({ method, headers }: Shown): boolean => method === 'POST' && !headers['git-protocol'];
  for (const line of [`\x03fatal: ${header} ${password}\n`, `ERR ${password}\n`, `\x02remote: ${password}\n`]) {
    const body = `${encodeLine('NAK\n')}${encodeLine(line)}0000`;
    scene.locks.set('echo', (shown) => (isFetch(shown) ? { status: 200, headers: RESULT, body } : undefined));
    await subject.repository.commit({ 'more.yaml': `# ${Math.random()}\n` });
    await subject.application.refresh();
    await untilFailed(subject, 'ArtifactFailed');
  }
  await untilHealed();
  await expectSilence();
});

test('a Secret that cannot be used is reported without its content', async () => {
  const broken: Record<string, string>[] = [
    { username: 'me', password: `${canary('breaks')}\nX-Evil: 1` },
    { password: canary('half') },
    { username: 'me', password: canary('both'), bearerToken: canary('too') },
    { bearerToken: `${canary('beyond')}ä` },
    { 'ca.crt': canary('no-pem'), 'tls.crt': canary('no-certificate'), 'tls.key': canary('no-key') },
  ];
  for (const [index, values] of broken.entries()) {
    const subject = await tenant(scene, `broken${index}`, { secret: values });
    const { message } = await untilFailed(subject, 'ArtifactFailed');
    assert.match(message, new RegExp(`The Secret broken${index}/git holds`));
  }
  await expectSilence();
});

test('no canary is shown of Secrets that drift, are contested, are refused or cannot be read', async () => {
  const { world } = scene;
  const desired = canary('desired');
  const files = { 's.yaml': text(secret('s', { stringData: { a: desired } })) };
  const refused = await tenant(scene, 'refused', {
    files: {
      ...FILES,
      'bad.yaml': text(secret('bad', { data: { a: `%%${canary('no-base64')}` } })),
      'type.yaml': text(secret('type', { type: 'kubernetes.io/tls', stringData: { 'tls.crt': canary('tls') } })),
    },
  });
  await untilFailed(refused, 'ReconciliationFailed');

  const unreadable = await tenant(scene, 'unreadable', {
    files: { 'broken.yaml': `kind: Secret\nstringData:\n  a: "${canary('unclosed')}\n  b: [${canary('list')}\n` },
  });
  await untilFailed(unreadable, 'BuildFailed');

  await makeNamespace(world, 'adopted');
  const old = secret('s', { stringData: { a: canary('old'), b: canary('older') } }, { namespace: 'adopted' });
  await kubectl(world, ['apply', '-f', '-'], old);
  const adopted = await tenant(scene, 'adopted', { files });
  await adopted.application.untilReady();

  const drift = await tenant(scene, 'drift', { files });
  await drift.application.untilReady();
  await world.apply(secret('s', { stringData: { a: canary('by-hand') } }, { namespace: 'drift' }));
  await untilObject(
    world,
    '/api/v1/namespaces/drift/secrets/s',
    (object) => at(object, 'data', 'a') === base64(desired),
  );

  const rivals = await world.repository('rivals');
  await rivals.commit({ 's.yaml': text(secret('s', { stringData: { a: canary('rival') } })) });
  applications.splice(-1, 0, 'drift/rival');
  const rival = await world.declare('rival', { source: { repoURL: rivals.url } }, 'drift');
  await rival.until('a conflict', (application) => at(conditionOf(application, 'Conflict'), 'status') === 'True');

  await drift.application.patch({ sync: { mode: 'detect' } });
  await world.apply(secret('s', { stringData: { a: canary('seen') } }, { namespace: 'drift' }), 'somebody');
  await untilFailed(drift, 'OutOfSync');
  assert.match(String(await SURFACES['tautline diff']?.(watched())), /\/data\/a: changed/, 'it told what differs');
  await expectSilence();
});

test('no canary is shown of sealed files and their keys, whether they are opened, changed, broken or refused', async () => {
  const { world } = scene;
  const [key, other] = [ageKey(), ageKey()];
  canaries.add(key.private);
  const recipients = [key];
  const plain = (name: string): string => {
    const value = canary(name);
    canaries.add(value.slice(0, 30));
    return value;
  };
  const sealed = async (object: Parameters<typeof text>[0], args = VALUES_ONLY): Promise<string> =>
    seal(text(object), { recipients, args });
  const spec = { render: { decryption: { secretRef: { name: 'keys' } } } };
  const declare = async (name: string, files: Record<string, string>) => {
    await makeNamespace(world, name);
    const stringData = { 'age.agekey': `# ${plain('comment')}\n${key.private}\n` };
    await kubectl(world, ['apply', '-f', '-'], secret('keys', { stringData }, { namespace: name }));
    return tenant(scene, name, { files, spec });
  };
  const values = secret('s', { stringData: { a: plain('secret') } });
  const map = configMap('map', { a: plain('map'), short: 'canary77' });
  canaries.add('canary77');
  const files = {
    'kustomization.yaml':
      'resources: [secret.yaml, map.yaml, service.yaml]\npatches: [{path: patch.yaml}]\n' +
      'secretGenerator: [{name: made, envs: [a.env], files: [key.bin]}]\n',
    'secret.yaml': await sealed(values),
    'map.yaml': await sealed(map),
    'service.yaml': text({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'svc' },
      spec: { type: 'ExternalName', externalName: 'plain.example' },
    }),
    'patch.yaml': await sealed(
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'svc' }, spec: { externalName: 'canary88.example' } },
      ['--encrypted-regex', '^spec$'],
    ),
    'a.env': await seal(`A=${plain('env')}\n`, { recipients, format: 'dotenv' }),
    'key.bin': await seal(plain('binary'), { recipients, format: 'binary' }),
  };
  canaries.add('canary88');
  const opened = await declare('opened', files);
  await opened.application.untilReady();
  assert.equal(
    at(await world.read('/api/v1/namespaces/opened/services/svc'), 'spec', 'externalName'),
    'canary88.example',
  );
  // The differences of both objects are told, without their values.
  await opened.application.patch({ sync: { mode: 'detect' } });
  const namespace = { namespace: 'opened' };
  await world.apply(configMap('map', { a: 'by hand', short: 'x' }, namespace), 'somebody');
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'svc', ...namespace } };
  await world.apply({ ...service, spec: { type: 'ExternalName', externalName: 'by.hand' } }, 'somebody');
  await untilFailed(opened, 'OutOfSync');
  await expectSilence();
  await opened.application.patch({ sync: { mode: 'auto' } });
  await opened.application.untilReady();

  const login = secret('s', { stringData: { a: plain('broken') } });
  const text1 = await sealed(login);
  const broken: Record<string, Record<string, string>> = {
    'sealed-mac': { 's.yaml': text1.replace('"name": "s"', '"name": "t"').replace('name: s', 'name: t') },
    'sealed-other': { 's.yaml': await seal(text(login), { recipients: [other], args: VALUES_ONLY }) },
    'sealed-yaml': { 's.yaml': await seal(`a: ${plain('no-object')}\nkind: ${plain('kind')}\n`, { recipients }) },
    'sealed-env': {
      'kustomization.yaml': 'secretGenerator: [{name: made, envs: [a.env, b.env]}]\n',
      'a.env': await seal(`${plain('twice')}\n`, { recipients, format: 'binary' }),
      'b.env': await seal(`A=${plain('b')}\nA=b\n`, { recipients, format: 'binary' }),
    },
    'sealed-cm': {
      'kustomization.yaml': 'configMapGenerator: [{name: made, files: [a.env]}]\n',
      'a.env': await seal(`A=${plain('map')}\n`, { recipients, format: 'dotenv' }),
    },
    'sealed-patch': {
      'kustomization.yaml': 'resources: [map.yaml]\npatches: [{path: patch.yaml}]\n',
      'map.yaml': text(configMap('map', { a: '1' })),
      'patch.yaml': await seal(text(configMap(plain('name'), { a: plain('patch') })), { recipients }),
    },
  };
  for (const [name, content] of Object.entries(broken)) {
    const subject = await declare(name, content);
    await untilFailed(subject, 'BuildFailed');
  }
  const refusedBy = await declare('sealed-refused', {
    'p.yaml': await sealed(
      { ...service, metadata: { name: 'bad' }, spec: { type: 'ExternalName', externalName: 'Canary99_not' } },
      ['--encrypted-regex', '^spec$'],
    ),
  });
  canaries.add('Canary99');
  await untilFailed(refusedBy, 'ReconciliationFailed');
  await expectSilence();
});
