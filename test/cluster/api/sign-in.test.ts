/**
 * A person signs in at a real OpenID Connect provider that the API server trusts, behind a proxy that ends TLS. The API
 * server knows the person and the groups from the id token; every flow that is not whole is refused.
 */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSeal } from '../../../src/server/session/seal.ts';
import { freePort } from '../../control-plane/components.ts';
import { startAgentProcess } from '../../support/agent.ts';
import { createBrowser, type HeadlessBrowser, type Page } from '../../support/browser-without-screen.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { startTlsFront } from '../../support/front-servers.ts';
import { startIdentityProvider } from '../../support/identity-provider.ts';
import { at, QUICK_FLAGS } from '../../support/scene.ts';
import { usePrepared, useStarted } from '../../support/use-world.ts';
import { startWorld } from '../../support/world.ts';
import { formsOf } from '../credentials/surfaces.ts';

const SESSION = '/api/v1/session';
const CALLBACK = `${SESSION}/oidc/callback`;
const KEY = Buffer.alloc(32, 'k');

const authority = usePrepared('the authority', makeAuthority);
const port = usePrepared('the port', async () => ({ number: await freePort() }));
const front = useStarted('the front', () =>
  startTlsFront({ server: authority.server, target: `http://127.0.0.1:${port.number}` }),
);
const identity = useStarted('the provider', () =>
  startIdentityProvider({
    authority,
    redirectUris: [`${front.url}${CALLBACK}`],
    groupsOf: (login) => (login === 'ada' ? ['deployers'] : []),
  }),
);
const folder = useStarted('the folder', () => mkdtempDisposable(join(tmpdir(), 'tautline-sign-in-')));
const world = useStarted('the world', () =>
  startWorld({
    apiServerArgs: [
      `--oidc-issuer-url=${identity.issuer}`,
      `--oidc-client-id=${identity.clientId}`,
      `--oidc-ca-file=${identity.caFile}`,
      '--oidc-username-claim=sub',
      '--oidc-username-prefix=oidc:',
      '--oidc-groups-claim=groups',
      '--oidc-groups-prefix=oidc:',
    ],
  }),
);
const agent = useStarted('the agent', async () => {
  const keyFile = join(folder.path, 'key');
  await writeFile(keyFile, KEY);
  const oidc = ['--oidc-issuer', identity.issuer, '--oidc-client-id', identity.clientId, '--oidc-name', 'Example ID'];
  const files = ['--oidc-client-secret-file', identity.secretFile, '--session-key-file', keyFile];
  const places = ['--api-address', `127.0.0.1:${port.number}`, '--public-url', front.url, '--log-level', 'debug'];
  return startAgentProcess({
    kubeconfig: world.plane.kubeconfig,
    flags: [...QUICK_FLAGS, ...oidc, '--oidc-scopes', 'openid groups', ...files, ...places],
    environment: { NODE_EXTRA_CA_CERTS: identity.caFile },
  });
});

const parsed = ({ body }: Page): Record<string, unknown> => JSON.parse(body) as Record<string, unknown>;
const isCallback = (url: string): boolean => url.startsWith(front.url + CALLBACK);

interface Begun {
  readonly browser: HeadlessBrowser;
  /** Address to which the provider sends the browser in the end. */
  readonly url: string;
  readonly from: string;
}

/** Signs in at the provider, up to the callback. */
async function begin(login: string, returnTo = '/'): Promise<Begun> {
  const browser = createBrowser(authority.ca);
  const start = await browser.send(`${front.url}${SESSION}/oidc?return=${encodeURIComponent(returnTo)}`);
  assert.equal(start.status, 303, start.body);
  return { browser, ...(await browser.signIn(start, login, isCallback)) };
}

async function signIn(login: string, returnTo = '/'): Promise<{ browser: HeadlessBrowser; last: Page }> {
  const { browser, url, from } = await begin(login, returnTo);
  return { browser, last: await browser.send(url, { from }) };
}

