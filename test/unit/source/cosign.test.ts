import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { parseVerification } from '../../../src/source/verification.ts';
import { tgzOf } from '../../support/archives.ts';
import { digestOf } from '../../support/registry-server.ts';
import { pushSignature, type SignedArtifact } from '../../support/signatures.ts';
import { bring, startArtifacts } from './artifact-harness.ts';

const makeKeys = {
  ECDSA: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RSA: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  Ed25519: () => generateKeyPairSync('ed25519'),
};

function verificationBy(...keys: KeyObject[]) {
  const data = keys.map((key, at) => [`${at}.pub`, Buffer.from(key.export({ type: 'spki', format: 'pem' }))] as const);
  return parseVerification({ secret: 'team/keys', data: new Map(data) });
}

const signWith = (key: KeyObject) => (bytes: Buffer) =>
  sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, key);

async function start(t: TestContext) {
  const { registry, source, oci } = await startArtifacts(t);
  const digest = registry.push('app', 'latest', { content: await tgzOf([{ name: 'a.yaml', data: 'one' }]) });
  const keys = makeKeys.ECDSA();
  const verification = verificationBy(makeKeys.ECDSA().publicKey, keys.publicKey);
  const place = { repoUrl: `${oci}/app`, verification };
  const push = (more: Partial<SignedArtifact> = {}): void =>
    pushSignature(registry, { name: 'app', digest, sign: signWith(keys.privateKey), ...more });
  return { registry, source, place, digest, push, keys };
}

for (const layout of ['simple', 'bundle'] as const) {
  for (const [kind, make] of Object.entries(makeKeys)) {
    test(`a signature by a key of the Secret is accepted (${layout}, ${kind})`, async (t) => {
      const { source, place, push } = await start(t);
      const keys = make();
      push({ layout, sign: signWith(keys.privateKey) });
      await bring(source, { ...place, verification: verificationBy(keys.publicKey) });
    });
  }

  test(`a signature by another key, of another digest or with other bytes is refused (${layout})`, async (t) => {
    const { registry, source, place, digest, push, keys } = await start(t);
    const refused = { code: 'SignatureRefused', message: /no valid signature by a key of the Secret team\/keys/ };
    push({ layout, sign: signWith(makeKeys.ECDSA().privateKey) });
    await assert.rejects(bring(source, place), refused);
    push({ layout, digest: digestOf(Buffer.from('other')), at: digest });
    await assert.rejects(bring(source, place), refused);
    push({ layout, sign: (bytes) => signWith(keys.privateKey)(Buffer.concat([bytes, Buffer.from(' ')])) });
    await assert.rejects(bring(source, place), refused);
    assert.ok(!registry.requests.some(({ path }) => path.includes(digest.slice(7)) && path.includes('/blobs/')));
  });
}

test('an artifact without signature is refused, and an attestation is none', async (t) => {
  const { source, place, push } = await start(t);
  const refused = { code: 'NotSigned', message: /cosign sign --key/ };
  await assert.rejects(bring(source, place), refused);
  push({ layout: 'bundle', predicateType: 'https://slsa.dev/provenance/v1' });
  await assert.rejects(bring(source, place), refused);
});

test('a snapshot that was fetched unverified, or with other keys, does not count as verified', async (t) => {
  const { source, place, push } = await start(t);
  await bring(source, { repoUrl: place.repoUrl });
  await assert.rejects(bring(source, place), { code: 'NotSigned' });
  push();
  await bring(source, place);
  const others = verificationBy(makeKeys.ECDSA().publicKey);
  await assert.rejects(bring(source, { ...place, verification: others }), { code: 'SignatureRefused' });
});

test('a Secret without public keys, with a private key or with other texts is refused by name', () => {
  const privateKey = makeKeys.ECDSA().privateKey.export({ type: 'pkcs8', format: 'pem' });
  const read = (data: Record<string, string>) =>
    parseVerification({
      secret: 'team/keys',
      data: new Map(Object.entries(data).map(([key, value]) => [key, Buffer.from(value)])),
    });
  assert.throws(() => read({ 'cosign.key': 'x' }), { code: 'InvalidSecret', message: /under names that end in \.pub/ });
  for (const value of [String(privateKey), 'text', '']) {
    assert.throws(() => read({ 'cosign.pub': value }), { code: 'InvalidSecret', message: /in PEM under cosign\.pub/ });
  }
});
