/** Signed commits and tags, from a real Git server to the snapshot: which are handed out, and why others are not. */
import assert from 'node:assert/strict';
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

test('a tag without signature, a lightweight tag, a branch and a commit without tag are not signed', async (t) => {
  const { source, repository } = await start(t);
  const signer = sshSigner();
  const place = { repoUrl: repository.url, verification: verificationBy('tag', signer) };
  const commit = await pushCommit(repository, { 'a.yaml': 'a: 1\n' }, { signer });
  const noTag = { code: 'NotSigned', message: /no annotated tag.*git tag -s/ };
  for (const revision of [undefined, 'main', commit])
    await assert.rejects(bring(source, { ...place, revision }), noTag);
  await repository.tag('light');
  await assert.rejects(bring(source, { ...place, revision: 'light' }), noTag);
  await repository.tag('plain', { message: 'not signed' });
  await assert.rejects(bring(source, { ...place, revision: 'plain' }), {
    code: 'NotSigned',
    message: /The tag plain of/,
  });
  await pushTag(repository, 'v1', await signedTag(tagBytes({ object: commit, name: 'v1' }), signer));
  assert.ok(await bring(source, { ...place, revision: 'v1' }));
  assert.ok(
    await bring(source, { ...place, revision: commit }),
    'a tag of a commit that is asked for by its id counts',
  );
  await assert.rejects(bring(source, { ...place, revision: 'main' }), noTag);
});

test('a signed tag that is replayed under a new name or for another commit is refused', async (t) => {
  const { source, repository } = await start(t);
  const signer = sshSigner();
  const place = { repoUrl: repository.url, verification: verificationBy('tag', signer) };
  const old = await pushCommit(repository, { 'a.yaml': 'a: 1\n' }, { signer });
  const tag = await signedTag(tagBytes({ object: old, name: 'v1' }), signer);
  await pushTag(repository, 'v1', tag);
  await pushTag(repository, 'v2', tag);
  await assert.rejects(bring(source, { ...place, revision: 'v2' }), { code: 'TagReplayed', message: /The tag v2 of/ });
  assert.ok(await bring(source, { ...place, revision: 'refs/tags/v1' }));
  await assert.rejects(bring(source, { ...place, revision: 'semver:2.x' }), { code: 'RevisionNotFound' });
  await pushTag(repository, '2.0.0', tag);
  await assert.rejects(bring(source, { ...place, revision: 'semver:2.x' }), { code: 'TagReplayed' });
  const nested = await pushTag(repository, 'inner', tagBytes({ object: old, name: 'inner' }));
  await pushTag(repository, 'v3', await signedTag(tagBytes({ object: nested, name: 'v3', type: 'tag' }), signer));
  await assert.rejects(bring(source, { ...place, revision: 'v3' }), { code: 'SignatureUnsupported' });
});

test('an old signed tag is refused under a higher version, after a newer release', async (t) => {
  const { source, repository } = await start(t);
  const signer = sshSigner();
  const place = { repoUrl: repository.url, revision: 'semver:1.x', verification: verificationBy('tag', signer) };
  const object = await pushCommit(repository, { 'a.yaml': 'a: 1\n' });
  const first = await signedTag(tagBytes({ object, name: '1.0.0' }), signer);
  await pushTag(repository, '1.0.0', first);
  assert.ok(await bring(source, place));
  const second = await pushCommit(repository, { 'a.yaml': 'a: 2\n' });
  await pushTag(repository, '1.1.0', await signedTag(tagBytes({ object: second, name: '1.1.0' }), signer));
  assert.equal((await bring(source, place)).commit, second);
  await pushTag(repository, '1.2.0', first);
  await assert.rejects(bring(source, place), { code: 'TagReplayed' });
});

test('a tag that is made again without signature on the same commit is refused', async (t) => {
  const { source, repository } = await start(t);
  const signer = sshSigner();
  const place = { repoUrl: repository.url, revision: 'v1', verification: verificationBy('tag', signer) };
  const object = await pushCommit(repository, { 'a.yaml': 'a: 1\n' });
  await pushTag(repository, 'v1', await signedTag(tagBytes({ object, name: 'v1' }), signer));
  assert.ok(await bring(source, place));
  await pushTag(repository, 'v1', tagBytes({ object, name: 'v1' }));
  await assert.rejects(bring(source, place), { code: 'NotSigned' });
});

