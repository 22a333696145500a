import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxySettings } from '../../../src/config/environment.ts';
import { proxyFor } from '../../../src/source/transport/proxy.ts';
import { createRepository } from '../../support/git-repository.ts';
import { startProxy } from '../../support/front-servers.ts';
import { noProxy, startHarness } from './source-harness.ts';

const settings = { http: 'http://plain:3128', https: 'secure:3129', exceptions: '' };

test('http and https have their own proxies, and an address without scheme is an http proxy', () => {
  assert.equal(proxyFor(new URL('http://git.example.com/a'), settings), 'http://plain:3128/');
  assert.equal(proxyFor(new URL('https://git.example.com/a'), settings), 'http://secure:3129/');
  assert.equal(proxyFor(new URL('https://git.example.com/a'), { ...settings, https: '' }), undefined);
});

const EXCEPTIONS: readonly (readonly [exceptions: string, url: string, isDirect: boolean])[] = [
  ['', 'https://git.example.com', false],
  ['', 'https://localhost:8443', true],
  ['', 'https://127.0.0.5', true],
  ['', 'https://[::1]:8443', true],
  ['*', 'https://git.example.com', true],
  ['example.com', 'https://example.com', true],
  ['example.com', 'https://git.example.com', true],
  ['Example.COM', 'https://git.example.com', true],
  ['example.com', 'https://notexample.com', false],
  ['.example.com', 'https://example.com', false],
  ['.example.com', 'https://git.example.com', true],
  ['*.example.com', 'https://git.example.com', true],
  ['a.com, example.com', 'https://git.example.com', true],
  ['git.example.com:8443', 'https://git.example.com', false],
  ['git.example.com:8443', 'https://git.example.com:8443', true],
  ['git.example.com:443', 'https://git.example.com', true],
  ['10.0.0.0/8', 'https://10.1.2.3', true],
  ['10.0.0.0/8', 'https://11.1.2.3', false],
  ['10.0.0.0/8', 'https://git.example.com', false],
  ['10.0.0.0/99', 'https://10.1.2.3', false],
  ['10.1.2.3', 'https://10.1.2.3:8443', true],
  ['fd00::/8', 'https://[fd12::1]', true],
  ['[fd12::1]:8443', 'https://[fd12::1]:8443', true],
  ['2.3', 'https://10.1.2.3', false],
];

for (const [exceptions, url, isDirect] of EXCEPTIONS) {
  test(`${url} is asked ${isDirect ? 'directly' : 'through the proxy'} with NO_PROXY=${exceptions}`, () => {
    assert.equal(proxyFor(new URL(url), { ...settings, exceptions }) === undefined, isDirect);
  });
}

test('a proxy that is not http or https is refused by the name of its variable, without its address', () => {
  const wrong = { ...settings, https: 'socks5://user:geheim@host' };
  assert.throws(() => proxyFor(new URL('https://git.example.com'), wrong), {
    code: 'InvalidProxy',
    message: /^The variable HTTPS_PROXY does not hold the address/,
  });
});

test('a variable in lower case has precedence over the one in upper case', () => {
  const environment = { HTTP_PROXY: 'a', http_proxy: 'b', HTTPS_PROXY: 'c', NO_PROXY: 'd', no_proxy: '' };
  assert.deepEqual(proxySettings(environment), { http: 'b', https: 'c', exceptions: 'd' });
  assert.deepEqual(proxySettings({}), noProxy);
});

test('an http repository is fetched through the proxy with the login of the proxy', async (t) => {
  await using proxy = await startProxy();
  const address = proxy.url.replace('//', '//agent:geheim@');
  const { server, source } = await startHarness(t, { proxy: { ...noProxy, http: address } });
  const repository = await createRepository(server, 'shop');
  const commit = await repository.commit({ 'a.yaml': 'a: 1\n' });
  const repoUrl = repository.url.replace('127.0.0.1', 'git.example.invalid');
  const resolved = await source.poll({ repoUrl });
  assert.equal((await source.fetch({ repoUrl, resolved })).commit, commit);
  assert.ok(proxy.asked.length >= 3 && server.requests.length === proxy.asked.length);
  assert.equal(proxy.asked[0]?.authorization, `Basic ${Buffer.from('agent:geheim').toString('base64')}`);

  proxy.refuses = true;
  await assert.rejects(source.poll({ repoUrl }), { code: 'Network', message: /the proxy refused \(HTTP status 407\)/ });
});
