/** The stream tells changes and nothing else, goes on where it was cut, and ends where a right is gone. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { AccessReviews } from '../../../../src/cluster/ports.ts';
import { createChanges } from '../../../../src/server/api/changes.ts';
import type { Row } from '../../../../src/server/api/rows.ts';
import type { StreamLimits } from '../../../../src/server/api/stream.ts';
import type { KnownApplication } from '../../../../src/server/api/views.ts';
import { listen } from '../../../../src/server/listener.ts';
import { api, applicationNamed, indexOf, knownAs, reviewsOf } from '../api-scene.ts';

const QUICK: StreamLimits = { maxStreams: 4, maxOfCaller: 2, lookMs: 5, beatMs: 20, maxUnreadBytes: 64 * 1024 };

function known(name: string, namespace = 'shop', health = 'Healthy'): KnownApplication {
  const metadata = { namespace, name, uid: 'u', resourceVersion: '1', generation: 1 };
  return knownAs(
    applicationNamed(name, { metadata, status: { health: { status: health, message: 'x'.repeat(1_000) } } }),
  );
}

interface Scene {
  readonly all: KnownApplication[];
  readonly reviews?: AccessReviews;
  readonly limits?: Partial<StreamLimits>;
}

async function start(t: TestContext, { all, reviews = reviewsOf(['other']), limits }: Scene) {
  // Each look is a second after the one before it.
  let nowMs = 0;
  const clock = { now: () => 0, monotonicMs: () => (nowMs += 1_000) };
  const index = { ...indexOf(), list: () => all };
  const routes = api({ index, reviews, clock, streamLimits: { ...QUICK, ...limits } });
  const listener = await listen(routes, { host: '127.0.0.1', port: 0 });
  t.after(() => listener.close());
  return listener.url;
}

interface Told {
  readonly event: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
}

/** Opens a stream; `next` resolves to the next event, and to undefined at the end of the stream. */
async function open(url: string, { query = '', last = '', token = 'admin' } = {}) {
  const headers = { authorization: `Bearer ${token}`, ...(last && { 'last-event-id': last }) };
  const answer = await fetch(`${url}/api/v1/stream${query}`, { headers });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const seen: string[] = [];
  return {
    status: answer.status,
    headers: answer.headers,
    seen,
    close: () => reader?.cancel(),
    async next(): Promise<Told | undefined> {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end >= 0) {
          const block = text.slice(0, end);
          text = text.slice(end + 2);
          seen.push(block);
          const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
          if (fields['event']) return { event: fields['event'], id: fields['id'], data: JSON.parse(fields['data']) };
          continue;
        }
        const chunk = await reader?.read().catch(() => undefined);
        if (!chunk || chunk.done) return undefined;
        text += chunk.value;
      }
    },
  };
}

test('a stream begins with the advice to read the list, and tells what changes and what goes', async (t) => {
  const all = [known('a'), known('b')];
  const stream = await open(await start(t, { all }));
  assert.match(stream.headers.get('content-type') ?? '', /^text\/event-stream/);
  assert.equal((await stream.next())?.event, 'reset');
  all[1] = known('b', 'shop', 'Degraded');
  const changed = await stream.next();
  assert.deepEqual([changed?.event, changed?.data['name'], changed?.data['severity']], ['application', 'b', 'error']);
  all[0] = known('a');
  all.pop();
  const removed = await stream.next();
  assert.deepEqual([removed?.event, removed?.data], ['removed', { namespace: 'shop', name: 'b' }]);
});

test('a stream that was cut goes on behind its last event, and one of another process starts over', async (t) => {
  const all = [known('a'), known('b'), known('c')];
  const url = await start(t, { all });
  const first = await open(url);
  const begun = await first.next();
  await first.close();
  all[0] = known('a', 'shop', 'Degraded');
  all[2] = known('c', 'shop', 'Degraded');
  const second = await open(url, { last: begun?.id ?? '' });
  assert.deepEqual([(await second.next())?.data['name'], (await second.next())?.data['name']], ['a', 'c']);
  for (const last of [`${'0'.repeat(16)}-1`, `${(begun?.id ?? '').split('-')[0]}-99`, 'x', '-1']) {
    await second.close();
    const other = await open(url, { last });
    assert.equal((await other.next())?.event, 'reset', last);
    await other.close();
  }
});

test('a stream tells only of namespaces in which its caller may list Applications, and of those that are asked', async (t) => {
  const reviews = reviewsOf(['other'], (_user, question) => 'namespace' in question && question.namespace === 'shop');
  const all = [known('a', 'data'), known('b', 'shop')];
  const url = await start(t, { all, reviews });
  const other = await open(url, { token: 'other' });
  const admin = await open(url, { query: '?namespace=data' });
  await other.next();
  await admin.next();
  all[0] = known('a', 'data', 'Degraded');
  all[1] = known('b', 'shop', 'Degraded');
  assert.equal((await other.next())?.data['name'], 'b');
  assert.equal((await admin.next())?.data['name'], 'a');
  assert.equal((await open(url, { token: 'other', query: '?namespace=data' })).status, 403);
  assert.equal((await open(url, { token: 'false' })).status, 401);
});

