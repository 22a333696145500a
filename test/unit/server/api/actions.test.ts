/** Actions are written with the token of the caller, once, and never for a page of another site. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { ApplicationAnswer } from '../../../../src/cluster/ports.ts';
import { applicationKind } from '../../../../src/cluster/applications.ts';
import { toLiveObject } from '../../../../src/cluster/live-object.ts';
import type { KubeObject, ValueMap } from '../../../../src/object/value.ts';
import { listen } from '../../../../src/server/listener.ts';
import { isOfThisSite } from '../../../../src/server/same-site.ts';
import { ADMIN, api, applicationNamed, indexOf, knownAs } from '../api-scene.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

interface Scene {
  readonly stored?: KubeObject | undefined;
  readonly answers?: readonly ApplicationAnswer[];
}

async function start(t: TestContext, { stored = applicationNamed('a'), answers = [] }: Scene = {}) {
  const patches: ValueMap[] = [];
  const cluster = {
    readApplication: async () => ({ ok: true as const, object: toLiveObject(applicationKind, stored) }),
    patchApplication: async (object: KubeObject, patch: ValueMap): Promise<ApplicationAnswer> => {
      patches.push(patch);
      return answers[patches.length - 1] ?? { ok: true, object };
    },
  };
  const routes = api({ index: indexOf(knownAs(stored)), cluster });
  const listener = await listen(routes, { host: '127.0.0.1', port: 0 });
  t.after(() => listener.close());
  const post = async (action: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Answer> => {
    const answer = await fetch(`${listener.url}/api/v1/applications/apps/a/${action}`, {
      method: 'POST',
      headers: { ...ADMIN, ...JSON_TYPE, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const asked = (): unknown[] =>
    patches.map((patch) => {
      const { annotations } = patch['metadata'] as { annotations: Record<string, string> };
      return JSON.parse(annotations['tautline.dev/request'] ?? '');
    });
  return { post, patches, asked, url: listener.url };
}

test('each action is written as the request that tautline sends, with a new id that the answer names', async (t) => {
  const { post, asked } = await start(t);
  const digest = 'd'.repeat(43);
  const commit = 'a'.repeat(40);
  const cases: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ['refresh', {}, 'refresh'],
    ['sync', { revision: commit, prune: false, dryRun: true, objects: ['/ConfigMap/apps/c'] }, 'sync'],
    ['confirm-prune', { digest, revision: commit }, 'confirm-prune'],
    ['release', {}, 'release'],
    ['take-over', {}, 'take-over'],
  ];
  for (const [path, body, action] of cases) {
    const answer = await post(path, body);
    assert.equal(answer.status, 202, path);
    const { id, ...request } = asked().at(-1) as { id: string };
    assert.deepEqual(request, { action, ...body });
    assert.deepEqual(answer.body, { id, action });
  }
  assert.equal(new Set(asked().map((request) => (request as { id: string }).id)).size, cases.length);
});

test('a rollback names the caller, whatever the body says', async (t) => {
  const { post, asked } = await start(t);
  const wish = { revision: 'a'.repeat(40), reason: 'errors since noon' };
  assert.equal((await post('rollback', wish)).status, 202);
  const { id: _, ...request } = asked()[0] as { id: string };
  assert.deepEqual(request, { action: 'rollback', by: 'admin', ...wish });
  assert.equal((await post('rollback', { ...wish, by: 'another' })).status, 400);
  assert.equal((await post('rollback', { ...wish, reason: 'a\u202eb' })).status, 400);
});

test('an Application is suspended and resumed by a change of its spec', async (t) => {
  const { post, patches } = await start(t);
  assert.deepEqual((await post('suspend')).body, { suspended: true });
  assert.deepEqual((await post('resume')).body, { suspended: false });
  assert.deepEqual(patches, [{ spec: { suspend: true } }, { spec: { suspend: false } }]);
});

test('a request that is not answered yet is replaced only if the caller asks for it', async (t) => {
  const annotations = { 'tautline.dev/request': '{"id":"1","action":"sync"}' };
  const metadata = { ...applicationNamed('a').metadata, annotations };
  const stored = applicationNamed('a', { metadata });
  const { post, patches } = await start(t, { stored });
  const refused = await post('refresh');
  assert.deepEqual([refused.status, refused.body['code']], [409, 'RequestPending']);
  assert.equal((await post('refresh', { replace: true })).status, 202);
  assert.equal((await post('suspend')).status, 200, 'suspension is no request');
  assert.equal(patches.length, 2);
  const answered = applicationNamed('a', { metadata, status: { lastRequest: { id: '1', outcome: 'Succeeded' } } });
  assert.equal((await (await start(t, { stored: answered })).post('refresh')).status, 202);
});

test('an Application that is being deleted takes no action', async (t) => {
  const metadata = { ...applicationNamed('a').metadata, deletionTimestamp: '2026-11-30T00:00:00Z' };
  const { post, patches } = await start(t, { stored: applicationNamed('a', { metadata }) });
  const { status, body } = await post('sync');
  assert.deepEqual([status, body['code'], patches.length], [409, 'BeingDeleted', 0]);
});

test('a write that lost against another one is repeated, and a refusal is handed on', async (t) => {
  const refusal = (code: 'Modified' | 'Forbidden', status: number): ApplicationAnswer => {
    return { ok: false, refusal: { code, status, message: `refused: ${code}`, retry: 'never' } };
  };
  const { post, patches } = await start(t, { answers: [refusal('Modified', 409), refusal('Modified', 409)] });
  assert.equal((await post('sync')).status, 202);
  assert.equal(patches.length, 3);
  const forbidden = await (await start(t, { answers: [refusal('Forbidden', 403)] })).post('sync');
  assert.deepEqual([forbidden.status, forbidden.body['detail']], [403, 'refused: Forbidden']);
});

test('a malformed body is refused, and nothing is written', async (t) => {
  const { post, patches } = await start(t);
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['sync', { dryRun: 'yes' }, /dryRun must be of type boolean/],
    ['sync', { revision: 'main' }, /revision must be a commit/],
    ['sync', { objects: [] }, /objects must not be empty/],
    ['sync', { id: '1' }, /unknown field "id"/],
    ['sync', '[]', /must be of type object/],
    ['sync', '', /not JSON/],
    ['sync', '{', /not JSON/],
    ['confirm-prune', {}, /digest is required/],
    ['confirm-prune', { digest: '../..' }, /digest must be the digest/],
    ['suspend', { until: 'tomorrow' }, /unknown field "until"/],
  ];
  for (const [action, body, words] of cases) {
    const answer = await post(action, body);
    assert.deepEqual([answer.status, answer.body['code']], [400, 'InvalidBody'], `${action} ${JSON.stringify(body)}`);
    assert.match(String(answer.body['detail']), words);
  }
  assert.equal((await post('sync', { objects: Array<string>(100).fill('x'.repeat(700)) })).status, 413);
  assert.equal((await post('sync', '{}', { 'content-type': 'text/plain' })).status, 415);
  assert.equal((await post('sync', '{}', { 'content-encoding': 'gzip' })).status, 415);
  assert.deepEqual(patches, []);
});

test('a body of ten megabytes is refused before it is received', async (t) => {
  const { url } = await start(t);
  const sent = httpRequest(`${url}/api/v1/applications/apps/a/sync`, {
    method: 'POST',
    headers: { ...ADMIN, ...JSON_TYPE, 'content-length': 10 * 1024 * 1024 },
  });
  sent.on('error', () => undefined);
  const status = await new Promise((resolve) => {
    sent.on('response', (answer) => resolve(answer.statusCode));
    sent.write('{');
  });
  sent.destroy();
  assert.equal(status, 413);
});

test('a client that goes away in the middle of its body writes nothing', async (t) => {
  const { url, patches } = await start(t);
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const head = ['POST /api/v1/applications/apps/a/sync HTTP/1.1', 'Host: localhost', 'Authorization: Bearer admin'];
  socket.write(`${[...head, 'Content-Type: application/json', 'Content-Length: 20'].join('\r\n')}\r\n\r\n{"prune":`);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.destroy();
  assert.equal((await fetch(`${url}/api/v1/applications/apps/a`, { headers: ADMIN })).status, 200);
  assert.deepEqual(patches, []);
});

test('a page of another site cannot act through the browser of a person', async (t) => {
  const { post, patches, url } = await start(t);
  const others = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
    { origin: url, 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];
  for (const headers of others) {
    const { status, body } = await post('sync', {}, headers);
    assert.deepEqual([status, body['code']], [403, 'OtherSite'], JSON.stringify(headers));
  }
  assert.deepEqual(patches, []);
  assert.equal((await post('sync', {}, { origin: url, 'sec-fetch-site': 'same-origin' })).status, 202);
});

test('behind a proxy the origin is one of the configured names', () => {
  const headers = { host: '10.0.0.7:8080', origin: 'https://status.example.com' };
  assert.equal(isOfThisSite(headers, ['status.example.com']), true);
  assert.equal(isOfThisSite(headers, []), false);
  assert.equal(
    isOfThisSite({ ...headers, origin: 'https://status.example.com.evil.example' }, ['status.example.com']),
    false,
  );
});

test('GET on an action and POST on a view are refused with the methods that are allowed', async (t) => {
  const { url } = await start(t);
  const base = `${url}/api/v1/applications`;
  const action = await fetch(`${base}/apps/a/sync`, { headers: ADMIN });
  assert.deepEqual([action.status, action.headers.get('allow')], [405, 'POST']);
  for (const path of ['', '/apps/a', '/apps/a/tree']) {
    const view = await fetch(base + path, { method: 'POST', headers: { ...ADMIN, ...JSON_TYPE }, body: '{}' });
    assert.deepEqual([view.status, view.headers.get('allow')], [405, 'GET, HEAD']);
  }
});
