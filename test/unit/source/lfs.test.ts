/** Files in Git LFS come by the batch API, stay on disk as snapshots, and have the bytes of their pointers. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parseAddressRules } from '../../../src/application/address-rule.ts';
import { defaultSourceLimits } from '../../../src/source/limits.ts';
import { openPackTree } from '../../../src/source/packs/pack-tree.ts';
import { parseCredential } from '../../../src/source/credential.ts';
import type { Source } from '../../../src/source/source.ts';
import { basic } from '../../support/git-server.ts';
import { createLfs, type TestLfs } from '../../support/lfs-server.ts';
import { startSshServer } from '../../support/ssh-server.ts';
import { overSshServer, startHarness, startHarnessOver, type HarnessOptions } from './source-harness.ts';

const CONTENT = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: large}\n';
const SECRET = { username: Buffer.from('me'), password: Buffer.from('canary-word') };
const login = parseCredential({ secret: 'apps/login', data: new Map(Object.entries(SECRET)) });

async function startLfs(t: TestContext, options: HarnessOptions = {}) {
  const harness = await startHarness(t, options);
  const lfs = createLfs();
  lfs.add(CONTENT);
  harness.server.onRequest = lfs.handle;
  return { ...harness, lfs, repoUrl: `${harness.server.url}/shop.git` };
}

interface Wanted {
  readonly repoUrl: string;
  readonly content?: string;
  readonly sizeBytes?: number;
}

const idOf = (content: string): string => createLfs().idOf(content);

async function fetchObject(
  source: Source,
  { repoUrl, content = CONTENT, sizeBytes = content.length }: Wanted,
  credential?: typeof login,
): Promise<string> {
  const commit = idOf(content);
  const place = { repoUrl, lfsObject: { sizeBytes }, credential };
  assert.equal((await source.poll({ ...place, revision: commit })).commit, commit);
  const { tree } = await source.fetch({ ...place, resolved: { commit, revision: `sha256:${commit}` } });
  const opened = openPackTree(tree, { ...defaultSourceLimits, maxFileBytes: 1_000_000 });
  try {
    assert.deepEqual(
      opened.list('').map(({ name }) => name),
      ['object'],
    );
    return Buffer.from(opened.read('object')).toString('utf8');
  } finally {
    opened.close();
  }
}

function summaryOf({ requests }: TestLfs): string[] {
  return requests.map(({ type, host, headers }) => {
    const name = String(host).split(':')[0];
    return [type, name, ...(headers.authorization === undefined ? [] : ['login'])].join(' ');
  });
}

test('an object is brought by two requests, and by none once it is on disk, also after a restart', async (t) => {
  const { source, lfs, repoUrl, reopen } = await startLfs(t);
  assert.equal(await fetchObject(source, { repoUrl }), CONTENT);
  assert.deepEqual(summaryOf(lfs), ['batch 127.0.0.1', 'object 127.0.0.1']);
  assert.equal(await fetchObject(source, { repoUrl }), CONTENT);
  assert.equal(await fetchObject(reopen(), { repoUrl }), CONTENT);
  assert.equal(lfs.requests.length, 2);
  // git-lfs adds the end as well.
  assert.equal(await fetchObject(source, { repoUrl: repoUrl.replace('.git', '') }), CONTENT);
});

test('the login goes to the server of the repository alone, and the headers of an answer to no other origin', async (t) => {
  const { source, lfs, repoUrl, server } = await startLfs(t);
  const away = server.url.replace('127.0.0.1', 'localhost');
  assert.equal(await fetchObject(source, { repoUrl }, login), CONTENT);
  assert.equal(lfs.requests[0]?.headers.authorization, basic('me', 'canary-word'));
  lfs.requests.length = 0;

  lfs.downloadUrl = `${away}/store`;
  const other = 'content elsewhere';
  lfs.add(other);
  assert.equal(await fetchObject(source, { repoUrl, content: other }, login), other);
  assert.deepEqual(summaryOf(lfs), ['batch 127.0.0.1 login', 'object localhost']);
  assert.equal(lfs.requests[1]?.headers['x-download'], 'yes');
  lfs.requests.length = 0;

  // A redirect to another origin gets neither the login nor the headers.
  const moved = 'content that has moved';
  lfs.add(moved);
  lfs.downloadUrl = undefined;
  lfs.header = { Authorization: 'Bearer of-the-answer', 'X-Download': 'yes' };
  lfs.onRequest = ({ type, host, path }) =>
    type === 'object' && host.startsWith('127.')
      ? { status: 302, headers: { location: `${away}/store/lfs-objects/${path.split('/').at(-1)}` } }
      : type === 'object'
        ? { status: 200, body: moved }
        : undefined;
  assert.equal(await fetchObject(source, { repoUrl, content: moved }, login), moved);
  assert.deepEqual(summaryOf(lfs), ['batch 127.0.0.1 login', 'object 127.0.0.1 login', 'object localhost']);
  assert.equal(lfs.requests[1]?.headers.authorization, 'Bearer of-the-answer');
  assert.equal(lfs.requests[2]?.headers['x-download'], undefined);
});

const HOSTILE: readonly (readonly [string, NonNullable<TestLfs['onRequest']>, string])[] = [
  ['sends other bytes of the same size', answer('x'.repeat(CONTENT.length)), 'DigestMismatch'],
  ['sends fewer bytes', answer(CONTENT.slice(0, -1)), 'DigestMismatch'],
  ['sends more bytes', answer(`${CONTENT}more`), 'TooLarge'],
  ['breaks off', ({ type }) => (type === 'object' ? { cutAfterBytes: 0 } : undefined), 'Network'],
  ['has lost the object', ({ type }) => (type === 'object' ? { status: 404 } : undefined), 'UnsupportedServer'],
  ['has no LFS', () => ({ status: 404 }), 'UnsupportedServer'],
  ['asks for a login', () => ({ status: 401 }), 'AuthenticationRequired'],
  ['limits the rate', () => ({ status: 429 }), 'RateLimited'],
  ['sends no JSON', batch('<html>'), 'MalformedAnswer'],
  ['names no object', batch('{"objects":[]}'), 'MalformedAnswer'],
  ['offers another transfer', batch('{"transfer":"tus","objects":[]}'), 'UnsupportedServer'],
  ['names a file', batch(link('file:///etc/passwd')), 'MalformedAnswer'],
  ['names a password', batch(link('http://me:word@localhost/x')), 'MalformedAnswer'],
  ['names a header with a line end', batch(link('http://localhost/x', { 'X-A': 'b\r\nX-C: d' })), 'MalformedAnswer'],
  [
    'redirects the batch',
    ({ type }) => (type === 'batch' ? { status: 307, headers: { location: '/x' } } : undefined),
    'RedirectRefused',
  ],
  ['sends an endless list', batch(' '.repeat(5_000_000)), 'TooLarge'],
];

function answer(body: string): NonNullable<TestLfs['onRequest']> {
  return ({ type }) => (type === 'object' ? { status: 200, body } : undefined);
}

function batch(body: string): NonNullable<TestLfs['onRequest']> {
  return ({ type }) => (type === 'batch' ? { status: 200, body } : undefined);
}

function link(href: string, header: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify({ objects: [{ oid: idOf(CONTENT), actions: { download: { href, header } } }] });
}

test('nothing of a server that does not keep to the protocol is used, and the next fetch may succeed', async (t) => {
  const { source, lfs, repoUrl } = await startLfs(t);
  for (const [title, onRequest, code] of HOSTILE) {
    lfs.onRequest = onRequest;
    const failed: unknown = await fetchObject(source, { repoUrl }).catch((error: unknown) => error);
    const expected = code === 'Network' ? /^(Network|TruncatedAnswer)$/ : new RegExp(`^${code}$`);
    assert.match(String((failed as { code?: unknown }).code), expected, title);
  }
  lfs.onRequest = undefined;
  assert.equal(await fetchObject(source, { repoUrl }), CONTENT);
});

test('an object that the server lacks, or of another size, is missing', async (t) => {
  const { source, repoUrl } = await startLfs(t);
  await assert.rejects(fetchObject(source, { repoUrl, content: 'unknown' }), {
    code: 'RevisionNotFound',
    message: /has no object [0-9a-f]{64} in Git LFS \(404\)\. .*The server says: Object does not exist/,
  });
  await assert.rejects(fetchObject(source, { repoUrl, sizeBytes: 5 }), { code: 'RevisionNotFound' });
  await assert.rejects(fetchObject(source, { repoUrl, sizeBytes: 2 ** 40 }), { code: 'TooLarge' });
});

test('the rules about addresses hold for the place of an object as well', async (t) => {
  const deny = parseAddressRules('localhost') ?? [];
  const { source, lfs, repoUrl, server } = await startLfs(t, { addresses: { allow: [], deny } });
  lfs.downloadUrl = server.url.replace('127.0.0.1', 'localhost');
  await assert.rejects(fetchObject(source, { repoUrl }), { code: 'AddressDenied' });
});

test('over ssh, the server says where the objects are', async (t) => {
  const http = await startLfs(t);
  let end: { readonly code: number; readonly text: string } = { code: 0, text: '' };
  const commands: string[] = [];
  const over = overSshServer('ssh', (root) =>
    startSshServer(root, {
      program: 'library',
      onCommand: (channel, command) => {
        commands.push(command);
        channel.write(end.text);
        channel.exit(end.code);
        channel.end();
      },
    }),
  );
  const { source, server } = await startHarnessOver(over, t);
  const repoUrl = `${server.url}/it's.git`;
  const header = { Authorization: 'RemoteAuth of-ssh' };
  end = { code: 0, text: JSON.stringify({ href: `${http.repoUrl}/info/lfs`, header, expires_in: 60 }) };
  const place = { repoUrl, lfsObject: { sizeBytes: CONTENT.length } };
  const commit = idOf(CONTENT);
  const resolved = { commit, revision: `sha256:${commit}` };
  const { tree } = await source.fetch({ ...place, resolved });
  assert.match(commands[0] ?? '', /^git-lfs-authenticate '.*\/it'\\''s\.git' download$/);
  assert.equal(http.lfs.requests[0]?.headers.authorization, 'RemoteAuth of-ssh');
  assert.ok(tree.treeOid);
  const failing = { ...place, resolved: { ...resolved, commit: idOf('another') } };
  end = { code: 127, text: '' };
  await assert.rejects(source.fetch(failing), { code: 'UnsupportedServer', message: /git-lfs-authenticate/ });
  end = { code: 0, text: 'no json' };
  await assert.rejects(source.fetch(failing), { code: 'MalformedAnswer' });
  end = { code: 1, text: '' };
  await assert.rejects(source.fetch(failing), { code: 'RemoteError' });
});
