import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { StageError } from '../../../src/object/stage-error.ts';
import { createAnswerChecker } from '../../../src/source/transport/fetch-answer.ts';
import { defaultSourceLimits } from '../../../src/source/limits.ts';
import { encodeLine, packetLength } from '../../../src/source/transport/pkt-line.ts';
import { readAdvertisement, readLsRefs } from '../../../src/source/transport/ref-answers.ts';
import { createRepository } from '../../support/git-repository.ts';
import type { GitRequest } from '../../support/git-server.ts';
import { startHarness } from './source-harness.ts';

const label = 'https://example.com/shop.git';
const ADVERTISEMENT = 'application/x-git-upload-pack-advertisement';
const RESULT = 'application/x-git-upload-pack-result';

/** The four answers of a real server. */
async function captureAnswers(t: TestContext) {
  const harness = await startHarness(t);
  const repository = await createRepository(harness.server, 'shop');
  await repository.commit({ 'a.yaml': 'a: 1\n' });
  await repository.branch('next');
  await repository.tag('v1', { message: 'one' });
  await repository.commit({
    'a.yaml': 'a: 2\n',
    'b.bin': Buffer.from(Array.from({ length: 90_000 }, () => Math.random() * 256)),
  });
  const commit = await repository.resolve('main');
  const ask = async (path: string, version: string, body?: string) => {
    const headers = { 'git-protocol': version, 'content-type': 'application/x-git-upload-pack-request' };
    const response = await fetch(repository.url + path, body ? { method: 'POST', headers, body } : { headers });
    return Buffer.from(await response.arrayBuffer());
  };
  const advertisement = '/info/refs?service=git-upload-pack';
  const wants = `${encodeLine(`want ${commit} side-band-64k ofs-delta no-progress shallow\n`)}${encodeLine('deepen 1\n')}`;
  const refs = ['peel\n', 'symrefs\n', 'ref-prefix refs/\n', 'ref-prefix HEAD\n'].map(encodeLine).join('');
  return {
    ...harness,
    repository,
    commit,
    features: await ask(advertisement, 'version=2'),
    references: await ask(advertisement, ''),
    lsRefs: await ask('/git-upload-pack', 'version=2', `${encodeLine('command=ls-refs\n')}0001${refs}0000`),
    pack: await ask('/git-upload-pack', '', `${wants}0000${encodeLine('done\n')}`),
  };
}

/** Every length at which a packet begins or ends, and some in the middle of one, but not the complete length. */
function cutPoints(body: Buffer): number[] {
  const cuts = new Set([0]);
  for (let at = 0; at < body.length;) {
    const length = packetLength(body, at) ?? 0;
    cuts
      .add(at)
      .add(at + 2)
      .add(at + 4)
      .add(at + Math.floor(length / 2));
    at += Math.max(4, length);
  }
  return [...cuts].filter((cut) => cut < body.length).sort((a, b) => a - b);
}

function check(body: Buffer, commit: string, chunkBytes = body.length) {
  const checker = createAnswerChecker({ limits: defaultSourceLimits, label, commit });
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; at += chunkBytes) {
    pieces.push(...checker.push(body.subarray(at, at + chunkBytes)).map((piece) => Buffer.from(piece)));
  }
  return { ...checker.finish(), pack: Buffer.concat(pieces) };
}

const isFailure = (error: unknown) => error instanceof StageError && error.stage === 'source';

test('an answer that is cut at any position is an error, not a shorter list or an empty pack', async (t) => {
  const { features, references, lsRefs, pack, commit } = await captureAnswers(t);
  const readers: [string, Buffer, (body: Buffer) => unknown][] = [
    ['features', features, (body) => readAdvertisement(body, label)],
    ['references', references, (body) => readAdvertisement(body, label)],
    ['ls-refs', lsRefs, (body) => readLsRefs(body, label)],
    ['pack', pack, (body) => check(body, commit)],
  ];
  for (const [name, body, read] of readers) {
    read(body);
    for (const cut of cutPoints(body)) {
      assert.throws(() => read(body.subarray(0, cut)), isFailure, `${name} cut at ${cut} of ${body.length}`);
    }
    assert.throws(() => read(Buffer.concat([body, Buffer.from('0000')])), isFailure, `${name} with a further flush`);
  }
});

test('a pack comes out the same however its answer is split into chunks', async (t) => {
  const { pack, commit } = await captureAnswers(t);
  const whole = check(pack, commit);
  assert.equal(whole.pack.length, whole.packBytes);
  assert.equal(whole.pack.subarray(-20).toString('hex'), whole.checksum);
  for (const chunkBytes of [1, 3, 7, 1000, 65_521]) assert.deepEqual(check(pack, commit, chunkBytes), whole);
});

