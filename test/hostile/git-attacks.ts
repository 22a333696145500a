/** Attacks by Git objects and the Git protocol: trees, packs, references and answers that no honest server sends. */
import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { encodeLine, FLUSH } from '../../src/source/transport/pkt-line.ts';
import {
  appendingDelta,
  BLOB,
  COMMIT,
  commitOf,
  commitOfTree,
  entry,
  entryHead,
  OFFSET_DELTA,
  oidOf,
  packOf,
  REF_DELTA,
  sizeBytes,
  TREE,
  treeOf,
  type TreeRow,
} from '../support/hand-made-pack.ts';
import { CONFIG_MAP, many, server, type Attack } from './attack.ts';
import { advertisementBody, body, endless, packBody, refsBody, serves, status, type Reply } from './front.ts';

const MiB = 1024 * 1024;
const NO_OID = '1'.repeat(40);

/** File names that git refuses to check out, on at least one operating system. */
const FORBIDDEN_NAMES = [
  '..',
  '.',
  '',
  '.git',
  '.GIT',
  '.gIt ',
  'git~1',
  'GIT~1',
  '.git::$INDEX_ALLOCATION',
  '.g\u200cit',
  'a/b',
];

const blob = Buffer.from(CONFIG_MAP);
const folder = treeOf([{ name: 'a.yaml', oid: oidOf(BLOB, blob) }]);
const FILE = { mode: '100644', oid: oidOf(BLOB, blob) };
const FOLDER = { mode: '40000', oid: oidOf(TREE, folder) };

function tree(name: string, rows: readonly TreeRow[], expected: string): Attack {
  const { commit, entries } = commitOfTree(treeOf(rows));
  return server(name, serves(commit, packOf([...entries, entry(TREE, folder), entry(BLOB, blob)])), expected);
}

export const TREE_ATTACKS: readonly Attack[] = [
  ...FORBIDDEN_NAMES.map((name) => tree(`a file named ${JSON.stringify(name)}`, [{ ...FILE, name }], 'MalformedTree')),
  tree('a folder named ..', [{ ...FOLDER, name: '..' }], 'MalformedTree'),
  tree('a folder named .git', [{ ...FOLDER, name: '.git' }], 'MalformedTree'),
  tree(
    'two files with the same name',
    [
      { ...FILE, name: 'a.yaml' },
      { ...FILE, name: 'a.yaml' },
    ],
    'MalformedTree',
  ),
  tree(
    'a file and a folder with the same name',
    [
      { ...FILE, name: 'a' },
      { ...FOLDER, name: 'a' },
    ],
    'MalformedTree',
  ),
  tree('a file mode that git does not know', [{ ...FILE, mode: '170000', name: 'a.yaml' }], 'MalformedTree'),
  tree('a file mode that is not octal', [{ ...FILE, mode: '999999', name: 'a.yaml' }], 'MalformedTree'),
  tree('a folder whose id is that of a blob', [{ ...FOLDER, oid: FILE.oid, name: 'a' }], 'IncompletePack'),
  tree('a file whose id is that of a tree', [{ ...FILE, oid: FOLDER.oid, name: 'a.yaml' }], 'IncompletePack'),
  tree(
    'a file name with terminal control sequences',
    [{ ...FILE, name: '\x1b]0;owned\x07\x1b[2J/..' }],
    'MalformedTree',
  ),
  tree('a file name of 5,000 bytes', [{ ...FILE, name: 'n'.repeat(5_000) }], 'MalformedTree'),
];

const honest = commitOf({ 'a.yaml': oidOf(BLOB, blob) });
const honestPack = packOf([...honest.entries, entry(BLOB, blob)]);

function changed(pack: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(pack);
  copy.writeUInt8(value, at < 0 ? pack.length + at : at);
  return copy;
}

function withChecksum(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, createHash('sha1').update(bytes).digest()]);
}

function delta(...bytes: (number | readonly number[])[]): Buffer {
  return Buffer.from(bytes.flat());
}

const byId = (content: Buffer, base: string): Buffer => entry(REF_DELTA, content, Buffer.from(base, 'hex'));

/**
 * Deltas that each append a letter to a base, which they name by its id. The next entry of the pack makes that base, so
 * that each delta has to wait.
 */
function backwardChain(depth: number): Buffer[] {
  const contents = many(depth, (i) => Buffer.from('x'.repeat(i + 1)));
  const deltas = contents.slice(0, -1).map((base) => byId(appendingDelta(base.length, 'x'), oidOf(BLOB, base)));
  return [...deltas.reverse(), entry(BLOB, Buffer.from('x'))];
}

