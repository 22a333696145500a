/** The metrics listener: one rendering for all scrapes of a second, and a bound on answers that are not taken. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { listen } from '../../../src/server/listener.ts';
import { metricsRoutes } from '../../../src/server/metrics.ts';
import { createClock } from '../../support/clock.ts';

const LOG = { debug() {}, info() {}, warn() {}, error() {} };

async function startMetrics(t: TestContext, expose: () => Promise<string>) {
  const clock = createClock();
  const routes = metricsRoutes({
    expose: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: await expose() }),
    clock,
    log: LOG,
  });
  const listener = await listen(routes, { host: '127.0.0.1', port: 0 });
  t.after(() => listener.close());
  return { clock, url: listener.url };
}

test('scrapes of one second share one rendering, and the next second has another', async (t) => {
  let renders = 0;
  const { clock, url } = await startMetrics(t, async () => `a ${++renders}\n`);
  const scrape = async () => (await fetch(`${url}/metrics`)).text();
  for (let n = 0; n < 100; n++) assert.equal(await scrape(), 'a 1\n');
  clock.nowMs = 999;
  assert.equal(await scrape(), 'a 1\n');
  clock.nowMs = 1_000;
  assert.equal(await scrape(), 'a 2\n');
});

test('scrapes during a slow rendering wait for it', async (t) => {
  let renders = 0;
  const { clock, url } = await startMetrics(t, async () => {
    renders++;
    await sleep(100);
    return 'a 1\n';
  });
  const first = fetch(`${url}/metrics`);
  while (renders === 0) await sleep(1);
  clock.nowMs = 5_000;
  const second = fetch(`${url}/metrics`);
  assert.deepEqual([(await first).status, (await second).status, renders], [200, 200, 1]);
});

test('the answer has the type of the exposition and its length', async (t) => {
  const { url } = await startMetrics(t, async () => 'a{name="ä"} 1\n');
  const { headers } = await fetch(`${url}/metrics`);
  assert.equal(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(headers.get('content-length'), '15');
  assert.equal(headers.get('etag'), null);
});

test('a failed rendering is answered with 500, and the next second tries again', async (t) => {
  let isBroken = true;
  const { clock, url } = await startMetrics(t, async () => (isBroken ? Promise.reject(new Error('no')) : 'a 1\n'));
  assert.equal((await fetch(`${url}/metrics`)).status, 500);
  isBroken = false;
  clock.nowMs = 1_000;
  assert.equal((await fetch(`${url}/metrics`)).status, 200);
});

test('an address with four answers that it does not take is refused, and other addresses are served', async (t) => {
  const body = 'a 1\n'.repeat(4_000_000);
  const { url } = await startMetrics(t, async () => body);
  const port = Number(new URL(url).port);
  for (let n = 0; n < 4; n++) {
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.66' });
    t.after(() => socket.destroy());
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    // The first bytes have come, and no more are read.
    await new Promise<void>((resolve) => socket.once('readable', resolve));
  }
  const refused = await new Promise<string>((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.66' });
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.once('data', (data) => {
      socket.destroy();
      resolve(String(data).split('\r\n')[0] ?? '');
    });
  });
  assert.match(refused, /503/);
  assert.equal((await (await fetch(`${url}/metrics`)).text()).length, body.length);
});
