/** Signed commits and tags, from a real Git server to the snapshot: which are handed out, and why others are not. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Source } from '../../../src/source/source.ts';
import { readRevision } from '../../../src/source/revision.ts';
import { parseGitVerification } from '../../../src/source/verification.ts';
import type { GitVerification, VerifyMode } from '../../../src/source/signatures/git-verification.ts';
import { createRepository } from '../../support/git-repository.ts';
import {
  pgpSigner,
  pushCommit,
  pushTag,
  signedTag,
  sshSigner,
  tagBytes,
  type TestSigner,
} from '../../support/signed-git.ts';
import { startHarness, startHarnessOver, TRANSPORTS } from './source-harness.ts';

function verificationBy(mode: VerifyMode, ...signers: readonly Pick<TestSigner, 'publicKey'>[]): GitVerification {
  const data = new Map(signers.map(({ publicKey }, at) => [`key-${at}`, Buffer.from(publicKey)]));
  return parseGitVerification({ secret: 'team/keys', data }, { mode, field: 'spec.source.verify' });
}

async function start(t: TestContext) {
  const harness = await startHarness(t);
  const repository = await createRepository(harness.server, 'signed');
  return { ...harness, repository };
}

type Place = Parameters<Source['poll']>[0];

async function bring(source: Source, place: Place) {
  return source.fetch({ ...place, resolved: await source.poll(place) });
}

for (const over of TRANSPORTS) {
  test(`a signed commit and a signed tag are handed out with their signers (${over.name})`, async (t) => {
    const { source, server, sent } = await startHarnessOver(over, t);
    const repository = await createRepository(server, 'signed');
    const [ssh, pgp] = [sshSigner(), await pgpSigner()];
    const commit = await pushCommit(repository, { 'a.yaml': 'a: 1\n' }, { signer: pgp });
    await pushTag(repository, 'v1', await signedTag(tagBytes({ object: commit, name: 'v1' }), ssh));
    const place = { repoUrl: repository.url };
    const head = await bring(source, { ...place, verification: verificationBy('head', pgp) });
    assert.equal(head.about?.signer, `Some One <someone@example.org> (${pgp.keyId})`);
    const verification = verificationBy('both', ssh, pgp);
    const both = await bring(source, { ...place, revision: 'v1', verification });
    assert.match(both.about?.signer ?? '', /^someone@example\.org \(SHA256:[A-Za-z0-9+/]{43}\), Some One </);
    assert.equal(both.commit, commit);
    const fetches = sent.filter(({ operation }) => operation === 'fetch');
    assert.equal(fetches.length, 2);
    assert.ok((fetches[1]?.receivedBytes ?? Infinity) < 2000, `${fetches[1]?.receivedBytes}`);
    await bring(source, { ...place, revision: 'v1', verification });
    assert.equal(sent.filter(({ operation }) => operation === 'fetch').length, 2);
  });
}

test('a commit without signature, and one by a key that is not in the Secret, are refused', async (t) => {
  const { source, repository } = await start(t);
  const [trusted, other] = [sshSigner(), sshSigner()];
  const place = { repoUrl: repository.url, verification: verificationBy('head', trusted) };
  await pushCommit(repository, { 'a.yaml': 'a: 1\n' });
  await assert.rejects(bring(source, place), { code: 'NotSigned', message: /git commit -S.*team\/keys/ });
  await pushCommit(repository, { 'a.yaml': 'a: 2\n' }, { signer: other });
  await assert.rejects(bring(source, place), { code: 'SignerUnknown', message: /SHA256:/ });
  await pushCommit(repository, { 'a.yaml': 'a: 3\n' }, { signer: await pgpSigner() });
  await assert.rejects(bring(source, place), { code: 'SignerUnknown', message: /OpenPGP/ });
  await pushCommit(repository, { 'a.yaml': 'a: 4\n' }, { signer: trusted });
  assert.ok(await bring(source, place));
});
