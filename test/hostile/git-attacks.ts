/** Attacks by Git's objects and protocol: trees, packs, references and answers that no honest server sends. */
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

/** What no folder may hold: git refuses to check it out, on one system or another. */
const FORBIDDEN = [
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

function tree(name: string, rows: readonly TreeRow[], ends: string): Attack {
  const { commit, entries } = commitOfTree(treeOf(rows));
  return server(name, serves(commit, packOf([...entries, entry(TREE, folder), entry(BLOB, blob)])), ends);
}

export const TREE_ATTACKS: readonly Attack[] = [
  ...FORBIDDEN.map((name) => tree(`a file named ${JSON.stringify(name)}`, [{ ...FILE, name }], 'MalformedTree')),
  tree('a folder named ..', [{ ...FOLDER, name: '..' }], 'MalformedTree'),
  tree('a folder named .git', [{ ...FOLDER, name: '.git' }], 'MalformedTree'),
  tree(
    'two files of one name',
    [
      { ...FILE, name: 'a.yaml' },
      { ...FILE, name: 'a.yaml' },
    ],
    'MalformedTree',
  ),
  tree(
    'a file and a folder of one name',
    [
      { ...FILE, name: 'a' },
      { ...FOLDER, name: 'a' },
    ],
    'MalformedTree',
  ),
  tree('an unknown mode', [{ ...FILE, mode: '170000', name: 'a.yaml' }], 'MalformedTree'),
  tree('a mode that is no number', [{ ...FILE, mode: '999999', name: 'a.yaml' }], 'MalformedTree'),
  tree('a folder that is a file', [{ ...FOLDER, oid: FILE.oid, name: 'a' }], 'IncompletePack'),
  tree('a file that is a folder', [{ ...FILE, oid: FOLDER.oid, name: 'a.yaml' }], 'IncompletePack'),
  tree('a name of a terminal', [{ ...FILE, name: '\x1b]0;owned\x07\x1b[2J/..' }], 'MalformedTree'),
  tree('a name of 5,000 bytes', [{ ...FILE, name: 'n'.repeat(5_000) }], 'MalformedTree'),
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

/** Each adds a letter to the one before, named by its id; the longest first, so that each waits for the next. */
function backwardChain(depth: number): Buffer[] {
  const contents = many(depth, (i) => Buffer.from('x'.repeat(i + 1)));
  const deltas = contents.slice(0, -1).map((base) => byId(appendingDelta(base.length, 'x'), oidOf(BLOB, base)));
  return [...deltas.reverse(), entry(BLOB, Buffer.from('x'))];
}

/** Two deltas that name each other: their ids cannot be known, so they are made up. */
const cycle = [byId(delta(1, 1, 0x90, 1), 'a'.repeat(40)), byId(delta(1, 1, 0x90, 1), 'b'.repeat(40))];

/** 1,000 files in each of 100 folders, all one blob: 100,000 paths in four objects. */
function crowd() {
  const folder = treeOf(many(1_000, (i) => ({ name: `f${String(i).padStart(4, '0')}.yaml`, oid: oidOf(BLOB, blob) })));
  const root = treeOf(
    many(100, (i) => ({ mode: '40000', name: `d${String(i).padStart(3, '0')}`, oid: oidOf(TREE, folder) })),
  );
  const { commit, entries } = commitOfTree(root);
  return serves(commit, packOf([...entries, entry(TREE, folder), entry(BLOB, blob)]));
}

/** Each folder holds the next one twice: 2^60 paths. */
function unfolding() {
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

function nested(depth: number) {
  const trees: Buffer[] = [treeOf([{ name: 'a.yaml', oid: oidOf(BLOB, blob) }])];
  while (trees.length < depth)
    trees.push(treeOf([{ mode: '40000', name: 'd', oid: oidOf(TREE, trees.at(-1) as Buffer) }]));
  const { commit, entries } = commitOfTree(trees.at(-1) as Buffer);
  return serves(
    commit,
    packOf([...entries, ...trees.slice(0, -1).map((item) => entry(TREE, item)), entry(BLOB, blob)]),
  );
}

function pack(name: string, entries: readonly Buffer[], ends: string | readonly string[]): Attack {
  return server(name, serves(honest.commit, packOf([...honest.entries, ...entries])), ends);
}

const bomb = Buffer.alloc(100 * MiB);
const copies = many(4_000, () => [0xb0, 0xe8, 0x03]).flat();
const thousand = Buffer.from('x'.repeat(1_000));

export const PACK_ATTACKS: readonly Attack[] = [
  pack('a blob of 100 MiB in 100 kB', [entry(BLOB, bomb)], 'TooLarge'),
  pack('a blob that claims to be of 10^15 bytes', [Buffer.concat([entryHead(BLOB, 1e15), blob])], 'TooLarge'),
  pack('a blob that claims to be of 2^69 bytes', [Buffer.alloc(10, 0xff)], 'CorruptPack'),
  pack(
    'a delta that claims to make 2 GB',
    [entry(BLOB, thousand), byId(delta(sizeBytes(1000), sizeBytes(2e9), 0x90, 1), oidOf(BLOB, thousand))],
    'TooLarge',
  ),
  pack(
    '2,000 deltas that make 4 MB each',
    [
      entry(BLOB, thousand),
      ...many(2_000, () => byId(delta(sizeBytes(1000), sizeBytes(4e6), copies), oidOf(BLOB, thousand))),
    ],
    ['TooLarge', 'Killed'],
  ),
  pack('8,000 deltas, each on the next', backwardChain(8_000), 'CorruptPack'),
  pack('deltas that name each other', cycle, 'IncompletePack'),
  pack('a delta on itself', [entry(OFFSET_DELTA, delta(1, 1, 0x90, 1), Buffer.from([0]))], 'CorruptPack'),
  pack('a delta on nothing', [byId(delta(1, 1, 0x90, 1), NO_OID)], 'IncompletePack'),
  server(
    'a million small objects',
    serves(
      honest.commit,
      packOf(
        many(200_000, () => entry(BLOB, Buffer.from('x'))),
        1_000_000,
      ),
    ),
    'TooLarge',
  ),
  server(
    'more objects claimed than sent',
    serves(honest.commit, packOf([...honest.entries, entry(BLOB, blob)], 5)),
    'CorruptPack',
  ),
  server(
    'fewer objects claimed than sent',
    serves(honest.commit, packOf([...honest.entries, entry(BLOB, blob)], 2)),
    'CorruptPack',
  ),
  server('4 billion objects claimed', serves(honest.commit, packOf(honest.entries, 0xffff_ffff)), 'TooLarge'),
  server(
    'a wrong checksum',
    serves(honest.commit, changed(honestPack, -1, (honestPack.at(-1) ?? 0) ^ 1)),
    'TruncatedAnswer',
  ),
  server('a pack that breaks off', serves(honest.commit, honestPack.subarray(0, -30)), 'TruncatedAnswer'),
  server(
    'a pack that breaks off, with a right checksum',
    serves(honest.commit, withChecksum(honestPack.subarray(0, -30))),
    'CorruptPack',
  ),
  server(
    'garbage after the entries',
    serves(honest.commit, withChecksum(Buffer.concat([honestPack.subarray(0, -20), randomBytes(50)]))),
    'CorruptPack',
  ),
  server(
    'garbage after the pack',
    serves(honest.commit, Buffer.concat([honestPack, randomBytes(50)])),
    'TruncatedAnswer',
  ),
  server(
    'a pack of version 9',
    serves(honest.commit, withChecksum(changed(honestPack, 7, 9).subarray(0, -20))),
    'MalformedAnswer',
  ),
  server('another commit than was asked for', serves(NO_OID, honestPack), 'IncompletePack'),
  server('a file in the place of the commit', serves(oidOf(BLOB, blob), honestPack), 'NotACommit'),
  server('a commit without tree', serves(oidOf(COMMIT, blob), packOf([entry(COMMIT, blob)])), 'NotACommit'),
  server(
    'a pack larger than allowed',
    serves(honest.commit, packOf([...honest.entries, entry(BLOB, randomBytes(6 * MiB))])),
    'TooLarge',
  ),
  server('100,000 files in four objects', crowd(), 'TooLarge'),
  server('2^60 files in sixty objects', unfolding(), 'TooLarge'),
  server('folders 10,000 deep', nested(10_000), 'TooLarge'),
];

const shownBy = (names: readonly string[], capabilities?: string): Attack['strike'] => ({
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
    name: 'references of hostile names, as protocol 0 lists them',
    strike: shownBy(HOSTILE_NAMES),
    ends: ['RevisionNotFound'],
  },
  {
    name: 'a HEAD that leads to itself',
    strike: shownBy(
      ['HEAD'],
      'symref=HEAD:HEAD symref=refs/heads/a:refs/heads/b symref=refs/heads/b:refs/heads/a shallow',
    ),
    ends: ['RevisionNotFound', 'IncompletePack', 'RemoteError'],
  },
  server(
    'references of hostile names, as protocol 2 lists them',
    { refs: body('refs', refsBody(NO_OID, HOSTILE_NAMES)) },
    'RevisionNotFound',
  ),
  server(
    'references that lead to one another',
    { refs: body('refs', refsBody(NO_OID, ['HEAD symref-target:HEAD', 'refs/heads/a symref-target:refs/heads/a'])) },
    ['RevisionNotFound', 'RemoteError'],
  ),
  server('a reference without a name', { refs: body('refs', encodeLine(`${NO_OID} \n`) + FLUSH) }, 'MalformedAnswer'),
  server('a reference of no id', { refs: body('refs', encodeLine('x HEAD\n') + FLUSH) }, 'MalformedAnswer'),
  server('references that break off', { refs: body('refs', encodeLine(`${NO_OID} HEAD\n`)) }, 'TruncatedAnswer'),
  server('packets of impossible lengths', { refs: body('refs', 'fffz'.repeat(100)) }, 'TruncatedAnswer'),
  server(
    'an advertisement that unfolds a thousandfold',
    {
      advertisement: body('advertisement', gzipSync(Buffer.alloc(200 * MiB)), {
        headers: { 'content-encoding': 'gzip' },
      }),
    },
    'EncodedAnswer',
  ),
  server(
    'an advertisement without end',
    { advertisement: endless('advertisement', encodeLine(`${NO_OID} refs/heads/${'x'.repeat(60_000)}\n`), 0) },
    ['TooLarge', 'Timeout'],
  ),
  server(
    'references without end',
    { refs: endless('refs', encodeLine(`${NO_OID} refs/heads/${'x'.repeat(60_000)}\n`), 0) },
    ['TooLarge', 'Timeout'],
  ),
  server('an advertisement, a byte at a time', { advertisement: endless('advertisement', '0', 50) }, 'Timeout'),
  server('references, a byte at a time', { refs: endless('refs', '0', 50) }, 'Timeout'),
  server('headers, a byte at a time', { refs: slowHead }, 'Timeout'),
  server('silence', { refs: () => undefined }, 'Timeout'),
  server(
    'a pack, a byte at a time',
    { refs: body('refs', refsBody(honest.commit)), pack: endless('pack', '7', 50) },
    'Timeout',
  ),
  server('progress without end', { refs: body('refs', refsBody(honest.commit)), pack: endless('pack', PROGRESS, 0) }, [
    'TooLarge',
    'Timeout',
  ]),
  server(
    'acknowledgements without end',
    { refs: body('refs', refsBody(honest.commit)), pack: endless('pack', encodeLine('NAK\n').repeat(1_000), 0) },
    'MalformedAnswer',
  ),
  server(
    'redirects without end',
    {
      advertisement: (response) =>
        void response
          .writeHead(302, { location: `/victim.git/info/refs?service=git-upload-pack&n=${Math.random()}` })
          .end(),
    },
    'RedirectRefused',
  ),
  server(
    'a redirect to the machine that gives out credentials',
    { advertisement: status(302, { location: 'http://169.254.169.254/latest/meta-data' }) },
    'RedirectRefused',
  ),
  server('a redirect to a file', { advertisement: status(302, { location: 'file:///etc/passwd' }) }, 'RedirectRefused'),
  server(
    'a redirect of a fetch',
    { refs: status(307, { location: '/neighbour.git/git-upload-pack' }) },
    'RedirectRefused',
  ),
  server(
    'headers of a megabyte',
    { refs: (response) => void response.socket?.write(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(MiB)}\r\n\r\n`) },
    ['Network', 'Timeout'],
  ),
  server('no HTTP', { refs: (response) => void response.socket?.end('\x1b[2J\x00\xff') }, 'Network'),
  server(
    'a refusal in the words of a terminal',
    { refs: body('refs', encodeLine('ERR \x1b]0;owned\x07\x1b[31m\u202eevil\u0085') + FLUSH) },
    'RemoteError',
  ),
  server(
    'a refusal in the words of a terminal, within a fetch',
    { refs: body('refs', refsBody(honest.commit)), pack: body('pack', encodeLine('\x03\x1b[2Jroot\u202e')) },
    ['RemoteError', 'MalformedAnswer'],
  ),
  server(
    'a content type of a terminal',
    { refs: (response) => void response.writeHead(200, { 'content-type': 'text/\u009b2Jhtml' }).end() },
    'NotGit',
  ),
  server(
    'a commit that is never sent',
    { refs: body('refs', refsBody(honest.commit)), pack: body('pack', packBody(honest.commit, packOf([]))) },
    'IncompletePack',
  ),
];
