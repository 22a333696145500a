import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostKeyAlgorithms, judgeHostKey, keysOfHost, parseKnownHosts } from '../../../src/source/known-hosts.ts';

function keyLine(type: string, content = type): string {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return `${type} ${Buffer.concat([length, Buffer.from(type), Buffer.from(content)]).toString('base64')}`;
}

const ED25519 = keyLine('ssh-ed25519');
const RSA = keyLine('ssh-rsa');
const ECDSA = keyLine('ecdsa-sha2-nistp384');

function blob(line: string): Buffer {
  return Buffer.from(line.split(' ').at(-1) ?? '', 'base64');
}

function hostKeys(text: string, host = 'git.example.com', port = 22) {
  const parsed = parseKnownHosts(text);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return keysOfHost(parsed.hosts, { host, port });
}

function hashed(name: string): string {
  const salt = Buffer.from('0123456789abcdef0123');
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

test('a line counts for its host and port only, whether it is plain, hashed or a pattern', () => {
  const cases: readonly (readonly [names: string, host: string, port: number, isKnown: boolean])[] = [
    ['git.example.com', 'git.example.com', 22, true],
    ['Git.Example.com', 'git.example.com', 22, true],
    ['git.example.com', 'git.example.com', 2222, false],
    ['[git.example.com]:2222', 'git.example.com', 2222, true],
    ['[git.example.com]:2222', 'git.example.com', 22, false],
    ['other,git.example.com', 'git.example.com', 22, true],
    ['*.example.com', 'git.example.com', 22, true],
    ['*.example.com', 'example.com', 22, false],
    ['git?.example.com', 'git1.example.com', 22, true],
    ['*.example.com,!git.example.com', 'git.example.com', 22, false],
    ['::1', '::1', 22, true],
    [hashed('git.example.com'), 'git.example.com', 22, true],
    [hashed('git.example.com'), 'git.example.org', 22, false],
    [hashed('[git.example.com]:2222'), 'git.example.com', 2222, true],
  ];
  for (const [names, host, port, isKnown] of cases) {
    const { trusted } = hostKeys(`${names} ${ED25519} a comment`, host, port);
    assert.equal(trusted.length === 1, isKnown, `${names} for ${host}:${port}`);
  }
});

test('the server is asked for the types of keys that are known, and RSA never with SHA-1', () => {
  const text = `git.example.com ${RSA}\ngit.example.com ${ECDSA}\n`;
  assert.deepEqual(hostKeyAlgorithms(hostKeys(text)), ['ecdsa-sha2-nistp384', 'rsa-sha2-512', 'rsa-sha2-256']);
  const unsupported = `git.example.com ${keyLine('sk-ssh-ed25519@openssh.com')}\n`;
  assert.deepEqual(hostKeys(unsupported).trusted, []);
});

test('another key is a changed one, and a revoked key is refused even if it is known as well', () => {
  const known = hostKeys(`git.example.com ${ED25519}\n@revoked * ${RSA}\ngit.example.com ${RSA}\n`);
  assert.equal(judgeHostKey(known, blob(ED25519)), 'trusted');
  assert.equal(judgeHostKey(known, blob(ECDSA)), 'changed');
  assert.equal(judgeHostKey(known, blob(RSA)), 'revoked');
});

test('a line of a certificate authority trusts no key', () => {
  const { trusted, isByAuthority } = hostKeys(`@cert-authority *.example.com ${ED25519}`);
  assert.deepEqual([trusted, isByAuthority], [[], true]);
});

test('comments and empty lines are ignored, and a line that cannot be read is named', () => {
  assert.deepEqual(hostKeys('# git.example.com:22 SSH-2.0-x\n\n  \r\n').trusted, []);
  const damaged = [
    'git.example.com',
    `git.example.com ssh-rsa ${ED25519.split(' ')[1]}`,
    'git.example.com ssh-ed25519 !!!',
    `@trusted git.example.com ${ED25519}`,
    `|1|x git.example.com ${ED25519}`,
  ];
  for (const line of damaged) {
    assert.deepEqual(parseKnownHosts(`# first\n${line}\n`), { ok: false, lineNumber: 2 }, line);
  }
});

test('no text makes the parser fail with an error', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'@|1 \n,*!?=abAB09+/'.split('')), maxLength: 200, size: 'max' }),
      (text) => {
        const parsed = parseKnownHosts(text);
        if (parsed.ok) keysOfHost(parsed.hosts, { host: 'ab', port: 22 });
      },
    ),
  );
});

test('a pattern matches as the same regular expression does', () => {
  const letters = fc.string({ unit: fc.constantFrom(...'ab*?.'.split('')), minLength: 1, maxLength: 8 });
  const name = fc.string({ unit: fc.constantFrom(...'ab.'.split('')), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(letters, name, (pattern, host) => {
      const expected = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')}$`);
      assert.equal(hostKeys(`${pattern} ${ED25519}`, host).trusted.length === 1, expected.test(host));
    }),
  );
});
