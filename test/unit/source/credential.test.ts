import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { before, test } from 'node:test';
import { StageError } from '../../../src/object/stage-error.ts';
import { parseCredential, type Credential } from '../../../src/source/credential.ts';
import { redact, redactError } from '../../../src/source/mask.ts';
import { createRepositoryNaming, isPrivate } from '../../../src/source/repository.ts';
import { remoteError } from '../../../src/source/transport/answer-error.ts';
import { makeAuthority, type Authority } from '../../support/certificates.ts';

let authority: Authority;
before(async () => void (authority = await makeAuthority()));

function parse(values: Readonly<Record<string, string | Uint8Array>>): Credential {
  const data = new Map(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)]));
  return parseCredential({ secret: 'apps/git', data });
}

test('user and password, or a token, become the login', () => {
  const basic = { type: 'basic', username: 'me', password: 'pä:ß 🔑' };
  assert.deepEqual(parse({ username: 'me', password: 'pä:ß 🔑' }).login, basic);
  assert.deepEqual(parse({ bearerToken: 'abc.def==' }).login, { type: 'bearer', token: 'abc.def==' });
});

test('one line end at the end of a value is dropped, since editors and shells add one', () => {
  const { login } = parse({ username: 'me\n', password: 'geheim\r\n' });
  assert.deepEqual(login, { type: 'basic', username: 'me', password: 'geheim' });
  assert.deepEqual(parse({ bearerToken: 'abc\n' }).login, { type: 'bearer', token: 'abc' });
});

test('a Secret of Argo CD or of Flux is read unchanged, and its other keys are ignored', () => {
  const { ca, client } = authority;
  const argo = parse({
    ...{ type: 'git', url: 'https://x', project: 'p', name: 'n', insecure: 'true' },
    ...{ username: 'me', password: 'geheim' },
    ...{ tlsClientCertData: client.certificate, tlsClientCertKey: client.key },
  });
  assert.deepEqual(argo.login, { type: 'basic', username: 'me', password: 'geheim' });
  assert.deepEqual(argo.clientCertificate, { certificate: client.certificate, key: client.key });
  const flux = parse({ 'ca.crt': ca, 'tls.crt': client.certificate, 'tls.key': client.key });
  const former = parse({ caFile: ca, certFile: client.certificate, keyFile: client.key });
  assert.deepEqual(flux, former);
  assert.equal(flux.ca, ca);
  assert.equal(flux.login, undefined);
});

const REFUSED: readonly (readonly [string, () => Readonly<Record<string, string | Uint8Array>>, RegExp])[] = [
  ['nothing', () => ({}), /no credentials that Tautline knows/],
  ['only empty values', () => ({ username: '', password: '' }), /no credentials/],
  ['known hosts without a key', () => ({ known_hosts: 'x' }), /no credentials/],
  [
    'a key for SSH that is none',
    () => ({ identity: 'geheim' }),
    /no private key in PEM or in the form of OpenSSH under identity/,
  ],
  ['a key for SSH and a user', () => ({ identity: 'geheim', username: 'me' }), /both identity and username/],
  [
    'damaged known hosts',
    () => ({ identity: '-----BEGIN OPENSSH PRIVATE KEY-----\ngeheim', known_hosts: '# x\ngit.example.com geheim' }),
    /under known_hosts that is not in the form of OpenSSH: line 2/,
  ],
  ['a user without password', () => ({ username: 'geheim' }), /username without password/],
  ['a password without user', () => ({ password: 'geheim' }), /password without username/],
  [
    'a password and a token',
    () => ({ username: 'me', password: 'geheim', bearerToken: 'geheim' }),
    /both username and bearerToken/,
  ],
  [
    'bytes that are not text',
    () => ({ username: 'me', password: Buffer.from([0xff, 0xfe]) }),
    /password that are not UTF-8/,
  ],
  ['a line break within', () => ({ bearerToken: 'geheim\r\nX-Evil: 1' }), /line break .*bearerToken/],
  ['two line ends after a value', () => ({ username: 'me', password: 'geheim\n\n' }), /line break .*password/],
  ['a token beyond ASCII', () => ({ bearerToken: 'gehäim' }), /not allowed in a header/],
  ['a colon in the user', () => ({ username: 'ge:heim', password: 'x' }), /colon under username/],
  ['a CA that is not PEM', () => ({ 'ca.crt': 'geheim' }), /no certificates in PEM under ca\.crt/],
  ['a CA whose PEM holds no certificate', () => ({ caFile: pemOf('geheim') }), /no certificates in PEM under caFile/],
  ['a certificate without key', () => ({ 'tls.crt': authority.client.certificate }), /tls\.crt without tls\.key/],
  ['a key without certificate', () => ({ tlsClientCertKey: 'geheim' }), /tlsClientCertKey without tls\.crt/],
  [
    'text in place of a certificate',
    () => ({ 'tls.crt': 'geheim', 'tls.key': 'x' }),
    /certificate in PEM under tls\.crt/,
  ],
  [
    'text in place of a key',
    () => ({ 'tls.crt': authority.client.certificate, 'tls.key': 'geheim' }),
    /key in PEM under tls/,
  ],
  [
    'the key of another certificate',
    () => ({ 'tls.crt': authority.client.certificate, 'tls.key': authority.server.key }),
    /not belong/,
  ],
  ['an encrypted key', () => ({ 'tls.crt': authority.client.certificate, 'tls.key': encrypted() }), /passphrase/],
];