test('a changed byte in a pack is an error', async (t) => {
  const { pack, commit } = await captureAnswers(t);
  for (const at of [pack.length - 30, pack.length - 1000, Math.floor(pack.length / 2)]) {
    const changed = Buffer.from(pack);
    changed.writeUInt8((changed[at] ?? 0) ^ 1, at);
    assert.throws(() => check(changed, commit), isFailure);
  }
});

test('poll and fetch fail if a server ends a cut answer cleanly, and succeed with the complete answer', async (t) => {
  const { server, source, repository, features, lsRefs, pack } = await captureAnswers(t);
  const repoUrl = repository.url;
  const answerWith = (matches: (request: GitRequest) => boolean, contentType: string, body: Buffer) => {
    server.onRequest = (request) =>
      matches(request) ? { status: 200, headers: { 'content-type': contentType }, body } : undefined;
  };
  const isPoll = ({ headers }: GitRequest) => headers['git-protocol'] === 'version=2';
  for (const cut of cutPoints(features)) {
    answerWith(({ method }) => method === 'GET', ADVERTISEMENT, features.subarray(0, cut));
    await assert.rejects(source.poll({ repoUrl, revision: 'main' }), isFailure, `features cut at ${cut}`);
  }
  for (const cut of cutPoints(lsRefs)) {
    answerWith((request) => request.method === 'POST' && isPoll(request), RESULT, lsRefs.subarray(0, cut));
    await assert.rejects(source.poll({ repoUrl, revision: 'main' }), isFailure, `ls-refs cut at ${cut}`);
  }
  server.onRequest = undefined;
  const resolved = await source.poll({ repoUrl, revision: 'main' });
  for (const cut of cutPoints(pack)) {
    answerWith((request) => request.method === 'POST' && !isPoll(request), RESULT, pack.subarray(0, cut));
    await assert.rejects(source.fetch({ repoUrl, resolved }), isFailure, `pack cut at ${cut}`);
  }
  server.onRequest = undefined;
  assert.equal((await source.fetch({ repoUrl, resolved })).commit, resolved.commit);
});

test('a connection that breaks in the middle of an answer is an error', async (t) => {
  const { server, source, repository, pack } = await captureAnswers(t);
  const repoUrl = repository.url;
  const resolved = await source.poll({ repoUrl });
  for (const cutAfterBytes of [0, 5, 60, Math.floor(pack.length / 2), pack.length - 5000]) {
    server.onRequest = () => ({ cutAfterBytes });
    await assert.rejects(source.fetch({ repoUrl, resolved }), isFailure, `broken after ${cutAfterBytes}`);
  }
  server.onRequest = undefined;
  await source.fetch({ repoUrl, resolved });
});

test('a server of protocol 0 is polled by its advertisement, and a commit is fetched from it', async (t) => {
  const { server, source, repository, references, commit } = await captureAnswers(t);
  server.onRequest = ({ method }) =>
    method === 'GET' ? { status: 200, headers: { 'content-type': ADVERTISEMENT }, body: references } : undefined;
  const repoUrl = repository.url;
  const resolved = await source.poll({ repoUrl });
  assert.equal(resolved.commit, commit);
  assert.equal(resolved.revision, `main@sha1:${commit}`);
  assert.equal((await source.fetch({ repoUrl, resolved })).commit, commit);
  assert.equal((await source.poll({ repoUrl, revision: 'v1' })).commit, await repository.resolve('v1'));
  await assert.rejects(source.poll({ repoUrl, revision: 'none' }), { code: 'RevisionNotFound' });
  assert.ok(server.requests.slice(-2).every(({ method }) => method === 'GET'));
});

test('the reason that a server gives for a refusal is shown cleaned and cut', () => {
  const said = `no\u0007 access to https://jo:geheim@example.com/x ${'x'.repeat(500)}`;
  for (const body of [Buffer.from(encodeLine(`ERR ${said}\n`)), Buffer.from(`${encodeLine(`ERR ${said}\n`)}0000`)]) {
    for (const read of [() => readLsRefs(body, label), () => readAdvertisement(body, label), () => check(body, 'ab')]) {
      assert.throws(read, (error: unknown) => {
        assert.ok(error instanceof StageError);
        assert.equal(error.code, 'RemoteError');
        assert.doesNotMatch(error.message, /geheim|\u0007/);
        assert.ok(error.message.length < 400);
        return true;
      });
    }
  }
});

test('an answer with too many short lines is refused before all of them are in memory', () => {
  const body = Buffer.concat([Buffer.from('0005x'.repeat(300_001)), Buffer.from('0000')]);
  for (const read of [() => readLsRefs(body, label), () => readAdvertisement(body, label)]) {
    assert.throws(read, (error: unknown) => error instanceof StageError && error.code === 'TooLarge');
  }
});
