import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { agentIdentity, serviceAccountIdentity } from '../../../../src/cluster/identity.ts';
import { defaultClusterLimits, type ClusterLimits } from '../../../../src/cluster/limits.ts';
import { noMetrics } from '../../../../src/cluster/metrics.ts';
import { createTransport, type HttpRequest, type Transport } from '../../../../src/cluster/transport/transport.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
let server: Server;
let transport: Transport;

/** A plain HTTP server in place of an API server, since the bytes on the wire are under test. */
async function serve(handler: Handler, limits: Partial<ClusterLimits> = {}): Promise<void> {
  server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let tokens = 0;
  transport = createTransport({
    credentials: {
      server: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`,
      tls: {},
      namespace: undefined,
      authorization: ({ mustRenew }) => Promise.resolve(`Bearer ${mustRenew ? ++tokens : tokens}`),
    },
    limits: { ...defaultClusterLimits, ...limits },
    metrics: noMetrics,
    userAgent: 'tautline/test',
  });
}

afterEach(async () => {
  await transport.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const get: HttpRequest = { verb: 'get', method: 'GET', path: '/api/v1/x', identity: agentIdentity, category: 'object' };

test('a request has the token, its path below the prefix, and one header for the impersonated account', async () => {
  const seen: IncomingMessage['headers'][] = [];
  const paths: (string | undefined)[] = [];
  await serve((request, response) => {
    seen.push(request.headers);
    paths.push(request.url);
    response.end('{}');
  });
  await transport.send(get);
  await transport.send({ ...get, identity: serviceAccountIdentity('shop', 'deployer') });
  assert.deepEqual(paths, ['/prefix/api/v1/x', '/prefix/api/v1/x']);
  assert.equal(seen[0]?.authorization, 'Bearer 0');
  assert.equal(seen[0]?.['impersonate-user'], undefined);
  assert.equal(seen[1]?.['impersonate-user'], 'system:serviceaccount:shop:deployer');
  assert.equal(Object.keys(seen[1] ?? {}).filter((name) => name.startsWith('impersonate')).length, 1);
});

test('a 401 is retried once with a renewed token', async () => {
  const tokens: (string | undefined)[] = [];
  await serve((request, response) => {
    tokens.push(request.headers.authorization);
    response.writeHead(401).end();
  });
  assert.equal((await transport.send(get)).status, 401);
  assert.deepEqual(tokens, ['Bearer 0', 'Bearer 1']);
});

test('every retry names the account: after 401, 429 and a reset, and when a stream is opened again', async () => {
  const seen: [string | undefined, number][] = [];
  await serve((request, response) => {
    const names = request.rawHeaders.filter((name, at) => at % 2 === 0 && /^impersonate/i.test(name));
    seen.push([request.headers['impersonate-user'] as string | undefined, names.length]);
    const tries = seen.length;
    if (tries === 1) request.socket.destroy();
    else if (tries === 2 || tries === 5) response.writeHead(401).end();
    else if (tries === 3) response.writeHead(429, { 'retry-after': '0' }).end();
    else response.end('{}');
  });
  const request = { ...get, identity: serviceAccountIdentity('shop', 'deployer') };
  assert.equal((await transport.send(request)).status, 200);
  const stream = await transport.openStream({ ...request, category: 'watch' }, new AbortController().signal);
  assert.equal(stream.status, 200);
  for await (const _chunk of stream.chunks);
  assert.deepEqual(
    seen,
    Array.from({ length: 6 }, () => ['system:serviceaccount:shop:deployer', 1]),
  );
});

test('nothing is sent for a malformed identity', async () => {
  let requests = 0;
  await serve((_request, response) => {
    requests++;
    response.end('{}');
  });
  for (const name of ['', ' ', 'system:admin']) {
    const identity = { type: 'serviceAccount', namespace: 'shop', name } as const;
    const failed = await transport.send({ ...get, identity }).then(
      ({ status }) => status === 0,
      () => true,
    );
    assert.ok(failed, name);
    await assert.rejects(transport.openStream({ ...get, identity }, new AbortController().signal), RangeError);
  }
  assert.equal(requests, 0);
});

test('a 429 is retried after a short Retry-After, and returned with a long one', async () => {
  let requests = 0;
  await serve((_request, response) => {
    requests++;
    if (requests === 1) response.writeHead(429, { 'retry-after': '0' }).end();
    else if (requests === 2) response.end('{}');
    else response.writeHead(429, { 'retry-after': '600' }).end();
  });
  assert.equal((await transport.send(get)).status, 200);
  assert.equal((await transport.send(get)).status, 429);
  assert.equal(requests, 3);
});

test('a stream is opened once more after a 429 with a short Retry-After, and returned with a long one', async () => {
  let requests = 0;
  await serve((_request, response) => {
    requests++;
    if (requests === 2) response.end('{}');
    else response.writeHead(429, { 'retry-after': requests === 3 ? '600' : '0' }).end();
  });
  for (const status of [200, 429, 429]) {
    const stream = await transport.openStream({ ...get, category: 'watch' }, new AbortController().signal);
    assert.equal(stream.status, status);
    for await (const _chunk of stream.chunks);
  }
  assert.equal(requests, 5);
});

test('a request is retried once if its idle socket was reset', async () => {
  let requests = 0;
  await serve((request, response) => {
    requests++;
    if (requests === 2 || requests >= 4) request.socket.destroy();
    else response.end('{}');
  });
  assert.equal((await transport.send(get)).status, 200);
  assert.equal((await transport.send({ ...get, method: 'PATCH', body: '{}' })).status, 200);
  assert.equal(requests, 3);
  const answer = await transport.send({ ...get, method: 'PATCH', body: '{}' });
  assert.equal(answer.status, 0);
  assert.match(answer.failure ?? '', /closed the connection/);
  assert.equal(requests, 5);
});

test('at most maxRequests requests are under way at once', async () => {
  let running = 0;
  let most = 0;
  await serve(
    (_request, response) => {
      most = Math.max(most, ++running);
      setTimeout(() => {
        running--;
        response.end('{}');
      }, 10);
    },
    { maxRequests: 3 },
  );
  const paths = ['a', 'b', 'c', 'd'].map((namespace) => `/api/v1/namespaces/${namespace}/configmaps/a`);
  await Promise.all(Array.from({ length: 20 }, (_, n) => transport.send({ ...get, path: paths[n % 4] ?? '' })));
  assert.equal(most, 3);
  assert.equal(transport.requestCounts().object, 20);
});

test('compressed answers are read up to the bound on responses', async () => {
  const text = JSON.stringify({ items: 'x'.repeat(5_000) });
  await serve(
    (request, response) => {
      if (request.headers['accept-encoding'] !== 'gzip') return void response.end(text);
      return void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text));
    },
    { maxResponseBytes: 6_000 },
  );
  assert.equal((await transport.send({ ...get, acceptsGzip: true })).text, text);
  assert.equal((await transport.send(get)).text, text);
  await transport.close();
  server.close();
  const bomb = gzipSync('x'.repeat(1_000_000));
  await serve((_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb), {
    maxResponseBytes: 6_000,
  });
  assert.match((await transport.send({ ...get, acceptsGzip: true })).failure ?? '', /larger than the bound/);
});

test('listeners hear once of the recovery after a time-out, and that streams are suspect', async () => {
  let isHanging = true;
  await serve((_request, response) => void (isHanging ? undefined : response.end('{}')), { requestTimeoutMs: 200 });
  const told: boolean[] = [];
  transport.onRecovery((isSuspect) => void told.push(isSuspect));
  assert.match((await transport.send(get)).failure ?? '', /did not answer in time/);
  assert.deepEqual(told, []);
  isHanging = false;
  await transport.send(get);
  await transport.send(get);
  assert.deepEqual(told, [true]);
});

test('closing the transport ends its open streams', async () => {
  await serve((_request, response) => void response.write('{}\n'));
  const stream = await transport.openStream({ ...get, category: 'watch' }, new AbortController().signal);
  assert.equal(stream.status, 200);
  const ending = assert.rejects(async () => {
    for await (const chunk of stream.chunks) void chunk;
  });
  await transport.close();
  await ending;
});
