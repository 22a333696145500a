import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tgzOf } from '../../support/archives.ts';
import { startRegistry } from '../../support/registry-server.ts';
import { bring, secretOf, startArtifacts } from './artifact-harness.ts';

const content = () => tgzOf([{ name: 'app.yaml', data: 'one' }]);
const login = { username: 'robot', password: 'hidden-word' };

for (const challenge of ['basic', 'bearer'] as const) {
  test(`a private registry is read with the credentials of a Secret (${challenge})`, async (t) => {
    const { registry, source, oci } = await startArtifacts(t);
    registry.login = { ...login, challenge };
    registry.push('app', 'v1', { content: await content() });
    const place = { repoUrl: `${oci}/app` };
    await assert.rejects(bring(source, place, 'v1'), {
      code: 'AuthenticationRequired',
      message: /spec\.source\.secretRef/,
    });
    const dockerConfig = JSON.stringify({
      auths: { [`https://${registry.host}/v1/`]: { auth: Buffer.from('robot:hidden-word').toString('base64') } },
    });
    for (const secret of [login, { '.dockerconfigjson': dockerConfig }]) {
      registry.requests.length = 0;
      await bring(source, { ...place, credential: secretOf(secret) }, 'v1');
      // The answer to the first challenge is used again.
      assert.equal(registry.requests.filter(({ authorization }) => authorization === undefined).length, 1);
    }
    await assert.rejects(
      bring(source, { ...place, credential: secretOf({ ...login, password: 'wrong-word' }) }, 'v1'),
      {
        message: /Secret team\/registry|the credentials may read it/,
      },
    );
  });
}

test('the login of another registry is not sent', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  registry.login = { ...login, challenge: 'basic' };
  const auths = { 'other.example': { username: 'robot', password: 'hidden-word' } };
  const credential = secretOf({ '.dockerconfigjson': JSON.stringify({ auths }) });
  await assert.rejects(bring(source, { repoUrl: `${oci}/app`, credential }, 'v1'));
  assert.ok(registry.requests.every(({ authorization }) => authorization === undefined));
});

test('a registry that sends clients to another host for a token gets no credentials there', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  const thief = await startRegistry();
  t.after(() => thief.stop());
  registry.intercept = (_request, response) => {
    const realm = thief.url.replace('127.0.0.1', 'localhost');
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}/token",service="x"` }).end();
    return true;
  };
  const place = { repoUrl: `${oci}/app`, credential: secretOf(login) };
  await assert.rejects(source.poll({ ...place, revision: 'v1' }), {
    code: 'RealmRefused',
    message: /sends clients to another host .*--registry-token-hosts/,
  });
  assert.deepEqual(thief.requests, []);
});

test('a registry that refuses every token is asked twice, and no more', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  registry.intercept = ({ url }, response) => {
    if (url?.startsWith('/token')) return false;
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${registry.url}/token"` }).end();
    return true;
  };
  await assert.rejects(source.poll({ repoUrl: `${oci}/app`, revision: 'semver:1.x' }), {
    code: 'AuthenticationRequired',
  });
  assert.equal(registry.requests.length, 3);
});

test('a blob may come from another host, which sees no credentials', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  const storage = await startRegistry();
  t.after(() => storage.stop());
  const archive = await content();
  registry.login = { ...login, challenge: 'basic' };
  registry.push('app', 'v1', { content: archive });
  storage.putFile('/bucket/blob', archive);
  registry.intercept = ({ url, headers }, response) => {
    if (!url?.includes('/blobs/') || !headers.authorization) return false;
    response.writeHead(307, { location: `${storage.url}/bucket/blob?signature=x` }).end();
    return true;
  };
  await bring(source, { repoUrl: `${oci}/app`, credential: secretOf(login) }, 'v1');
  assert.deepEqual(
    storage.requests.map(({ authorization }) => authorization),
    [undefined],
  );
});

test('a manifest does not come from another host', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  registry.intercept = (_request, response) => {
    response.writeHead(307, { location: 'http://127.0.0.1:1/elsewhere' }).end();
    return true;
  };
  await assert.rejects(source.poll({ repoUrl: `${oci}/app` }), { code: 'RedirectRefused' });
});

test('denied addresses are not reached: not as a registry, not by a redirect, not as a Helm repository', async (t) => {
  const free = await startArtifacts(t);
  const deny = [{ type: 'network', address: '127.0.0.0', bits: 8 } as const];
  const closed = await startArtifacts(t, { addresses: { allow: [], deny } });
  const denied = { code: 'AddressDenied' };
  await assert.rejects(closed.source.poll({ repoUrl: `${closed.oci}/app` }), denied);
  await assert.rejects(closed.source.poll({ repoUrl: closed.registry.url, chart: 'web' }), denied);
  assert.deepEqual(closed.registry.requests, []);

  const only = [{ type: 'host', host: '127.0.0.1', port: free.registry.host.split(':')[1], path: '' } as const];
  const one = await startArtifacts(t, { addresses: { allow: only, deny: [] } });
  one.registry.intercept = () => assert.fail('a denied address was reached');
  free.registry.push('app', 'v1', { content: await content() });
  free.registry.intercept = ({ url }, response) => {
    if (!url?.includes('/blobs/')) return false;
    response.writeHead(307, { location: `${one.registry.url}/blob` }).end();
    return true;
  };
  await assert.rejects(bring(one.source, { repoUrl: `${free.oci}/app` }, 'v1'), denied);
});

test('hosts that cannot be reached are told in the same words, and no credential is in an error', async (t) => {
  const { registry, source, oci } = await startArtifacts(t);
  await assert.rejects(source.poll({ repoUrl: 'oci://127.0.0.1:1/app' }), {
    code: 'Network',
    message:
      'oci://127.0.0.1:1/app could not be reached. Check the address, and whether the agent may connect to its host.',
  });
  registry.intercept = (request, response) => {
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: request.headers.authorization }] });
    response.writeHead(403, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
    return true;
  };
  await assert.rejects(source.poll({ repoUrl: `${oci}/app`, revision: 'semver:*', credential: secretOf(login) }), {
    code: 'AccessDenied',
    message: /denies access.*\(HTTP status 403, DENIED\)/,
  });
});
