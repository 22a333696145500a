import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readChallenges } from '../../../src/registry/challenge.ts';
import { parseReference } from '../../../src/registry/reference.ts';
import { mayAskRealm } from '../../../src/registry/tokens.ts';
import { parseDockerConfig } from '../../../src/source/docker-config.ts';

const parse = (url: string, chart?: string) => parseReference(url, { chart, plainHttpHosts: ['plain.example:5000'] });

test('an address of an artifact names registry and artifact', () => {
  const { origin, name, label } = parse('oci://Registry.Example:5000/team/app/');
  assert.deepEqual([origin, name], ['https://registry.example:5000', 'team/app']);
  assert.equal(label, 'oci://registry.example:5000/team/app');
  assert.equal(parse('oci://registry.example/charts', 'web').name, 'charts/web');
  assert.equal(parse('oci://registry.example', 'web').name, 'web');
});

test('loopback and the hosts of the setting speak http, all others https', () => {
  const originOf = (host: string): string => parse(`oci://${host}/app`).origin;
  assert.equal(originOf('127.0.0.1:5000'), 'http://127.0.0.1:5000');
  assert.equal(originOf('localhost'), 'http://localhost');
  assert.equal(originOf('plain.example:5000'), 'http://plain.example:5000');
  assert.equal(originOf('plain.example'), 'https://plain.example');
  assert.equal(originOf('127.0.0.1.example'), 'https://127.0.0.1.example');
});

test('addresses with a tag, a digest, a user or another form are refused', () => {
  const refused = (url: string, code: string, message: RegExp) =>
    assert.throws(() => parse(url), { code, message }, url);
  refused('oci://registry.example/app:v1', 'InvalidUrl', /Put the tag or digest into spec\.source\.revision/);
  refused('oci://registry.example/app@sha256:abc', 'InvalidUrl', /spec\.source\.revision/);
  refused('oci://me:word@registry.example/app', 'CredentialsInUrl', /put credentials into a Secret/);
  assert.throws(() => parse('oci://me:word@registry.example/app'), { retry: 'never' });
  for (const url of [
    'oci://registry.example',
    'oci://registry.example/App',
    'oci://registry.example/a//b',
    'oci:///a',
  ]) {
    refused(url, 'InvalidUrl', /is no address of an artifact/);
  }
});

test('challenges are read in every form, and as far as they can be read', () => {
  const shown = (header: string | string[]) =>
    readChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
  assert.deepEqual(shown('Bearer realm="https://a/token",service="b c",scope="repository:x:pull,push"'), [
    ['bearer', { realm: 'https://a/token', service: 'b c', scope: 'repository:x:pull,push' }],
  ]);
  assert.deepEqual(shown('Basic realm=x, Bearer realm="a\\"b"'), [
    ['basic', { realm: 'x' }],
    ['bearer', { realm: 'a"b' }],
  ]);
  assert.deepEqual(shown(['Negotiate', 'Basic realm="y"']), [
    ['negotiate', {}],
    ['basic', { realm: 'y' }],
  ]);
  assert.deepEqual(shown('Bearer realm="open'), [['bearer', { realm: '' }]]);
  assert.deepEqual(shown(''), []);
});

test('tokens are asked for over https, and at hosts of the own domain or of the setting', () => {
  const may = (realm: string, registry: string, allowed: string[] = []): boolean =>
    mayAskRealm(new URL(realm), new URL(registry), allowed);
  assert.equal(may('https://r.example.com/token', 'https://r.example.com'), true);
  assert.equal(may('https://auth.example.com/token', 'https://registry.example.com'), true);
  assert.equal(may('https://example.com/jwt', 'https://registry.example.com'), true);
  assert.equal(may('https://auth.registry.example.com', 'https://registry.example.com'), true);
  assert.equal(may('http://r.example.com/token', 'https://r.example.com'), false);
  assert.equal(may('http://127.0.0.1:1/token', 'http://127.0.0.1:2'), true);
  assert.equal(may('https://other.net/token', 'https://registry.example.com'), false);
  assert.equal(may('https://other.com/token', 'https://example.com'), false);
  assert.equal(may('https://other.co.uk/token', 'https://registry.co.uk'), false);
  assert.equal(may('https://badexample.com/token', 'https://registry.example.com'), false);
  assert.equal(may('https://10.0.0.2/token', 'https://10.0.0.1'), false);
  assert.equal(may('https://other.net/token', 'https://r.example.com', ['other.net']), true);
  assert.equal(may('https://a.other.net/token', 'https://r.example.com', ['*.other.net']), true);
  assert.equal(may('http://other.net/token', 'https://r.example.com', ['other.net']), false);
});

test('logins are read from what docker login writes, by host', () => {
  const auth = Buffer.from('robot:word:with:colons').toString('base64');
  const read = parseDockerConfig(
    Buffer.from(
      JSON.stringify({
        auths: {
          'https://Index.example/v1/': { auth },
          'registry.example:5000': { username: 'me', password: 'word' },
          'helper.example': {},
          'broken.example': { auth: 'bm8gY29sb24=' },
        },
        credHelpers: { 'helper.example': 'x' },
      }),
    ),
  );
  assert.deepEqual(read && [...read], [
    ['index.example', { type: 'basic', username: 'robot', password: 'word:with:colons' }],
    ['registry.example:5000', { type: 'basic', username: 'me', password: 'word' }],
  ]);
  for (const text of ['', 'x', '[]', 'null', '{"auths":1}']) {
    assert.equal(parseDockerConfig(Buffer.from(text)), undefined, text);
  }
});
