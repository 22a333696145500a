import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { deflateSync } from 'node:zlib';
import { StageError } from '../../../src/object/stage-error.ts';
import { defaultSourceLimits } from '../../../src/source/limits.ts';
import { indexPack, type IndexLimits } from '../../../src/source/packs/pack-index.ts';
import { decodePackIndex } from '../../../src/source/packs/pack-index-file.ts';
import { INDEX_SUFFIX, openPackStore } from '../../../src/source/packs/pack-store.ts';
import { git } from '../../support/git-command.ts';
import { createRepository } from '../../support/git-repository.ts';
import {
  appendingDelta,
  BLOB,
  COMMIT,
  commitOf,
  entry,
  entryHead,
  OFFSET_DELTA,
  oidOf,
  packOf,
  REF_DELTA,
  sizeBytes,
  TREE,
} from '../../support/hand-made-pack.ts';
import { temporaryFolder } from './source-harness.ts';

function index(t: TestContext, pack: Buffer, commit: string, limits: Partial<IndexLimits> = {}) {
  return temporaryFolder(t).then((gitDir) => {
    const packPath = join(gitDir, 'incoming');
    writeFileSync(packPath, pack);
    return indexPack({ gitDir, packPath, commit, limits: { ...defaultSourceLimits, ...limits }, treesPath: undefined });
  });
}

interface Refusal {
  readonly pack: Buffer;
  readonly commit: string;
  readonly code: string;
  readonly limits?: Partial<IndexLimits>;
}