test('a person signs in at the provider, acts with the rights of the groups, and signs out', async () => {
  await world.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'deployers' },
    rules: [{ apiGroups: ['tautline.dev'], resources: ['applications'], verbs: ['get', 'list', 'patch'] }],
  });
  await world.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'deployers' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'deployers' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'oidc:deployers' }],
  });
  const source = { repoURL: (await world.repository('web')).url };
  const application = await world.declare('web', { source, sync: { mode: 'manual' } });

  const { browser, last } = await signIn('ada', '/applications/apps/web?tab=diff');
  assert.deepEqual([last.status, last.headers.location], [303, '/applications/apps/web?tab=diff'], last.body);
  const [cookie = ''] = last.headers['set-cookie']?.filter((line) => line.startsWith('__Host-tautline-session=')) ?? [];
  assert.match(cookie, /Path=\/; HttpOnly; SameSite=Strict; Secure$/);
  assert.equal(browser.cookiesOf(front.url).has('__Host-tautline-sign-in'), false, 'the cookie of the flow is gone');

  const session = parsed(await browser.send(front.url + SESSION));
  assert.deepEqual([session['signedIn'], session['user']], [true, 'oidc:ada']);
  assert.deepEqual(session['groups'], ['oidc:deployers', 'system:authenticated']);
  assert.deepEqual([session['ways'], session['oidc']], [['token', 'oidc'], { name: 'Example ID' }]);
  assert.ok(Date.parse(String(session['expiresAt'])) <= Date.now() + 3_601_000, 'no longer than the id token');

  const list = parsed(await browser.send(`${front.url}/api/v1/applications`));
  assert.equal(list['total'], 1);
  const suspend = `${front.url}/api/v1/applications/apps/web/suspend`;
  const headers = { 'content-type': 'application/json', origin: front.url };
  const suspended = await browser.send(suspend, { method: 'POST', headers, body: '{}' });
  assert.equal(suspended.status, 200, suspended.body);
  assert.equal(at(await application.read(), 'spec', 'suspend'), true);
  const foreign = { ...headers, origin: 'https://evil.example' };
  assert.equal((await browser.send(suspend, { method: 'POST', headers: foreign, body: '{}' })).status, 403);

  await browser.send(front.url + SESSION, { method: 'DELETE', headers: { origin: front.url } });
  assert.equal(parsed(await browser.send(front.url + SESSION))['signedIn'], false);

  const value = cookie.slice(cookie.indexOf('=') + 1, cookie.indexOf(';'));
  const { token } = JSON.parse(createSeal(KEY).open('session', value) ?? '{}') as { token: string };
  const metrics = await (await fetch(`${agent.metricsUrl}/metrics`)).text();
  const shown = [JSON.stringify(agent.log), agent.stderr(), metrics, JSON.stringify([session, list]), last.body];
  for (const secret of [token.split('.')[2] ?? assert.fail('no JWT'), identity.clientSecret]) {
    for (const form of formsOf(secret)) assert.ok(!shown.some((text) => text.includes(form)), form);
  }
});

test('a person without a group is signed in, and sees nothing', async () => {
  const { browser } = await signIn('eve');
  assert.equal(parsed(await browser.send(front.url + SESSION))['user'], 'oidc:eve');
  assert.equal((await browser.send(`${front.url}/api/v1/applications`)).status, 403);
});

test('an answer of the provider is good once, in the browser that asked, with the state that was sent', async () => {
  const { browser, url, from } = await begin('ada');
  const stranger = await createBrowser(authority.ca).send(url, { from });
  assert.equal(stranger.status, 400, 'a browser without the cookie of the flow');
  assert.match(stranger.body, /begin it again/);
  const other = await begin('ada');
  assert.equal((await other.browser.send(url, { from })).status, 403, 'the answer to another flow');
  assert.equal((await browser.send(url, { from })).status, 303);
  assert.equal((await browser.send(url, { from })).status, 400, 'a second time');
});

test('a code that the provider does not know, and a refusal of the person, begin no session', async () => {
  for (const change of [
    (query: URLSearchParams) => query.set('code', 'x'),
    (query: URLSearchParams) => query.delete('code'),
    (query: URLSearchParams) => query.set('iss', 'https://evil.example'),
    (query: URLSearchParams) => {
      query.delete('code');
      query.set('error', 'access_denied');
      query.set('error_description', '<script>alert(1)</script>');
    },
  ]) {
    const { browser, url, from } = await begin('ada');
    const answered = new URL(url);
    change(answered.searchParams);
    const page = await browser.send(answered.href, { from });
    assert.equal(page.status, 403, page.body);
    assert.match(String(page.headers['content-type']), /^text\/html/);
    assert.ok(page.body.includes('Example ID') && !page.body.includes('<script'), page.body);
    assert.equal(parsed(await browser.send(front.url + SESSION))['signedIn'], false);
    const program = await browser.send(answered.href, { from, headers: { accept: 'application/json' } });
    assert.deepEqual([program.status, parsed(program)['code']], [400, 'FlowUnknown']);
  }
});

test('a return to another site is refused before anything else', async () => {
  const browser = createBrowser(authority.ca);
  for (const path of ['https://evil.example', '//evil.example', '/\\evil.example', 'x', '/\t/evil.example', '/ü']) {
    const page = await browser.send(`${front.url}${SESSION}/oidc?return=${encodeURIComponent(path)}`);
    assert.equal(page.status, 400, path);
    assert.equal(page.headers['set-cookie'], undefined);
  }
});
