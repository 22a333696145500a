import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { defaultRegistryLimits } from '../../../src/registry/limits.ts';
import { defaultSourceLimits } from '../../../src/source/limits.ts';
import { packArchive, type PackArchiveInput } from '../../../src/source/packs/pack-archive.ts';
import { indexPack } from '../../../src/source/packs/pack-index.ts';
import { tarOf, tgzOf, type ArchiveEntry } from '../../support/archives.ts';
import { git } from '../../support/git-command.ts';
import { temporaryFolder } from './source-harness.ts';

const LIMITS = { ...defaultSourceLimits, ...defaultRegistryLimits };

async function packed(dir: string, archive: Uint8Array, options: Partial<PackArchiveInput> = {}) {
  const archivePath = join(dir, 'archive');
  await writeFile(archivePath, archive);
  const input = { archivePath, stripsFolder: false, label: 'oci://registry.example/app', message: 'digest' };
  return packArchive({ ...input, limits: LIMITS, ...options });
}

/** The id of the tree, after the check that every fetched pack passes. */
async function treeOf(dir: string, archive: Uint8Array, options: Partial<PackArchiveInput> = {}): Promise<string> {
  const { pack, commit } = await packed(dir, archive, options);
  const gitDir = join(dir, 'verified');
  await rm(gitDir, { recursive: true, force: true });
  await mkdir(gitDir);
  const packPath = join(gitDir, 'incoming');
  await writeFile(packPath, pack);
  return indexPack({ gitDir, packPath, commit, limits: LIMITS, treesPath: undefined }).treeOid;
}

/** The paths of a tree without a file that is also a folder. */
const paths = fc
  .uniqueArray(
    fc.array(fc.constantFrom('a', 'b', 'a.b', 'a-b', 'a0', 'ä', 'Z', '.hidden', 'with blank'), {
      minLength: 1,
      maxLength: 4,
    }),
    { minLength: 1, maxLength: 12, size: 'max', selector: (parts) => parts.join('/') },
  )
  .map((all) => all.map((parts) => parts.join('/')))
  .filter((all) => all.every((path) => all.every((other) => !other.startsWith(`${path}/`))));

const content = fc.record({
  kind: fc.constantFrom('file', 'executable', 'link'),
  bytes: fc.oneof(fc.uint8Array({ maxLength: 300, size: 'max' }), fc.constant(new Uint8Array(200_000))),
});

test('the tree of an archive has the id that git gives to the same files', async (t) => {
  const dir = await temporaryFolder(t);
  const property = fc.asyncProperty(
    paths,
    fc.infiniteStream(content),
    fc.boolean(),
    async (names, contents, isGzip) => {
      const work = join(dir, 'work');
      await rm(work, { recursive: true, force: true });
      await git(['init', '-q', work]);
      for (const name of names) {
        const { kind, bytes } = contents.next().value;
        await mkdir(dirname(join(work, name)), { recursive: true });
        if (kind === 'link') await symlink(`../${bytes.length}`, join(work, name));
        else await writeFile(join(work, name), bytes);
        if (kind === 'executable') await chmod(join(work, name), 0o755);
      }
      await git(['add', '-A'], { cwd: work });
      await git(['commit', '-qm', 'all'], { cwd: work });
      await git(['archive', '--format=tar', '-o', join(dir, 'made.tar'), 'HEAD'], { cwd: work });
      const archive = await readFile(join(dir, 'made.tar'));
      const expected = await git(['rev-parse', 'HEAD^{tree}'], { cwd: work });
      assert.equal(await treeOf(dir, isGzip ? gzipSync(archive) : archive), expected);
    },
  );
  await fc.assert(property, { numRuns: 25 });
});

test('git itself accepts the pack of an archive', async (t) => {
  const dir = await temporaryFolder(t);
  const { pack, commit } = await packed(dir, await tgzOf([{ name: 'a/b.yaml', data: 'kind: A' }, { name: 'c' }]));
  await writeFile(join(dir, 'made.pack'), pack);
  await git(['init', '-q', '--bare', join(dir, 'bare')]);
  await git(['index-pack', '--strict', '--stdin'], { cwd: join(dir, 'bare'), input: pack });
  assert.equal(await git(['ls-tree', '-r', '--name-only', commit], { cwd: join(dir, 'bare') }), 'a/b.yaml\nc');
});

