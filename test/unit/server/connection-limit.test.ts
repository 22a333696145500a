/** The bounds on connections: an address that holds many is the one that loses them. */
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { networkOf, type ConnectionLimit } from '../../../src/server/connection-limit.ts';
import { createRoutes, listen, type Listener } from '../../../src/server/listener.ts';

async function startListener(t: TestContext, limit?: ConnectionLimit): Promise<Listener> {
  const routes = createRoutes();
  routes.get('/', (_request, response) => void response.send('ok'));
  routes.get('/slow', () => undefined);
  const listener = await listen(routes, { host: '127.0.0.1', port: 0 }, limit);
  t.after(() => listener.close());
  return listener;
}

interface Held {
  readonly socket: Socket;
  isClosed: boolean;
}

/** Opens a connection that sends the beginning of a request. Resolves when it is open. */
async function hold({ url }: Listener, { from = '127.0.0.1', text = 'GET / HTTP/1.1\r\nHost: x\r\nX-A: ' } = {}) {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', localAddress: from });
  const held: Held = { socket, isClosed: false };
  socket.on('error', () => undefined).on('close', () => (held.isClosed = true));
  socket.resume();
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  socket.write(text);
  return held;
}

function statusFrom({ url }: Listener, localAddress: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get(`${url}/`, { agent: false, localAddress }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', () => resolve(undefined));
  });
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(5);
}

test('an address beyond its bound closes its oldest connection without a request', async (t) => {
  const listener = await startListener(t, { perAddress: 3, total: 100 });
  const held: Held[] = [];
  for (let n = 0; n < 5; n++) held.push(await hold(listener));
  await until(() => held.filter(({ isClosed }) => isClosed).length === 2);
  assert.deepEqual(
    held.map(({ isClosed }) => isClosed),
    [true, true, false, false, false],
  );
  assert.equal(await statusFrom(listener, '127.0.0.1'), 200, 'the address itself is still served');
});

test('a request that is being answered is not closed for a new connection of the same address', async (t) => {
  const listener = await startListener(t, { perAddress: 2, total: 100 });
  const serving = await hold(listener, { text: 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n' });
  const waiting: Held[] = [];
  for (let n = 0; n < 4; n++) waiting.push(await hold(listener));
  await until(() => waiting.filter(({ isClosed }) => isClosed).length === 3);
  assert.equal(serving.isClosed, false);
});

test('when all connections are taken, the address with the most loses one, whatever it does with them', async (t) => {
  for (const text of ['', 'GET / HTTP/1.1\r\nX-A: ', 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n']) {
    const listener = await startListener(t, { perAddress: 8, total: 10 });
    const held: Held[] = [];
    for (let n = 0; n < 8; n++) held.push(await hold(listener, { from: '127.0.0.66', text }));
    for (let n = 0; n < 8; n++) held.push(await hold(listener, { from: '127.0.0.67', text }));
    for (let n = 0; n < 5; n++) assert.equal(await statusFrom(listener, '127.0.0.1'), 200, text);
  }
});

test('a thousand half-open connections that come again do not keep a probe out', async (t) => {
  const listener = await startListener(t);
  let isOver = false;
  const flood = async (): Promise<void> => {
    while (!isOver) {
      const held = await hold(listener);
      await until(() => held.isClosed || isOver);
      held.socket.destroy();
    }
  };
  const floods = Array.from({ length: 1000 }, flood);
  const answers = [];
  for (let n = 0; n < 5; n++)
    answers.push(await statusFrom(listener, '127.0.0.1'), await statusFrom(listener, '127.0.0.2'));
  isOver = true;
  await Promise.all(floods);
  assert.deepEqual(new Set(answers.filter((_, at) => at % 2 === 1)), new Set([200]), 'from another address');
  assert.ok(answers.includes(200), 'from the same address');
});

test('a request whose headers do not end is closed after some seconds', async (t) => {
  const listener = await startListener(t);
  const startMs = performance.now();
  const held = [await hold(listener), await hold(listener, { text: '' })];
  await until(() => held.every(({ isClosed }) => isClosed));
  assert.ok(performance.now() - startMs > 4_000);
});

test('an IPv6 host counts by its network of 64 bits, and a mapped IPv4 address as IPv4', () => {
  const cases = {
    '192.0.2.1': '192.0.2.1',
    '::ffff:192.0.2.1': '192.0.2.1',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2',
    '2001:db8:1:2::6': '2001:db8:1:2',
    '2001:db8::1': '2001:db8:0:0',
    '::1': '0:0:0:0',
    'fe80::1%eth0': 'fe80:0:0:0',
  };
  for (const [address, network] of Object.entries(cases)) assert.equal(networkOf(address), network);
});
