/** A snapshot that another program put into the data folder is not believed. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { StageError } from '../../../src/object/stage-error.ts';
import { openPackTree } from '../../../src/source/packs/pack-tree.ts';
import { createRepository } from '../../support/git-repository.ts';
import { startHarness } from './source-harness.ts';

const LIMITS = { maxObjectBytes: 1_000_000, maxDeltaDepth: 50, cacheBytes: 1_000_000, maxFileBytes: 1_000_000 };

test('the content of another commit under the name of a good one is refused when it is read', async (t) => {
  const { server, source, dataDir, reopen } = await startHarness(t);
  const repository = await createRepository(server, 'public');
  const repoUrl = repository.url;
  const evil = await repository.commit({ 'a.yaml': 'evil: true\n' }, { branch: 'evil' });
  const good = await repository.commit({ 'a.yaml': 'good: true\n' });
  await source.fetch({ repoUrl, resolved: { commit: evil, revision: 'evil' } });
  const [place = ''] = readdirSync(dataDir);
  const planted = join(dataDir, place, good);
  cpSync(join(dataDir, place, evil), planted, { recursive: true });
  const description = join(planted, 'snapshot.json');
  const about = JSON.parse(readFileSync(description, 'utf8')) as object;
  writeFileSync(description, JSON.stringify({ ...about, commit: good }));
  const restarted = reopen();
  const snapshot = await restarted.fetch({ repoUrl, resolved: { commit: good, revision: 'main' } });
  assert.throws(
    () => openPackTree(snapshot.tree, LIMITS),
    (error) => error instanceof StageError && ['IncompletePack', 'CorruptPack'].includes(error.code),
  );
  // The stage that renders discards such a snapshot and fetches it again.
  await restarted.discard(snapshot);
  const fetched = await restarted.fetch({ repoUrl, resolved: { commit: good, revision: 'main' } });
  const tree = openPackTree(fetched.tree, LIMITS);
  t.after(() => tree.close());
  assert.equal(tree.read('a.yaml').toString(), 'good: true\n');
});