test('the folder of a chart is not part of its tree, and names are read without dots and empty parts', async (t) => {
  const dir = await temporaryFolder(t);
  const bare = await treeOf(dir, await tarOf([{ name: 'templates/a.yaml', data: 'A' }, { name: 'Chart.yaml' }]));
  const files = [{ name: './my//templates/a.yaml', data: 'A' }, { name: 'my/./Chart.yaml' }];
  assert.equal(await treeOf(dir, await tgzOf(files), { stripsFolder: true }), bare);
});

test('the last of several entries with one path counts', async (t) => {
  const dir = await temporaryFolder(t);
  const last = await treeOf(dir, await tarOf([{ name: 'a', data: 'new' }]));
  const both = [
    { name: 'a', data: 'old' },
    { name: 'a', data: 'new' },
  ];
  assert.equal(await treeOf(dir, await tarOf(both)), last);
});

interface Refusal {
  readonly what: string;
  readonly entries: readonly ArchiveEntry[];
  readonly says: RegExp;
  readonly stripsFolder?: boolean;
}

const file = (name: string): ArchiveEntry => ({ name, data: 'x' });

const REFUSALS: readonly Refusal[] = [
  { what: 'a path that leads out', entries: [file('a/../../b')], says: /"a\/..\/..\/b" leads out of the archive/ },
  { what: 'an absolute path', entries: [file('/etc/passwd')], says: /has an absolute path/ },
  { what: 'a folder .git', entries: [file('a/.git/config')], says: /lies in a folder \.git/ },
  { what: 'a folder .GIT', entries: [file('.GIT/hooks/x')], says: /lies in a folder \.git/ },
  { what: 'a backslash', entries: [file('a\\..\\b')], says: /a character in its path that is not allowed/ },
  { what: 'a hard link', entries: [{ name: 'l', type: 'link', linkname: 'a' }], says: /"l" is a hard link/ },
  { what: 'a pipe', entries: [{ name: 'p', type: 'fifo' }], says: /"p" is a pipe/ },
  { what: 'a device', entries: [{ name: 'd', type: 'character-device' }], says: /"d" is a device/ },
  { what: 'too many folders', entries: [file(`${'a/'.repeat(200)}b`)], says: /lies in too many folders/ },
  { what: 'a file that is also a folder', entries: [file('a'), file('a/b')], says: /a file in one entry and a folder/ },
  { what: 'a folder that is also a file', entries: [file('a/b'), file('a')], says: /a file in one entry and a folder/ },
  {
    what: 'a chart with two folders',
    entries: [file('a/b'), file('c/d')],
    says: /not in the folder "a"/,
    stripsFolder: true,
  },
];

for (const { what, entries, says, stripsFolder = false } of REFUSALS) {
  test(`an archive with ${what} is refused, and the message names the entry`, async (t) => {
    const dir = await temporaryFolder(t);
    const attempt = packed(dir, await tarOf(entries), { stripsFolder });
    await assert.rejects(attempt, { code: 'MalformedArchive', message: says });
  });
}

async function assertTooLarge(t: TestContext, archive: Uint8Array, limits: Partial<typeof LIMITS>, says: RegExp) {
  const dir = await temporaryFolder(t);
  await assert.rejects(packed(dir, archive, { limits: { ...LIMITS, ...limits } }), { code: 'TooLarge', message: says });
}

test('an archive that inflates without end stops at the bound', async (t) => {
  // After the end of the archive come zeros that no entry names.
  const endless = gzipSync(Buffer.concat([await tarOf([file('a')]), Buffer.alloc(20_000_000)]));
  await assertTooLarge(t, endless, { maxInflatedArchiveBytes: 1_000_000 }, /inflates to more than 1000000 bytes/);
});

test('a file that is too large is refused by its size, before it is read', async (t) => {
  const large = await tarOf([{ name: 'big', data: Buffer.alloc(50_000) }]);
  await assertTooLarge(t, large.subarray(0, 512), { maxObjectBytes: 1_000 }, /"big" of 50000 bytes/);
});

test('an archive with too many entries is refused', async (t) => {
  const many = await tarOf(Array.from({ length: 30 }, (_, at) => ({ name: `d${at}`, type: 'directory' as const })));
  await assertTooLarge(t, many, { maxFiles: 20 }, /more than 20 files/);
});

test('bytes that are no archive, and archives that end early, are refused', async (t) => {
  const dir = await temporaryFolder(t);
  const whole = await tgzOf([{ name: 'a', data: 'x'.repeat(5_000) }]);
  for (const bytes of [
    Buffer.from('no archive at all'),
    whole.subarray(0, 60),
    gzipSync('text'),
    Buffer.alloc(700, 1),
  ]) {
    await assert.rejects(packed(dir, bytes), { code: 'MalformedArchive', message: /no complete tar archive/ });
  }
});
