/** The page in the browser as files: compressed, named by their content, and kept from loading anything foreign. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliDecompressSync } from 'node:zlib';
import { buildPage } from '../../../scripts/build-page.ts';
import { listen, type Listener } from '../../../src/server/listener.ts';
import { readPage } from '../../../src/server/page.ts';
import { send } from './raw-request.ts';
import { api } from './api-scene.ts';

/** Bytes of the compressed script: what a person waits for on a slow line. */
const MAX_SCRIPT_BYTES = 40_000;

let folder = '';
let listener: Listener;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tautline-page-'));
  buildPage(folder);
  listener = await listen(api({ page: readPage(folder) }), { host: '127.0.0.1', port: 0 });
});

after(async () => {
  await listener.close();
  await rm(folder, { recursive: true, force: true });
});

const scriptName = async (): Promise<string> => (await readdir(folder)).find((name) => name.endsWith('.js')) ?? '';

test('the script of the page has at most 40 kB, compressed by gzip', async () => {
  const { size } = await stat(join(folder, `${await scriptName()}.gz`));
  assert.ok(size <= MAX_SCRIPT_BYTES, `${size} bytes`);
});

test('the page answers at the address of each view, and names its script and style sheet', async () => {
  for (const path of ['/', '/?search=a', '/applications/shop/web?view=history', '/sign-in']) {
    const { status, headers, body } = await send(`${listener.url}${path}`);
    assert.equal(status, 200, path);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(headers['cache-control'], 'no-cache');
    assert.match(body.toString('utf8'), /src="\/page\/app-\w+\.js".*|href="\/page\/app-\w+\.css"/s);
  }
});

test('the page may load only its own script and style sheet, and is in no frame', async () => {
  const policy = String((await send(`${listener.url}/`)).headers['content-security-policy']);
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*/);
  const html = (await send(`${listener.url}/`)).body.toString('utf8');
  assert.doesNotMatch(html, /<script>|style=|https?:/);
});

test('files are sent compressed as the browser asks, and are kept for ever, since their names tell their content', async () => {
  const name = await scriptName();
  const url = `${listener.url}/page/${name}`;
  const plain = await send(url);
  assert.equal(plain.headers['content-encoding'], undefined);
  assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal(plain.headers['vary'], 'Accept-Encoding');
  const small = await send(url, { 'accept-encoding': 'gzip, deflate, br' });
  assert.equal(small.headers['content-encoding'], 'br');
  assert.ok(brotliDecompressSync(small.body).equals(plain.body));
  assert.equal((await send(url, { 'accept-encoding': 'br;q=0, gzip' })).headers['content-encoding'], 'gzip');
});

test('an unchanged page is confirmed without a body', async () => {
  const { headers } = await send(`${listener.url}/`);
  const again = await send(`${listener.url}/`, { 'if-none-match': String(headers['etag']) });
  assert.equal(again.status, 304);
  assert.equal(again.body.length, 0);
});

test('paths that are no view and no file of the page are answered with 404', async () => {
  for (const path of [
    '/page/nosuch.js',
    '/page/..%2f..%2fcli.js',
    '/page/index.html.br',
    '/applications/shop',
    '/api',
    '/api/v1/x',
  ]) {
    assert.equal((await send(`${listener.url}${path}`)).status, 404, path);
  }
});

test('without a built page only the API is served', async () => {
  assert.equal(readPage(join(folder, 'nosuch')), undefined);
  const bare = await listen(api({}), { host: '127.0.0.1', port: 0 });
  try {
    assert.equal((await send(`${bare.url}/`)).status, 404);
  } finally {
    await bare.close();
  }
});