test('a stream ends when its token or the answers of the API server end, and shows signs of life until then', async (t) => {
  let isValid = true;
  const reviews = reviewsOf(['other'], () => true);
  const watched: AccessReviews = {
    authorize: (user, question) => reviews.authorize(user, question),
    authenticate: async (token) => (isValid ? reviews.authenticate(token) : undefined),
  };
  const all = [known('a')];
  const stream = await open(await start(t, { all, reviews: watched }), { token: 'other' });
  await stream.next();
  const end = stream.next();
  while (!stream.seen.includes(': beat')) await new Promise((resolve) => setImmediate(resolve));
  isValid = false;
  assert.equal(await end, undefined);
});

test('a right that is taken away while the stream is open counts from the next sign of life on', async (t) => {
  let isAllowed = true;
  const reviews = reviewsOf(['other'], () => isAllowed);
  const all = [known('a')];
  const stream = await open(await start(t, { all, reviews }), { token: 'other' });
  await stream.next();
  all[0] = known('a', 'shop', 'Degraded');
  assert.equal((await stream.next())?.event, 'application');
  isAllowed = false;
  const { length } = stream.seen;
  const later = stream.next();
  while (!stream.seen.slice(length).includes(': beat')) await new Promise((resolve) => setImmediate(resolve));
  all[0] = known('a');
  const beats = (): number => stream.seen.filter((block) => block === ': beat').length;
  const before = beats();
  while (beats() < before + 3) await new Promise((resolve) => setImmediate(resolve));
  isAllowed = true;
  const mark = beats();
  while (beats() < mark + 2) await new Promise((resolve) => setImmediate(resolve));
  all[0] = known('a', 'shop', 'Missing');
  const last = await later;
  assert.deepEqual(last?.data['health'], { status: 'Missing', message: 'x'.repeat(1_000) });
});

test('the number of streams is bounded by caller and in all, and a closed one makes room', async (t) => {
  const url = await start(t, { all: [known('a')], reviews: reviewsOf(['other', 'third'], () => true) });
  const own = [await open(url), await open(url)];
  assert.deepEqual([own.map(({ status }) => status), (await open(url)).status], [[200, 200], 503]);
  const others = [await open(url, { token: 'other' }), await open(url, { token: 'other' })];
  assert.deepEqual(
    others.map(({ status }) => status),
    [200, 200],
  );
  assert.equal((await open(url, { token: 'third' })).status, 503);
  await own[0]?.close();
  let status = 503;
  while (status !== 200) status = (await open(url, { token: 'third' })).status;
  const list = await fetch(`${url}/api/v1/applications`, { headers: { authorization: 'Bearer admin' } });
  assert.equal(list.status, 200, 'open streams do not use up the bound on answers');
});

test('a client that does not read is cut off', async (t) => {
  const all = Array.from({ length: 500 }, (_, n) => known(`app-${n}`));
  const url = await start(t, { all });
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.write('GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  let isCut = false;
  void closed.then(() => (isCut = true));
  for (let round = 0; !isCut && round < 400; round++) {
    all.forEach((_, n) => (all[n] = known(`app-${n}`, 'shop', round % 2 === 0 ? 'Degraded' : 'Healthy')));
    await new Promise((resolve) => setTimeout(resolve, QUICK.lookMs));
    // A paused socket hears of its end only when it reads.
    if (round % 50 === 49) socket.resume();
  }
  await closed;
});

test('since any position, each changed Application is told once, or everything is to be read again', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const steps = fc.array(fc.record({ name: names, isRemoved: fc.boolean() }), { maxLength: 30, size: 'max' });
  fc.assert(
    fc.property(steps, fc.nat(30), fc.integer({ min: 1, max: 5 }), (all, from, max) => {
      const changes = createChanges(max);
      for (const { name, isRemoved } of all) {
        const row = { key: name } as Row;
        changes.note(isRemoved ? { changed: [], removed: [row] } : { changed: [row], removed: [] });
      }
      const told = changes.since(from);
      const later = all.slice(from);
      if (from > all.length) return told === undefined;
      const newest = new Map(later.map(({ name, isRemoved }) => [name, isRemoved]));
      if (!told) return newest.size > 0 && all.length > max;
      assert.deepEqual(new Map(told.map(({ row, isRemoved }) => [row.key, isRemoved])), newest);
      return told.length === newest.size;
    }),
  );
});