for (const mode of ['head', 'tag', 'both'] as const) {
  test(`a snapshot of an earlier process is recalled only with the signatures that are asked for (${mode})`, async (t) => {
    const { source, repository, reopen, sent, server } = await start(t);
    const signer = sshSigner();
    const object = await pushCommit(repository, { 'a.yaml': 'a: 1\n' }, { signer });
    await pushTag(repository, 'v1', await signedTag(tagBytes({ object, name: 'v1' }), signer));
    const place = { repoUrl: repository.url, verification: verificationBy(mode, signer) };
    const { revision } = await bring(source, { ...place, revision: 'v1' });
    const resolved = readRevision(revision);
    assert.ok(resolved);
    await source.close();
    await server.stop();
    sent.length = 0;
    const later = reopen();
    assert.equal((await later.recall({ ...place, resolved }))?.commit, object);
    const other = verificationBy(mode, sshSigner());
    await assert.rejects(later.recall({ ...place, verification: other, resolved }), { code: 'SignerUnknown' });
    assert.ok(await later.recall({ repoUrl: repository.url, resolved }));
    assert.deepEqual(sent, []);
  });
}

test('an unsigned commit that was fetched before signatures were asked for is neither recalled nor fetched', async (t) => {
  const { source, repository } = await start(t);
  await pushCommit(repository, { 'a.yaml': 'a: 1\n' });
  const place = { repoUrl: repository.url };
  const resolved = await source.poll(place);
  assert.ok(await source.fetch({ ...place, resolved }));
  const signed = { ...place, verification: verificationBy('head', sshSigner()) };
  await assert.rejects(source.recall({ ...signed, resolved }), { code: 'NotSigned' });
  await assert.rejects(source.fetch({ ...signed, resolved }), { code: 'NotSigned' });
});

test('a verified commit is refused once its key has expired, without a new fetch', async (t) => {
  let nowMs = Date.parse('2030-01-01T00:00:00Z');
  const clock = { now: () => nowMs, monotonicMs: () => performance.now() };
  const { source, server, sent } = await startHarness(t, { clock });
  const repository = await createRepository(server, 'signed');
  const [ssh, pgp] = [sshSigner(), await pgpSigner({ date: new Date(nowMs - 60_000), validSeconds: 3600 })];
  const lines = `someone@example.org valid-before="20300101003000Z" ${ssh.type} ${ssh.blob.toString('base64')}`;
  for (const [signer, publicKey] of [
    [ssh, lines],
    [pgp, pgp.publicKey],
  ] as const) {
    nowMs = Date.parse('2030-01-01T00:00:00Z');
    await pushCommit(repository, { 'a.yaml': publicKey }, { signer, atSeconds: nowMs / 1000 });
    const place = { repoUrl: repository.url, verification: verificationBy('head', { publicKey }) };
    const resolved = await source.poll(place);
    assert.ok(await source.fetch({ ...place, resolved }));
    sent.length = 0;
    nowMs += 7_200_000;
    await assert.rejects(source.fetch({ ...place, resolved }), { code: 'SignerExpired' });
    await assert.rejects(source.recall({ ...place, resolved }), { code: 'SignerExpired' });
    assert.deepEqual(sent, []);
  }
});

test('keys for another kind of source are refused', async (t) => {
  const { source, repository } = await start(t);
  const git = verificationBy('head', sshSigner());
  const cosign = { provider: 'cosign', secret: 'team/keys', keys: [] } as const;
  const refused = { code: 'SignatureUnsupported' };
  await assert.rejects(source.poll({ repoUrl: repository.url, verification: cosign }), refused);
  await assert.rejects(source.poll({ repoUrl: 'oci://127.0.0.1:1/shop', verification: git }), refused);
  await assert.rejects(source.poll({ repoUrl: 'https://127.0.0.1:1', chart: 'shop', verification: git }), refused);
});
