/** Limits of the webhook listener: rates, slow and large bodies, and secrets that are added, changed and removed. */
import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createHookLimit } from '../../../src/server/webhook-limit.ts';
import { hmac, send, startHooks, type Answer, type HookScene } from './webhook-scene.ts';

const BODY = JSON.stringify({ repository: 'https://git.example.com/team/shop' });

function post(hooks: HookScene, secret: string): Promise<Answer> {
  const headers = { 'X-Tautline-Signature-256': `sha256=${hmac(BODY, secret)}` };
  return send(`${hooks.url}/hooks/generic`, { headers, body: BODY });
}

function limitAt(numbers: { perMinute: number; totalPerMinute: number; maxAddresses: number }) {
  let nowMs = 0;
  const take = createHookLimit({ ...numbers, clock: { now: () => 0, monotonicMs: () => nowMs } });
  return { take, wait: (ms: number) => (nowMs += ms) };
}

test('an address may send the requests of one minute at once, and afterwards as many as its rate allows', () => {
  const { take, wait } = limitAt({ perMinute: 60, totalPerMinute: 1000, maxAddresses: 10 });
  for (let n = 0; n < 60; n++) assert.equal(take('a'), 0);
  assert.equal(take('a'), 1);
  assert.equal(take('b'), 0);
  wait(1_000);
  assert.equal(take('a'), 0);
  assert.equal(take('a'), 1);
});

test('all addresses together have a rate, and a refusal by it does not use up the rate of the address', () => {
  const { take, wait } = limitAt({ perMinute: 6, totalPerMinute: 12, maxAddresses: 100 });
  for (let n = 0; n < 12; n++) assert.equal(take(`a${n}`), 0);
  assert.equal(take('b'), 5);
  wait(5_000);
  assert.equal(take('b'), 0);
  assert.equal(take('c'), 5);
});

test('a request succeeds after the wait that the refusal names', () => {
  const { take, wait } = limitAt({ perMinute: 7, totalPerMinute: 100, maxAddresses: 100 });
  for (let n = 0; n < 7; n++) take('a');
  const waitS = take('a');
  assert.equal(waitS, 9);
  wait(waitS * 1000);
  assert.equal(take('a'), 0);
});

test('a bounded number of addresses is remembered, and addresses in use are kept', () => {
  const { take } = limitAt({ perMinute: 2, totalPerMinute: 1e9, maxAddresses: 3 });
  take('busy');
  take('busy');
  for (let n = 0; n < 1000; n++) {
    take(`a${n}`);
    assert.ok(take('busy') > 0);
  }
});

test('a webhook beyond the rate is refused with Retry-After before its body is read', async () => {
  await using hooks = await startHooks({ perMinute: 2, totalPerMinute: 10 });
  await hooks.secret('generic', 'word');
  assert.equal((await post(hooks, 'word')).status, 200);
  assert.equal((await post(hooks, 'wrong')).status, 401);
  const refused = await post(hooks, 'word');
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '30']);
  hooks.wait(30_000);
  assert.equal((await post(hooks, 'word')).status, 200);
  assert.deepEqual(
    hooks.counted,
    ['accepted', 'unauthorized', 'limited', 'accepted'].map((word) => `generic ${word}`),
  );
});

test('a body that does not arrive in time is answered with 408', async () => {
  await using hooks = await startHooks({ bodyLimits: { maxBytes: 1000, maxHeldBytes: 2000, timeoutMs: 50 } });
  const sent = { headers: { 'Content-Length': '100' }, body: '{', isCut: true };
  assert.equal((await send(`${hooks.url}/hooks/generic`, sent)).status, 408);
  assert.equal((await send(`${hooks.url}/hooks/generic`, { body: '{', isCut: true })).status, 408);
});

test('a body is refused when all bodies together would exceed their bound', async () => {
  await using hooks = await startHooks({ bodyLimits: { maxBytes: 1000, maxHeldBytes: 1500, timeoutMs: 60_000 } });
  const url = `${hooks.url}/hooks/generic`;
  const sent = { headers: { 'Content-Length': '1000' }, body: 'x'.repeat(900), isCut: true };
  const first = send(url, sent).catch(() => undefined);
  const second = await send(url, sent);
  assert.deepEqual([second.status, second.headers['retry-after']], [503, '1']);
  await hooks[Symbol.asyncDispose]();
  await first;
});

test('without a folder of secrets every webhook is refused with a reason and logged once', async () => {
  await using hooks = await startHooks({ secretsDir: '' });
  for (let n = 0; n < 3; n++) {
    const answer = await post(hooks, '');
    assert.equal(answer.status, 403);
    assert.deepEqual(answer.json, { error: 'no secret is configured for this provider, so its webhooks are refused' });
  }
  assert.equal(hooks.log.length, 1);
});

test('a secret that is missing, empty, blank, too long or a folder does not count', async () => {
  for (const text of [undefined, '', '\n', '  \r\n', 'x'.repeat(5000)]) {
    await using hooks = await startHooks();
    if (text !== undefined) await hooks.secret('generic', text);
    for (const secret of ['', '\n', text ?? '']) assert.equal((await post(hooks, secret)).status, 403);
  }
  await using hooks = await startHooks();
  await mkdir(join(hooks.dir, 'generic'));
  assert.equal((await post(hooks, '')).status, 403);
  assert.deepEqual(
    hooks.log.map(({ message }) => message),
    ['a webhook secret is not a file and is ignored', 'webhook refused, further refusals of this kind are not logged'],
  );
});

test('a secret that Kubernetes mounts, changes or removes takes effect after one second', async () => {
  await using hooks = await startHooks();
  const { dir } = hooks;
  /** As the kubelet does it: a new folder, and a link to it that is replaced atomically. */
  const mount = async (version: string, secret: string): Promise<void> => {
    await mkdir(join(dir, `..${version}`));
    await writeFile(join(dir, `..${version}`, 'generic.now'), `${secret}\n`);
    await symlink(`..${version}`, join(dir, '..data_tmp'));
    await rename(join(dir, '..data_tmp'), join(dir, '..data'));
  };
  assert.equal((await post(hooks, 'one')).status, 403);
  await mount('2026_1', 'one');
  await symlink('..data/generic.now', join(dir, 'generic.now'));
  assert.equal((await post(hooks, 'one')).status, 403);
  hooks.wait(1_000);
  assert.equal((await post(hooks, 'one')).status, 200);
  await mount('2026_2', 'two');
  hooks.wait(1_000);
  assert.equal((await post(hooks, 'one')).status, 401);
  assert.equal((await post(hooks, 'two')).status, 200);
  await rm(join(dir, 'generic.now'));
  hooks.wait(1_000);
  assert.equal((await post(hooks, 'two')).status, 403);
});

test('a missing folder of secrets is logged once and read when it exists', async () => {
  await using hooks = await startHooks();
  await rm(hooks.dir, { recursive: true });
  await post(hooks, 'one');
  hooks.wait(1_000);
  await post(hooks, 'one');
  assert.equal(hooks.log.filter(({ message }) => message.includes('cannot be read')).length, 1);
  await mkdir(hooks.dir);
  await hooks.secret('generic', 'one');
  hooks.wait(1_000);
  assert.equal((await post(hooks, 'one')).status, 200);
});
