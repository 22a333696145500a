/** Requests of callers carry their token and nothing of the agent. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createCallerClients } from '../../../src/cluster/caller-clients.ts';
import { defaultClusterLimits } from '../../../src/cluster/limits.ts';
import { DATA_KINDS } from '../../../src/cluster/kinds.ts';
import { noMetrics } from '../../../src/cluster/metrics.ts';
import type { KubeObject } from '../../../src/object/value.ts';

async function start(t: TestContext, answer: { readonly status: number; readonly text: string }) {
  const seen: { url: string; method: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({ url: request.url ?? '', method: request.method ?? '', headers: request.headers, body });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const asked: boolean[] = [];
  const clients = createCallerClients({
    credentials: {
      server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      tls: {},
      namespace: undefined,
      authorization: ({ mustRenew }) => (asked.push(mustRenew), Promise.resolve('Bearer agent')),
    },
    limits: defaultClusterLimits,
    metrics: noMetrics,
    userAgent: 'test',
  });
  t.after(async () => {
    await clients.close();
    server.close();
  });
  return { client: clients.as('person'), seen, asked };
}

const ID = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'c' };
const REFUSED = { status: 401, text: '{"kind":"Status","status":"Failure","reason":"Unauthorized","code":401}' };

test('every request carries the token of the caller, once, and never that of the agent', async (t) => {
  const { client, seen, asked } = await start(t, REFUSED);
  const metadata = { namespace: 'shop', name: 'web', uid: 'u', resourceVersion: '7' };
  const application: KubeObject = { apiVersion: 'tautline.dev/v1alpha1', kind: 'Application', metadata };
  const answers = [
    await client.get(DATA_KINDS.ConfigMap, ID),
    await client.listBySelector(DATA_KINDS.ConfigMap, { namespace: 'shop', limit: 5 }),
    await client.readLog({ namespace: 'shop', pod: 'p', container: 'c', isPrevious: true, lines: 7 }),
    await client.readApplication({ namespace: 'shop', name: 'web' }),
    await client.patchApplication(application, { spec: { suspend: true } }),
  ];
  assert.ok(answers.every(({ ok }) => !ok));
  assert.deepEqual(new Set(seen.map(({ headers }) => headers.authorization)), new Set(['Bearer person']));
  assert.equal(seen.length, answers.length, 'a token that is refused is not sent again');
  assert.ok(seen.every(({ headers }) => headers['impersonate-user'] === undefined));
  assert.deepEqual(asked, []);
});

test('a log is read with its bounds, and a name that would address something else is not sent', async (t) => {
  const { client, seen } = await start(t, { status: 200, text: 'a\nb\n' });
  const question = { namespace: 'shop', pod: 'p', isPrevious: false, lines: 7 };
  assert.deepEqual(await client.readLog(question), { ok: true, text: 'a\nb\n' });
  assert.equal(seen[0]?.url, '/api/v1/namespaces/shop/pods/p/log?tailLines=7&limitBytes=1048576');
  for (const pod of ['', '..', 'a/b', 'a%2fb']) assert.equal((await client.readLog({ ...question, pod })).ok, false);
  assert.equal(seen.length, 1);
});

test('a patch of an Application is guarded by the version that was read', async (t) => {
  const metadata = { namespace: 'shop', name: 'web', uid: 'u', resourceVersion: '7' };
  const application: KubeObject = { apiVersion: 'tautline.dev/v1alpha1', kind: 'Application', metadata };
  const { client, seen } = await start(t, { status: 200, text: JSON.stringify(application) });
  const answer = await client.patchApplication(application, { metadata: { annotations: { a: 'b' } } });
  assert.ok(answer.ok);
  assert.equal(seen[0]?.headers['content-type'], 'application/merge-patch+json');
  assert.deepEqual(JSON.parse(seen[0]?.body ?? ''), {
    metadata: { annotations: { a: 'b' }, uid: 'u', resourceVersion: '7' },
  });
});
