/** The disk of fetched data stays within its bound, whatever a repository gets. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRepository } from '../../support/git-repository.ts';
import { createClock } from '../../support/clock.ts';
import { startHarness } from './source-harness.ts';

const MiB = 1024 * 1024;

test('forced pushes of random bytes do not fill the disk, and the newest commit is on it', async (t) => {
  const limits = { maxPackBytes: 2 * MiB, maxDiskBytes: 5 * MiB };
  const { server, source, dataDir } = await startHarness(t, { limits });
  const repository = await createRepository(server, 'forced');
  const repoUrl = repository.url;
  let commit = '';
  for (let push = 0; push < 8; push++) {
    const content = { 'blob.bin': randomBytes(MiB) };
    commit = await repository.commit(content, { parent: null, replaceAll: true });
    await source.fetch({ repoUrl, resolved: await source.poll({ repoUrl }) });
    const [folder = ''] = readdirSync(dataDir);
    const onDisk = readdirSync(join(dataDir, folder));
    assert.ok(onDisk.length <= 5, `${onDisk.length} snapshots after push ${push}`);
    assert.ok(onDisk.includes(commit));
  }
});

test('two snapshots of a branch stay on disk, and older ones leave it after ten minutes without use', async (t) => {
  const clock = createClock();
  const { server, source, dataDir } = await startHarness(t, { clock });
  const repository = await createRepository(server, 'busy');
  const repoUrl = repository.url;
  const commits: string[] = [];
  for (let push = 0; push < 5; push++) {
    commits.push(await repository.commit({ 'a.yaml': `push: ${push}\n` }));
    await source.fetch({ repoUrl, resolved: await source.poll({ repoUrl }) });
    clock.nowMs += 600_001;
  }
  const [folder = ''] = readdirSync(dataDir);
  assert.deepEqual(readdirSync(join(dataDir, folder)).sort(), commits.slice(-2).sort());
});
