/** Tags, branches and ranges of versions that move, go back or vanish between two polls, over real Git. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createRepository } from '../../support/git-repository.ts';
import { overHttp, startHarnessOver, TRANSPORTS, type TestTransport } from './source-harness.ts';

async function startShop(t: TestContext, over: TestTransport) {
  const { source, server } = await startHarnessOver(over, t);
  const repository = await createRepository(server, 'shop');
  const poll = async (revision: string) => (await source.poll({ repoUrl: repository.url, revision })).revision;
  return { source, repository, repoUrl: repository.url, poll };
}

for (const over of TRANSPORTS) {
  test(`a range follows the newest tag in it, and names the tag (over ${over.name})`, async (t) => {
    const { source, repository, repoUrl, poll } = await startShop(t, over);
    const commits: Record<string, string> = {};
    const tags = ['v1.0.0', 'v1.9.0', 'v1.10.0', 'v1.11.0-rc.1', '2.0.0', 'v2', 'V1.12.0', 'v1.13', 'release-1.14.0'];
    for (const [index, tag] of tags.entries()) {
      commits[tag] = await repository.commit({ 'a.yaml': `a: ${index}\n` });
      await repository.tag(tag, index % 2 === 0 ? {} : { message: 'annotated' });
    }
    const cases = [
      ['semver:^1.0', 'v1.10.0'],
      ['semver:1.x', 'v1.10.0'],
      ['semver:>=1.0.0, <1.10.0', 'v1.9.0'],
      ['semver:>=1.0.0-0 <2', 'v1.11.0-rc.1'],
      ['semver:*', '2.0.0'],
      ['semver:=1.0.0', 'v1.0.0'],
    ] as const;
    for (const [range, tag] of cases) assert.equal(await poll(range), `${tag}@sha1:${commits[tag]}`, range);
    const resolved = await source.poll({ repoUrl, revision: 'semver:^1.0' });
    assert.equal((await source.fetch({ repoUrl, resolved })).commit, commits['v1.10.0']);
  });
}

test('a range follows a tag that is added, moved and deleted', async (t) => {
  const { repository, poll } = await startShop(t, overHttp);
  const first = await repository.commit({ 'a.yaml': 'a: 1\n' });
  await repository.tag('v1.0.0');
  assert.equal(await poll('semver:1.x'), `v1.0.0@sha1:${first}`);
  const second = await repository.commit({ 'a.yaml': 'a: 2\n' });
  await repository.tag('v1.1.0', { message: 'annotated' });
  assert.equal(await poll('semver:1.x'), `v1.1.0@sha1:${second}`);
  const third = await repository.commit({ 'a.yaml': 'a: 3\n' });
  await repository.tag('v1.1.0', { message: 'moved' });
  assert.equal(await poll('semver:1.x'), `v1.1.0@sha1:${third}`);
  await repository.deleteTag('v1.1.0');
  assert.equal(await poll('semver:1.x'), `v1.0.0@sha1:${first}`);
  await repository.deleteTag('v1.0.0');
  await assert.rejects(poll('semver:1.x'), { code: 'RevisionNotFound', message: /no tag in the range "semver:1\.x"/ });
});

test('the later build counts among equal versions, and then the later name', async (t) => {
  const { repository, poll } = await startShop(t, overHttp);
  await repository.commit({ 'a.yaml': 'a: 1\n' });
  for (const tag of ['1.0.0', 'v1.0.0', 'v1.1.0+b', 'v1.1.0+a']) await repository.tag(tag);
  assert.match(await poll('semver:~1.0'), /^v1\.0\.0@/);
  assert.match(await poll('semver:~1.1'), /^v1\.1\.0\+b@/);
});

test('a text after semver: that is no range is refused for good', async (t) => {
  const { repository, poll } = await startShop(t, overHttp);
  await repository.commit({ 'a.yaml': 'a: 1\n' });
  for (const range of ['', '!=1.2.3', '=>1.0.0', '*-0', 'not a range', `>=${'1'.repeat(300)}`]) {
    await assert.rejects(poll(`semver:${range}`), { code: 'InvalidRevision', retry: 'never' }, range);
  }
});

test('a moved tag, a branch that was pushed by force, deleted or emptied: each poll says what is there', async (t) => {
  const { repository, poll } = await startShop(t, overHttp);
  const first = await repository.commit({ 'a.yaml': 'a: 1\n' });
  await repository.tag('stable');
  await repository.branch('next');
  const second = await repository.commit({ 'a.yaml': 'a: 2\n' });
  assert.equal(await poll('stable'), `stable@sha1:${first}`);
  await repository.tag('stable');
  assert.equal(await poll('stable'), `stable@sha1:${second}`);
  await repository.branch('main', first);
  assert.equal(await poll('main'), `main@sha1:${first}`);
  await repository.deleteBranch('next');
  await assert.rejects(poll('next'), { code: 'RevisionNotFound', retry: 'backoff' });
  await repository.deleteBranch('main');
  await assert.rejects(poll('HEAD'), { code: 'RevisionNotFound', message: /default branch/ });
  await repository.deleteTag('stable');
  await assert.rejects(poll('main'), { code: 'EmptyRepository', retry: 'backoff' });
});