/** Two deltas that stand for a cycle. The ids of a real cycle cannot be computed, so both name invented ids. */
const deltaCycle = [byId(delta(1, 1, 0x90, 1), 'a'.repeat(40)), byId(delta(1, 1, 0x90, 1), 'b'.repeat(40))];

/** 100 folders of 1,000 files, all the same blob: 100,000 paths from four objects. */
function manyPaths() {
  const folder = treeOf(many(1_000, (i) => ({ name: `f${String(i).padStart(4, '0')}.yaml`, oid: oidOf(BLOB, blob) })));
  const root = treeOf(
    many(100, (i) => ({ mode: '40000', name: `d${String(i).padStart(3, '0')}`, oid: oidOf(TREE, folder) })),
  );
  const { commit, entries } = commitOfTree(root);
  return serves(commit, packOf([...entries, entry(TREE, folder), entry(BLOB, blob)]));
}

/** Sixty trees, each of which contains the next one twice: 2^60 paths. */
function doublingFolders() {
  const trees: Buffer[] = [];
  let row = { mode: '100644', oid: oidOf(BLOB, blob) };
  for (let level = 0; level < 60; level += 1) {
    const next = treeOf(['a', 'b'].map((name) => ({ ...row, name })));
    trees.push(next);
    row = { mode: '40000', oid: oidOf(TREE, next) };
  }
  const { commit, entries } = commitOfTree(trees.at(-1) as Buffer);
  return serves(
    commit,
    packOf([...entries, ...trees.slice(0, -1).map((item) => entry(TREE, item)), entry(BLOB, blob)]),
  );
}

function nestedFolders(depth: number) {
  const trees: Buffer[] = [treeOf([{ name: 'a.yaml', oid: oidOf(BLOB, blob) }])];
  while (trees.length < depth)
    trees.push(treeOf([{ mode: '40000', name: 'd', oid: oidOf(TREE, trees.at(-1) as Buffer) }]));
  const { commit, entries } = commitOfTree(trees.at(-1) as Buffer);
  return serves(
    commit,
    packOf([...entries, ...trees.slice(0, -1).map((item) => entry(TREE, item)), entry(BLOB, blob)]),
  );
}

function pack(name: string, entries: readonly Buffer[], expected: string | readonly string[]): Attack {
  return server(name, serves(honest.commit, packOf([...honest.entries, ...entries])), expected);
}

/** The same entry many times over. */
const repeated = (count: number, one: Buffer): Buffer[] => many(count, () => one);

const zeros = Buffer.alloc(100 * MiB);
const copyInstructions = many(4_000, () => [0xb0, 0xe8, 0x03]).flat();
const thousand = Buffer.from('x'.repeat(1_000));