async function indexFails(t: TestContext, { pack, commit, code, limits }: Refusal) {
  await assert.rejects(index(t, pack, commit, limits), (error: unknown) => {
    assert.ok(error instanceof StageError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });
}

test('the index of a pack that git made agrees with the index of git', async (t) => {
  const root = await temporaryFolder(t);
  const repository = await createRepository({ root, url: '' }, 'shop');
  const lines = Array.from({ length: 400 }, (_, line) => `line ${line} ${Math.sin(line)}`);
  for (let revision = 0; revision < 12; revision++) {
    lines[revision * 30] = `changed in ${revision}`;
    await repository.commit({ 'a.txt': lines.join('\n'), [`folder/${revision}.txt`]: `file ${revision}`, empty: '' });
  }
  await repository.git(['repack', '-adfq', '--depth=50']);
  const folder = join(repository.dir, 'objects', 'pack');
  const packPath = join(folder, readdirSync(folder).find((name) => name.endsWith('.pack')) ?? '');
  const commit = await repository.resolve('main');
  const gitDir = await temporaryFolder(t);
  const indexed = indexPack({ gitDir, packPath, commit, limits: defaultSourceLimits, treesPath: undefined });
  assert.equal(indexed.treeOid, await repository.git(['rev-parse', 'main^{tree}']));
  assert.equal(indexed.fileCount, 14);
  const decoded = decodePackIndex(Buffer.from(indexed.index));
  const listed = (await git(['verify-pack', '-v', packPath])).split('\n').filter((line) => /^[0-9a-f]{40} /.test(line));
  assert.equal(decoded.count, listed.length);
  for (const line of listed) {
    const [oid = '', type, , , offset] = line.split(/\s+/);
    const found = decoded.find(oid);
    assert.deepEqual([found?.type, found?.offset], [type, Number(offset)], line);
  }
  assert.ok(
    listed.some((line) => line.split(/\s+/).length === 7),
    'the pack holds deltas',
  );
});

test('a delta may name its base by offset, by id, or by the id of a later entry', async (t) => {
  const base = Buffer.from('name: base\n'.repeat(40));
  const made = Buffer.concat([base, Buffer.from('more')]);
  const { commit, entries } = commitOf({ a: oidOf(BLOB, base), b: oidOf(BLOB, made) });
  const delta = appendingDelta(base.length, 'more');
  const baseEntry = entry(BLOB, base);
  const distance = baseEntry.length;
  const offsetBytes = distance < 128 ? [distance] : [((distance - 128) >> 7) | 128, (distance - 128) & 127];
  const byId = entry(REF_DELTA, delta, Buffer.from(oidOf(BLOB, base), 'hex'));
  for (const blobs of [
    [baseEntry, entry(OFFSET_DELTA, delta, Buffer.from(offsetBytes))],
    [baseEntry, byId],
    [byId, baseEntry],
  ]) {
    const indexed = await index(t, packOf([...entries, ...blobs]), commit);
    assert.equal(indexed.fileCount, 2);
    assert.equal(decodePackIndex(Buffer.from(indexed.index)).find(oidOf(BLOB, made))?.sizeBytes, made.length);
  }
});

test('a thin pack takes its bases from the older packs of its folder, and only from there', async (t) => {
  const gitDir = await temporaryFolder(t);
  const limits = defaultSourceLimits;
  const base = Buffer.from('name: base\n'.repeat(40));
  const made = Buffer.concat([base, Buffer.from('more')]);
  const older = commitOf({ a: oidOf(BLOB, base) });
  const olderPath = join(gitDir, 'pack-older.pack');
  writeFileSync(olderPath, packOf([...older.entries, entry(BLOB, base)]));
  const first = indexPack({ gitDir, packPath: olderPath, commit: older.commit, limits, treesPath: undefined });
  writeFileSync(join(gitDir, `pack-older${INDEX_SUFFIX}`), first.index);

  const newer = commitOf({ a: oidOf(BLOB, made) });
  const byId = entry(REF_DELTA, appendingDelta(base.length, 'more'), Buffer.from(oidOf(BLOB, base), 'hex'));
  const thin = packOf([...newer.entries, byId]);
  const newerPath = join(gitDir, 'pack-newer.pack');
  writeFileSync(newerPath, thin);
  const second = indexPack({ gitDir, packPath: newerPath, commit: newer.commit, limits, treesPath: undefined });
  writeFileSync(join(gitDir, `pack-newer${INDEX_SUFFIX}`), second.index);
  const store = openPackStore(gitDir, limits);
  assert.deepEqual(store.read(oidOf(BLOB, made)), made);
  assert.deepEqual(store.read(oidOf(BLOB, base)), base);
  store.close();

  await indexFails(t, { pack: thin, commit: newer.commit, code: 'IncompletePack' });
});

test('a pack that lacks a file, a folder or the commit is refused as incomplete', async (t) => {
  const blob = Buffer.from('x');
  const { commit, entries } = commitOf({ a: oidOf(BLOB, blob) });
  const code = 'IncompletePack';
  await index(t, packOf([...entries, entry(BLOB, blob)]), commit);
  await indexFails(t, { pack: packOf(entries), commit, code });
  await indexFails(t, { pack: packOf([entries[0]!, entry(BLOB, blob)]), commit, code });
  await indexFails(t, { pack: packOf([entries[1]!, entry(BLOB, blob)]), commit, code });
  const wrongType = commitOf({ a: commit });
  await indexFails(t, {
    pack: packOf([...wrongType.entries, ...entries, entry(BLOB, blob)]),
    commit: wrongType.commit,
    code,
  });
});

test('each kind of malformed pack is refused as corrupt', async (t) => {
  const blob = Buffer.from('x'.repeat(1000));
  const { commit, entries } = commitOf({ a: oidOf(BLOB, blob) });
  const good = entry(BLOB, blob);
  const cut = good.subarray(0, good.length - 3);
  const id = Buffer.from(oidOf(BLOB, blob), 'hex');
  const deltas = [
    Buffer.from([...sizeBytes(999), 5, 0x90, 5]), // of a base of another size
    Buffer.from([...sizeBytes(1000), 5, 0]), // an unknown command
    Buffer.from([...sizeBytes(1000), 5, 0x91, 0xff, 5, 0xb3, 0xff, 0xff, 0xff, 0xff]), // copies out of range
    Buffer.from([...sizeBytes(1000), 5, 9, 1, 2]), // inserts more than it has
    Buffer.from([...sizeBytes(1000), 5]), // ends early
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), // an impossible size
  ];
  const packs: Record<string, Buffer> = {
    'text in place of a pack': Buffer.from('x'.repeat(100)),
    'too short': packOf([]).subarray(0, 20),
    'fewer entries than announced': packOf([...entries, good], 4),
    'more entries than announced': packOf([...entries, good], 2),
    'a cut entry': packOf([...entries, cut]),
    'a size that is too small': packOf([...entries, Buffer.concat([entryHead(BLOB, 10), deflateSync(blob)])]),
    'a size that is too large': packOf([...entries, Buffer.concat([entryHead(BLOB, 2000), deflateSync(blob)])]),
    'data that is not deflated': packOf([...entries, Buffer.concat([entryHead(BLOB, 1000), blob])]),
    'an unknown type': packOf([...entries, entry(5, blob)]),
    'a base before the beginning': packOf([...entries, entry(OFFSET_DELTA, deltas[0]!, Buffer.from([0xff, 0x7f]))]),
    'a base at distance zero': packOf([...entries, entry(OFFSET_DELTA, deltas[0]!, Buffer.from([0]))]),
    'a base within an entry': packOf([...entries, good, entry(OFFSET_DELTA, deltas[0]!, Buffer.from([3]))]),
  };
  for (const [position, delta] of deltas.entries())
    packs[`delta ${position}`] = packOf([...entries, good, entry(REF_DELTA, delta, id)]);
  for (const [name, pack] of Object.entries(packs)) {
    await t.test(`refuses ${name} as corrupt`, (inner) => indexFails(inner, { pack, commit, code: 'CorruptPack' }));
  }
});

