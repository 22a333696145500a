import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWarnings } from '../../../../src/cluster/requests/warnings.ts';

const deployment = { group: 'apps', kind: 'Deployment' };
const secret = { group: '', kind: 'Secret' };
const warning = (text: string): string => `299 - "${text}"`;

test('several warnings are read from one header and from many, each once', () => {
  assert.deepEqual(
    readWarnings(
      ['299 - "one \\"x\\"", 299 - "two"', '299 kube "three" "Wed, 21 Oct 2026 07:28:00 GMT"', '299 - "two"'],
      {
        ...deployment,
      },
    ),
    ['one "x"', 'two', 'three'],
  );
  assert.deepEqual(readWarnings(warning('one'), deployment), ['one']);
});

test('an answer without a readable warning has none', () => {
  for (const header of [undefined, '', '199 - "another code"', '299 - "unterminated', warning(''), warning('\t')]) {
    assert.deepEqual(readWarnings(header, deployment), []);
  }
});

test('at most 20 warnings of at most 600 characters are read', () => {
  const header = Array.from({ length: 50 }, (_, n) => warning(`${n} ${'x'.repeat(5_000)}`));
  const texts = readWarnings(header, deployment);
  assert.equal(texts.length, 20);
  assert.ok(texts.every((text) => text.length === 600));
  assert.equal(readWarnings(header.join(', '), deployment).length, 20);
});

test('control characters become blanks', () => {
  const header = warning('a\u0007b\u001b[31mc\u0085\u202ed\u0000');
  assert.deepEqual(readWarnings(header, deployment), ['a b [31mc d']);
});

test('UTF-8 that was read as Latin-1 is decoded, also where it encodes a control character', () => {
  const asSent = (text: string): string => Buffer.from(warning(text), 'utf8').toString('latin1');
  assert.deepEqual(readWarnings(asSent('größer 🚀'), deployment), ['größer 🚀']);
  assert.deepEqual(readWarnings(asSent('a\u2028b\u202ec'), deployment), ['a b c']);
  assert.deepEqual(readWarnings(warning('caf\u00e9'), deployment), ['café']);
});

test('a warning about a Secret is shown only if its text is known to hold no value', () => {
  const header = [warning('policy: hunter2 is weak'), warning('tls: private key does not match public key')];
  const texts = readWarnings(header, secret);
  assert.equal(texts.length, 2);
  assert.match(texts[0] ?? '', /^the API server warns about the Secret; the warning is hidden/);
  assert.equal(texts[1], 'tls: private key does not match public key');
  assert.deepEqual(readWarnings(warning('tls: private key does not match public key hunter2'), secret), [texts[0]]);
  assert.deepEqual(readWarnings(warning('shown'), { group: 'example.com', kind: 'Secret' }), ['shown']);
});