export const PACK_ATTACKS: readonly Attack[] = [
  pack('a blob of 100 MiB that is compressed to 100 kB', [entry(BLOB, zeros)], 'TooLarge'),
  pack('a blob whose header declares 10^15 bytes', [Buffer.concat([entryHead(BLOB, 1e15), blob])], 'TooLarge'),
  pack('a blob whose header declares 2^69 bytes', [Buffer.alloc(10, 0xff)], 'CorruptPack'),
  pack(
    'a delta that declares a result of 2 GB',
    [entry(BLOB, thousand), byId(delta(sizeBytes(1000), sizeBytes(2e9), 0x90, 1), oidOf(BLOB, thousand))],
    'TooLarge',
  ),
  pack(
    '2,000 deltas with a result of 4 MB each',
    [
      entry(BLOB, thousand),
      ...repeated(2_000, byId(delta(sizeBytes(1000), sizeBytes(4e6), copyInstructions), oidOf(BLOB, thousand))),
    ],
    ['TooLarge', 'Killed'],
  ),
  pack('8,000 deltas, each based on the next entry', backwardChain(8_000), 'CorruptPack'),
  pack('two deltas that name each other as base', deltaCycle, 'IncompletePack'),
  pack('a delta whose base is itself', [entry(OFFSET_DELTA, delta(1, 1, 0x90, 1), Buffer.from([0]))], 'CorruptPack'),
  pack('a delta whose base does not exist', [byId(delta(1, 1, 0x90, 1), NO_OID)], 'IncompletePack'),
  server(
    'a pack that declares a million small objects',
    serves(honest.commit, packOf(repeated(200_000, entry(BLOB, Buffer.from('x'))), 1_000_000)),
    'TooLarge',
  ),
  server(
    'a pack that declares more objects than it contains',
    serves(honest.commit, packOf([...honest.entries, entry(BLOB, blob)], 5)),
    'CorruptPack',
  ),
  server(
    'a pack that declares fewer objects than it contains',
    serves(honest.commit, packOf([...honest.entries, entry(BLOB, blob)], 2)),
    'CorruptPack',
  ),
  server(
    'a pack that declares 4 billion objects',
    serves(honest.commit, packOf(honest.entries, 0xffff_ffff)),
    'TooLarge',
  ),
  server(
    'a pack with a wrong checksum',
    serves(honest.commit, changed(honestPack, -1, (honestPack.at(-1) ?? 0) ^ 1)),
    'TruncatedAnswer',
  ),
  server('a truncated pack', serves(honest.commit, honestPack.subarray(0, -30)), 'TruncatedAnswer'),
  server(
    'a truncated pack with a correct checksum',
    serves(honest.commit, withChecksum(honestPack.subarray(0, -30))),
    'CorruptPack',
  ),
  server(
    'random bytes between the entries and the checksum of a pack',
    serves(honest.commit, withChecksum(Buffer.concat([honestPack.subarray(0, -20), randomBytes(50)]))),
    'CorruptPack',
  ),
  server(
    'random bytes after a pack',
    serves(honest.commit, Buffer.concat([honestPack, randomBytes(50)])),
    'TruncatedAnswer',
  ),
  server(
    'a pack of version 9',
    serves(honest.commit, withChecksum(changed(honestPack, 7, 9).subarray(0, -20))),
    'MalformedAnswer',
  ),
  server('a pack without the commit that was requested', serves(NO_OID, honestPack), 'IncompletePack'),
  server('a blob in place of the commit', serves(oidOf(BLOB, blob), honestPack), 'NotACommit'),
  server('a commit without a tree', serves(oidOf(COMMIT, blob), packOf([entry(COMMIT, blob)])), 'NotACommit'),
  server(
    'a pack larger than the limit',
    serves(honest.commit, packOf([...honest.entries, entry(BLOB, randomBytes(6 * MiB))])),
    'TooLarge',
  ),
  server('100,000 paths from four objects', manyPaths(), 'TooLarge'),
  server('2^60 paths from sixty trees', doublingFolders(), 'TooLarge'),
  server('folders nested 10,000 deep', nestedFolders(10_000), 'TooLarge'),
];

const advertising = (names: readonly string[], capabilities?: string): Attack['strike'] => ({
  type: 'server',
  replies: { advertisement: body('advertisement', advertisementBody(NO_OID, names, capabilities)) },
});

const HOSTILE_NAMES = [
  'refs/heads/../../x',
  '__proto__/corsProxy',
  '__proto__',
  'constructor',
  'refs/heads/__proto__',
  'constructor/prototype/polluted',
];

const slowHead: Reply = (response) => {
  const { socket } = response;
  socket?.write('HTTP/1.1 200 OK\r\n');
  const timer = setInterval(() => socket?.write('x-slow: 1\r\n'), 100);
  socket?.once('close', () => clearInterval(timer));
};

const PROGRESS = Buffer.from(encodeLine(`\x02${'counting '.repeat(1_000)}`));

