/** Settings: their sources and precedence, and the messages about invalid values. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { readConfig, SETTINGS, variableOf, type Config } from '../../../src/config/config.ts';
import { inClusterAddress } from '../../../src/config/environment.ts';
import { VERSION } from '../../../src/config/version.ts';

function configOf(flags: Record<string, string>, environment: Record<string, string> = {}): Config {
  const read = readConfig(flags, environment);
  assert.ok(read.ok, read.ok ? '' : read.problem);
  return read.config;
}

function problemOf(flags: Record<string, string>, environment: Record<string, string> = {}): string {
  const read = readConfig(flags, environment);
  assert.ok(!read.ok);
  return read.problem;
}

test('the version equals the one in package.json', async () => {
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
  assert.equal(VERSION, (JSON.parse(text) as { version: string }).version);
});

test('every default is a valid value', () => {
  const config = configOf({});
  assert.deepEqual(Object.keys(config).sort(), Object.keys(SETTINGS).sort());
  assert.equal(config.minBackoffMs, 1000);
  assert.equal(config.concurrency, 4);
  assert.deepEqual(config.probesAddress, { host: '127.0.0.1', port: 8081 });
});

test('a flag takes precedence over its variable, and the variable over the default', () => {
  const environment = { TAUTLINE_CONCURRENCY: '7' };
  assert.equal(configOf({}, environment).concurrency, 7);
  assert.equal(configOf({ concurrency: '9' }, environment).concurrency, 9);
});

test('an empty variable counts as not set', () => {
  assert.equal(configOf({}, { TAUTLINE_CONCURRENCY: '' }).concurrency, 4);
});

test('KUBECONFIG is used when neither flag nor variable names a kubeconfig', () => {
  assert.equal(configOf({}, { KUBECONFIG: '/a' }).kubeconfig, '/a');
  assert.equal(configOf({ kubeconfig: '/b' }, { KUBECONFIG: '/a' }).kubeconfig, '/b');
  assert.equal(configOf({}, { KUBECONFIG: '/a', TAUTLINE_KUBECONFIG: '/c' }).kubeconfig, '/c');
});

test('every setting has its own flag and variable', () => {
  const settings = Object.values(SETTINGS);
  assert.equal(new Set(settings.map(({ flag }) => flag)).size, settings.length);
  assert.equal(variableOf({ flag: 'max-pack-mib' }), 'TAUTLINE_MAX_PACK_MIB');
});

test('the name of a duration or size ends in its unit', () => {
  const names = Object.entries(SETTINGS).filter(
    ([name, { flag, type }]) =>
      (type === 'duration' && !name.endsWith('Ms')) || (flag.endsWith('-mib') && !name.endsWith('Mib')),
  );
  assert.deepEqual(names, []);
});

test('addresses of IPv4 and IPv6 are accepted', () => {
  assert.deepEqual(configOf({ apiAddress: '[::1]:80' }).apiAddress, { host: '::1', port: 80 });
  assert.deepEqual(configOf({ apiAddress: '0.0.0.0:0' }).apiAddress, { host: '0.0.0.0', port: 0 });
});

const OIDC = {
  oidcIssuer: 'https://login.example.com/realm',
  oidcClientId: 'tautline',
  publicUrl: 'https://t.example.com/',
};

test('a provider needs a client and a public URL, and the scope openid', () => {
  const { oidcIssuer, publicUrl } = configOf(OIDC);
  assert.deepEqual([oidcIssuer, publicUrl], ['https://login.example.com/realm', 'https://t.example.com']);
  assert.equal(configOf({}).oidcIssuer, undefined);
  assert.match(problemOf({ ...OIDC, oidcClientId: '' }), /needs --oidc-client-id/);
  assert.match(problemOf({ ...OIDC, publicUrl: '' }), /needs --public-url/);
  assert.match(problemOf({ ...OIDC, oidcScopes: 'profile' }), /must contain openid/);
  for (const oidcIssuer of ['http://login.example.com', 'x', 'https://a:b@login.example.com', 'https://a.example/?x']) {
    assert.match(problemOf({ ...OIDC, oidcIssuer }), /--oidc-issuer must be the address of an issuer/, oidcIssuer);
  }
  for (const publicUrl of [
    't.example.com',
    'https://t.example.com/path',
    'ftp://t.example.com',
    'https://a@b.example',
  ]) {
    assert.match(problemOf({ ...OIDC, publicUrl }), /--public-url must be the address of a site/, publicUrl);
  }
});

for (const [name, value, expected] of [
  ['concurrency', '0', "--concurrency must be a whole number from 1 to 64, not '0'"],
  ['concurrency', '1.5', "--concurrency must be a whole number from 1 to 64, not '1.5'"],
  ['concurrency', '', "--concurrency must be a whole number from 1 to 64, not ''"],
  ['logLevel', 'loud', "--log-level must be one of debug, info, warn, error, not 'loud'"],
  ['allowCrossNamespace', 'yes', "--allow-cross-namespace must be true or false, not 'yes'"],
  [
    'defaultServiceAccount',
    'system:admin',
    "--default-service-account must be the name of a ServiceAccount, such as deployer, not 'system:admin'",
  ],
  [
    'defaultServiceAccount',
    ' ',
    "--default-service-account must be the name of a ServiceAccount, such as deployer, not ' '",
  ],
  ['minBackoffMs', '5', "--min-backoff must be a duration from 10ms to 24h, such as 30s or 1m30s, not '5'"],
  ['progressCheckMs', '0s', "--progress-check must be a duration from 10ms to 24h, such as 30s or 1m30s, not '0s'"],
  ['maxBackoffMs', '900h', "--max-backoff must be a duration from 10ms to 24h, such as 30s or 1m30s, not '900h'"],
  ['apiAddress', '8080', "--api-address must be host:port, such as 127.0.0.1:8080, not '8080'"],
  ['apiAddress', 'localhost:99999', "--api-address must be host:port, such as 127.0.0.1:8080, not 'localhost:99999'"],
] as const) {
  test(`${name} '${value}' is refused with the allowed values`, () => {
    assert.equal(problemOf({ [name]: value }), expected);
  });
}

test('an invalid value of a variable is reported with the name of the variable', () => {
  assert.match(problemOf({}, { TAUTLINE_MAX_FILE_MIB: 'big' }), /^TAUTLINE_MAX_FILE_MIB must be a whole number/);
});

test('a first delay that is longer than the longest delay is refused', () => {
  assert.equal(problemOf({ minBackoffMs: '10m' }), '--min-backoff must not be longer than --max-backoff');
  assert.equal(problemOf({ maxPollBackoffMs: '1s' }), '--min-poll-backoff must not be longer than --max-poll-backoff');
});

test('the address of the API server is read from the environment of a Pod', () => {
  const environment = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' };
  assert.deepEqual(inClusterAddress(environment), { host: '10.0.0.1', port: '6443' });
  assert.deepEqual(inClusterAddress({}), { host: '', port: '443' });
});