for (const [what, values, problem] of REFUSED) {
  test(`a Secret with ${what} is refused by name and key, without its value`, () => {
    assert.throws(
      () => parse(values()),
      (error: unknown) => {
        assert.ok(error instanceof StageError);
        assert.deepEqual([error.stage, error.code, error.retry], ['source', 'InvalidSecret', 'backoff']);
        assert.match(error.message, problem);
        assert.match(error.message, /^The Secret apps\/git /);
        assert.doesNotMatch(error.message, /geheim|Z2VoZWlt|BEGIN/);
        assert.equal(error.cause, undefined);
        return true;
      },
    );
  });
}

function pemOf(text: string): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(text).toString('base64')}\n-----END CERTIFICATE-----\n`;
}

function encrypted(): string {
  const form = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'geheim' } as const;
  return String(createPrivateKey(authority.client.key).export(form));
}

const SECRET = 'p@ss wörd/+"ÿ=';
const REPEATED: Readonly<Record<string, string>> = {
  plain: SECRET,
  'in base64': Buffer.from(SECRET).toString('base64'),
  'in base64 without its padding': Buffer.from(SECRET).toString('base64url'),
  'as the header': `Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}`,
  'in a URL': encodeURIComponent(SECRET),
  'in a URL in lower case': encodeURIComponent(SECRET).replace(/%../g, (code) => code.toLowerCase()),
  'in a form': encodeURIComponent(SECRET).replaceAll('%20', '+'),
  'in JSON': JSON.stringify({ a: SECRET }),
};

for (const [how, form] of Object.entries(REPEATED)) {
  test(`a credential that a server repeats ${how} is masked`, () => {
    const credential = parse({ username: 'me', password: SECRET });
    const told = redactError(remoteError('https://x', `bad ${form} and ${form}, again`), credential) as StageError;
    const core = form.replace(/^Basic /, '').replace(/=+$/, '');
    assert.ok(!told.message.includes(core), told.message);
    assert.match(told.message, /\*{8}.*\*{8}.*again/);
    assert.equal(told.code, 'RemoteError');
  });
}

test('a credential that is cut at the end of a message is masked', () => {
  const token = `canary${'x1y2'.repeat(20)}`;
  const credential = parse({ bearerToken: token });
  for (let at = 100; at < 200; at += 3) {
    const said = `${'-'.repeat(at)}${token}`;
    const told = redactError(remoteError('https://x', said), credential) as Error;
    assert.doesNotMatch(told.message, /cana/, told.message);
  }
});

test('a user name is shown unless it is long enough to be a token', () => {
  assert.equal(redact('git said no', parse({ username: 'git', password: 'geheim' })), 'git said no');
  const token = parse({ username: 'ghp_0123456789abcdef', password: 'x-oauth-basic' });
  assert.doesNotMatch(redact('ghp_0123456789abcdef', token), /ghp_/);
});

test('secrets are masked in the message and the stack of an unexpected error', () => {
  const credential = parse({ bearerToken: 'geheim-token' });
  const told = redactError(new TypeError('invalid header geheim-token'), credential) as Error;
  assert.doesNotMatch(`${told.message} ${told.stack}`, /geheim/);
  assert.equal(redactError('text', credential), 'text');
});

test('the key of a repository depends on the whole credential, and on the process', () => {
  const name = createRepositoryNaming();
  const { ca, client } = authority;
  const certificate = { 'tls.crt': client.certificate, 'tls.key': client.key };
  const credentials = [
    undefined,
    parse({ bearerToken: 'abcd' }),
    parse({ bearerToken: 'abce' }),
    parse({ bearerToken: 'abcd', 'ca.crt': ca }),
    parse({ bearerToken: 'abcd', ...certificate }),
    parse({ 'ca.crt': ca }),
    parse(certificate),
    parse({ username: 'abcd', password: 'ef' }),
    parse({ username: 'abc', password: 'def' }),
    parse({ username: 'abcd', password: 'eg' }),
  ];
  const keys = credentials.map((credential) => name('https://x/a', credential).key);
  assert.equal(new Set(keys).size, keys.length);
  assert.deepEqual(keys.map(isPrivate), [false, ...Array.from({ length: keys.length - 1 }, () => true)]);
  const [, same] = credentials;
  assert.equal(name('https://x/a/', { ...(same as Credential), secret: 'other/name' }).key, keys[1]);
  assert.notEqual(name('https://x/b', same).key, keys[1]);
  const next = createRepositoryNaming();
  assert.notEqual(next('https://x/a', same).key, keys[1]);
  assert.equal(next('https://x/a', undefined).key, keys[0]);
});
