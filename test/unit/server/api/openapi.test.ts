/** The OpenAPI document describes the operations, and the answers of the API are those that it describes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listen } from '../../../../src/server/listener.ts';
import { ADMIN, api, applicationNamed, indexOf, knownAs, reviewsOf } from '../api-scene.ts';
import { assertDocumented, DOCUMENTED } from './documented.ts';

const ID = { group: '', kind: 'ConfigMap', namespace: 'apps', name: 'c' };
const FIELD = { path: '/data/n', desired: 'a', live: null, manager: 'kubectl', managedAt: '2026-11-30T00:00:00Z' };

const STORED = applicationNamed('a', {
  status: {
    sync: { status: 'OutOfSync', revision: `main@sha1:${'a'.repeat(40)}`, commit: 'aaaaaaaaaaaa' },
    health: { status: 'Degraded', message: 'the Pod crashes' },
    history: [
      {
        revision: `main@sha1:${'a'.repeat(40)}`,
        subject: 'Change the colour',
        author: 'Ada',
        startedAt: '2026-11-30T00:00:00Z',
        outcome: 'Failed',
      },
    ],
    lastRequest: { id: '1', action: 'sync', outcome: 'Succeeded' },
    pruneGuard: { held: { digest: 'd', objects: 3, revision: 'r' } },
  },
});

const KNOWN = {
  ...knownAs(STORED),
  view: {
    objects: [
      {
        id: ID,
        sync: 'OutOfSync' as const,
        health: { status: 'Healthy' as const, message: '' },
        message: 'differs at /data/n',
        fields: [FIELD],
        patch: { operations: [{ op: 'remove' as const, path: '/data/n' }], isMasked: true },
        isPruning: false,
        file: 'c.yaml',
        line: 3,
      },
    ],
    problems: [
      {
        code: 'YamlSyntax' as const,
        message: 'is no YAML',
        file: 'b.yaml',
        line: 2,
        column: 1,
        excerpt: 'a: [',
        object: ID,
      },
    ],
  },
};

const STRANGER = { authorization: 'Bearer stranger' };
const NAMES = ['apps/a', 'apps/none', 'apps/a%2fb', 'apps/%2e%2e%2fa', `${'x'.repeat(64)}/a`, 'apps/%e2%80%aea'];
const QUERIES = ['', '?limit=1', '?x=1', '?namespace=%00'];

const NAMED = '?kind=ConfigMap&namespace=apps&name=c';
const BODIES = [
  '',
  '{}',
  '{"replace":true}',
  'x',
  '[]',
  '{"dryRun":"yes"}',
  '{"__proto__":{}}',
  `"${'x'.repeat(70_000)}"`,
];
const TYPES = ['application/json', 'text/plain'];

interface Attempt {
  readonly path: string;
  readonly sent: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** Requests for one operation, most of them malformed. */
function attemptsOf({ path, method }: { readonly path: string; readonly method: string }): Attempt[] {
  const names = path.includes('{') ? NAMES : [''];
  const urls = names.map((name) => path.replace('{namespace}/{name}', name));
  if (method === 'GET') {
    const callers = [ADMIN, STRANGER, {}, { authorization: 'Basic x' }, { ...ADMIN, 'if-none-match': '"x"' }];
    const all = urls.flatMap((url) =>
      [...QUERIES, NAMED, `${NAMED}&pod=p`, '?namespace=apps&pod=p'].map((query) => url + query),
    );
    return all.flatMap((sent) => callers.map((headers) => ({ path, method, sent, headers })));
  }
  const bodies = BODIES.flatMap((body) => TYPES.map((type) => ({ body, headers: { ...ADMIN, 'content-type': type } })));
  const whole = bodies.map((one) => ({ path, method, sent: urls[0] ?? '', ...one }));
  const others = [STRANGER, {}, { ...ADMIN, origin: 'https://evil.example' }].map((headers) => {
    return { path, method, sent: urls[0] ?? '', body: '{}', headers: { ...headers, 'content-type': TYPES[0] ?? '' } };
  });
  return [...whole, ...others, ...urls.map((sent) => ({ path, method, sent, ...(bodies[2] ?? { headers: {} }) }))];
}

test('every answer has a status, a type and a content that the document describes', async (t) => {
  const scene = { index: indexOf(KNOWN), reviews: reviewsOf(['stranger']), anonymousRead: 'names' as const };
  const listener = await listen(api(scene), { host: '127.0.0.1', port: 0 });
  t.after(() => listener.close());
  for (const { path, sent, ...request } of DOCUMENTED.flatMap(attemptsOf)) {
    const answer = await fetch(listener.url + sent, request);
    await assertDocumented(request.method, path, answer);
    await answer.body?.cancel().catch(() => undefined);
  }
});

test('the document is served to everybody, and is confirmed by its tag', async (t) => {
  const listener = await listen(api({}), { host: '127.0.0.1', port: 0 });
  t.after(() => listener.close());
  const url = `${listener.url}/api/v1/openapi.json`;
  const first = await fetch(url);
  assert.equal(((await first.json()) as { openapi: string }).openapi, '3.1.0');
  const tag = first.headers.get('etag') ?? '';
  assert.equal((await fetch(url, { headers: { 'if-none-match': tag } })).status, 304);
});

test('one Application tells the author of each commit, its problems with their lines, and what is held', async (t) => {
  const listener = await listen(api({ index: indexOf(KNOWN) }), { host: '127.0.0.1', port: 0 });
  t.after(() => listener.close());
  const url = `${listener.url}/api/v1/applications/apps/a`;
  const answer = await fetch(url, { headers: ADMIN });
  const told = (await answer.json()) as Record<string, unknown>;
  assert.deepEqual(told['problems'], KNOWN.view.problems);
  assert.equal((told['history'] as { author: string }[])[0]?.author, 'Ada');
  assert.deepEqual(told['pruneGuard'], { held: { digest: 'd', objects: 3, revision: 'r' } });
  const again = await fetch(url, { headers: { ...ADMIN, 'if-none-match': answer.headers.get('etag') ?? '' } });
  assert.equal(again.status, 304);
});