test('a small pack that inflates to a large file is refused before it is inflated', async (t) => {
  const bomb = Buffer.alloc(100 * 1_048_576);
  const { commit, entries } = commitOf({ a: oidOf(BLOB, bomb) });
  const pack = packOf([...entries, entry(BLOB, bomb)]);
  assert.ok(pack.length < 120_000);
  const before = process.memoryUsage().rss;
  await indexFails(t, { pack, commit, code: 'TooLarge' });
  assert.ok(process.memoryUsage().rss - before < 50 * 1_048_576);
});

test('a delta with a large result is refused, and so are many deltas whose results are large together', async (t) => {
  const blob = Buffer.from('x'.repeat(1000));
  const { commit, entries } = commitOf({ a: oidOf(BLOB, blob) });
  const id = Buffer.from(oidOf(BLOB, blob), 'hex');
  const claim = Buffer.from([...sizeBytes(1000), ...sizeBytes(2_000_000_000), 0x90, 1]);
  await indexFails(t, {
    pack: packOf([...entries, entry(BLOB, blob), entry(REF_DELTA, claim, id)]),
    commit,
    code: 'TooLarge',
  });
  const copies = Array.from({ length: 4000 }, () => [0xb0, 0xe8, 0x03]).flat(); // the whole base, 4,000 times
  const large = Buffer.from([...sizeBytes(1000), ...sizeBytes(4_000_000), ...copies]);
  const many = Array.from({ length: 10 }, () => entry(REF_DELTA, large, id));
  const pack = packOf([...entries, entry(BLOB, blob), ...many]);
  await index(t, pack, commit);
  await indexFails(t, { pack, commit, code: 'TooLarge', limits: { maxInflatedBytes: 20_000_000 } });
});

test('a tree that contains the same tree a million times is refused quickly', async (t) => {
  const blob = Buffer.from('x');
  const trees: Buffer[] = [];
  let oid = oidOf(BLOB, blob);
  for (let level = 0; level < 30; level++) {
    const mode = level === 0 ? '100644' : '40000';
    const tree = Buffer.concat(
      ['a', 'b'].flatMap((name) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]),
    );
    trees.push(tree);
    oid = oidOf(TREE, tree);
  }
  const content = Buffer.from(`tree ${oid}\n\n`);
  const pack = packOf([entry(COMMIT, content), ...trees.map((tree) => entry(TREE, tree)), entry(BLOB, blob)]);
  await indexFails(t, { pack, commit: oidOf(COMMIT, content), code: 'TooLarge' });
});

test('deltas in front of their bases take no more time than others', async (t) => {
  const contents = Array.from({ length: 4_000 }, (_, i) => Buffer.from('x'.repeat(i + 1)));
  const { commit, entries } = commitOf({ a: oidOf(BLOB, contents.at(-1)!) });
  const deltas = contents.slice(0, -1).map((base) => {
    return entry(REF_DELTA, appendingDelta(base.length, 'x'), Buffer.from(oidOf(BLOB, base), 'hex'));
  });
  const begun = process.cpuUsage();
  const indexed = await index(t, packOf([...entries, ...deltas.reverse(), entry(BLOB, contents[0]!)]), commit);
  assert.equal(indexed.fileCount, 1);
  // Reading the pack again for each level of deltas would read eight million entries and take minutes.
  assert.ok(process.cpuUsage(begun).user < 15_000_000);
});

test('a tree out of order and names with backslashes are read as git reads them', async (t) => {
  const blob = Buffer.from('x');
  const names = ['z.yaml', 'a.yaml', '..\\..\\etc'];
  const { commit, entries } = commitOf(Object.fromEntries(names.map((name) => [name, oidOf(BLOB, blob)])));
  assert.equal((await index(t, packOf([...entries, entry(BLOB, blob)]), commit)).fileCount, 3);
});

test('an index that is changed or cut is refused', async (t) => {
  const blob = Buffer.from('x');
  const { commit, entries } = commitOf({ a: oidOf(BLOB, blob) });
  const bytes = Buffer.from((await index(t, packOf([...entries, entry(BLOB, blob)]), commit)).index);
  decodePackIndex(bytes);
  for (let at = 0; at < bytes.length; at += 7) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8((changed[at] ?? 0) ^ 0x10, at);
    assert.throws(() => decodePackIndex(changed), { code: 'CorruptPack' });
    assert.throws(() => decodePackIndex(bytes.subarray(0, at)), { code: 'CorruptPack' });
  }
});