export const ANSWER_ATTACKS: readonly Attack[] = [
  {
    name: 'references with hostile names in a listing of protocol 0',
    strike: advertising(HOSTILE_NAMES),
    expected: ['RevisionNotFound'],
  },
  {
    name: 'symbolic references in cycles in a listing of protocol 0',
    strike: advertising(
      ['HEAD'],
      'symref=HEAD:HEAD symref=refs/heads/a:refs/heads/b symref=refs/heads/b:refs/heads/a shallow',
    ),
    expected: ['RevisionNotFound', 'IncompletePack', 'RemoteError'],
  },
  server(
    'references with hostile names in a listing of protocol 2',
    { refs: body('refs', refsBody(NO_OID, HOSTILE_NAMES)) },
    'RevisionNotFound',
  ),
  server(
    'symbolic references to themselves in a listing of protocol 2',
    { refs: body('refs', refsBody(NO_OID, ['HEAD symref-target:HEAD', 'refs/heads/a symref-target:refs/heads/a'])) },
    ['RevisionNotFound', 'RemoteError'],
  ),
  server('a reference without a name', { refs: body('refs', encodeLine(`${NO_OID} \n`) + FLUSH) }, 'MalformedAnswer'),
  server(
    'a reference with something else than an object id',
    { refs: body('refs', encodeLine('x HEAD\n') + FLUSH) },
    'MalformedAnswer',
  ),
  server(
    'a listing of references without its end',
    { refs: body('refs', encodeLine(`${NO_OID} HEAD\n`)) },
    'TruncatedAnswer',
  ),
  server('packets whose length is not hexadecimal', { refs: body('refs', 'fffz'.repeat(100)) }, 'TruncatedAnswer'),
  server(
    'a compressed advertisement that is a thousand times larger when decompressed',
    {
      advertisement: body('advertisement', gzipSync(Buffer.alloc(200 * MiB)), {
        headers: { 'content-encoding': 'gzip' },
      }),
    },
    'EncodedAnswer',
  ),
  server(
    'an endless advertisement',
    { advertisement: endless('advertisement', encodeLine(`${NO_OID} refs/heads/${'x'.repeat(60_000)}\n`), 0) },
    ['TooLarge', 'Timeout'],
  ),
  server(
    'an endless listing of references',
    { refs: endless('refs', encodeLine(`${NO_OID} refs/heads/${'x'.repeat(60_000)}\n`), 0) },
    ['TooLarge', 'Timeout'],
  ),
  server('an advertisement that arrives byte by byte', { advertisement: endless('advertisement', '0', 50) }, 'Timeout'),
  server('a listing of references that arrives byte by byte', { refs: endless('refs', '0', 50) }, 'Timeout'),
  server('headers that arrive line by line without end', { refs: slowHead }, 'Timeout'),
  server('no answer at all', { refs: () => undefined }, 'Timeout'),
  server(
    'a pack that arrives byte by byte',
    { refs: body('refs', refsBody(honest.commit)), pack: endless('pack', '7', 50) },
    'Timeout',
  ),
  server(
    'endless progress messages',
    { refs: body('refs', refsBody(honest.commit)), pack: endless('pack', PROGRESS, 0) },
    ['TooLarge', 'Timeout'],
  ),
  server(
    'endless acknowledgements',
    { refs: body('refs', refsBody(honest.commit)), pack: endless('pack', encodeLine('NAK\n').repeat(1_000), 0) },
    'MalformedAnswer',
  ),
  server(
    'endless redirects',
    {
      advertisement: (response) =>
        void response
          .writeHead(302, { location: `/victim.git/info/refs?service=git-upload-pack&n=${Math.random()}` })
          .end(),
    },
    'RedirectRefused',
  ),
  server(
    'a redirect to the metadata address of a cloud, which gives out credentials',
    { advertisement: status(302, { location: 'http://169.254.169.254/latest/meta-data' }) },
    'RedirectRefused',
  ),
  server(
    'a redirect to a file URL',
    { advertisement: status(302, { location: 'file:///etc/passwd' }) },
    'RedirectRefused',
  ),
  server(
    'a redirect of a POST request to another repository',
    { refs: status(307, { location: '/neighbour.git/git-upload-pack' }) },
    'RedirectRefused',
  ),
  server(
    'a header of a megabyte',
    { refs: (response) => void response.socket?.write(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(MiB)}\r\n\r\n`) },
    ['Network', 'Timeout'],
  ),
  server('an answer that is not HTTP', { refs: (response) => void response.socket?.end('\x1b[2J\x00\xff') }, 'Network'),
  server(
    'an error packet with terminal control sequences',
    { refs: body('refs', encodeLine('ERR \x1b]0;owned\x07\x1b[31m\u202eevil\u0085') + FLUSH) },
    'RemoteError',
  ),
  server(
    'an error packet with terminal control sequences in a fetch',
    { refs: body('refs', refsBody(honest.commit)), pack: body('pack', encodeLine('\x03\x1b[2Jroot\u202e')) },
    ['RemoteError', 'MalformedAnswer'],
  ),
  server(
    'a content type with a terminal control character',
    { refs: (response) => void response.writeHead(200, { 'content-type': 'text/\u009b2Jhtml' }).end() },
    'NotGit',
  ),
  server(
    'an empty pack',
    { refs: body('refs', refsBody(honest.commit)), pack: body('pack', packBody(honest.commit, packOf([]))) },
    'IncompletePack',
  ),
];
