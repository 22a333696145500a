/** Limits of the webhook listener: rates, slow and large bodies, and secrets that are added, changed and removed. */
import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFailureBudget } from '../../../src/server/failure-budget.ts';
import { hmac, send, startHooks, type Answer, type HookScene } from './webhook-scene.ts';

const BODY = JSON.stringify({ repository: 'https://git.example.com/team/shop' });

function post(hooks: HookScene, secret: string): Promise<Answer> {
  const headers = { 'X-Tautline-Signature-256': `sha256=${hmac(BODY, secret)}` };
  return send(`${hooks.url}/hooks/generic`, { headers, body: BODY });
}

function limitAt(numbers: { perMinute: number; totalPerMinute: number; maxAddresses: number }) {
  let nowMs = 0;
  const admit = createFailureBudget({ ...numbers, clock: { now: () => 0, monotonicMs: () => nowMs } });
  /** Returns 0 if a webhook is checked, and otherwise the seconds after which to try again. */
  const fail = (address: string): number => {
    const admission = admit(address);
    return admission.isAdmitted ? 0 : admission.retryAfterS;
  };
  const succeed = (address: string): boolean => {
    const admission = admit(address);
    if (admission.isAdmitted) admission.giveBack();
    return admission.isAdmitted;
  };
  /** How many failures in a row are checked. */
  const failuresOf = (address: string): number => {
    for (let count = 0; ; count++) if (fail(address) > 0) return count;
  };
  return { fail, succeed, failuresOf, wait: (ms: number) => (nowMs += ms) };
}

test('an address may fail as often as its budget allows at once, then the reserve is used, then it is refused', () => {
  const { fail, failuresOf, wait } = limitAt({ perMinute: 60, totalPerMinute: 1000, maxAddresses: 10 });
  assert.equal(failuresOf('a'), 60 + 500);
  assert.equal(fail('b'), 0);
  assert.equal(fail('a'), 1);
  wait(1_000);
  // One of its own, and eight of the reserve.
  assert.equal(failuresOf('a'), 9);
});

test('all addresses together have a budget of failures', () => {
  const { fail, failuresOf, wait } = limitAt({ perMinute: 6, totalPerMinute: 12, maxAddresses: 100 });
  for (let n = 0; n < 12; n++) assert.equal(fail(`a${n}`), 0);
  assert.equal(failuresOf('b'), 6, 'the reserve');
  assert.equal(fail('b'), 5);
  wait(5_000);
  assert.equal(fail('b'), 0);
});

test('genuine webhooks use up no budget', () => {
  const { succeed, failuresOf } = limitAt({ perMinute: 6, totalPerMinute: 12, maxAddresses: 100 });
  for (let n = 0; n < 1000; n++) assert.ok(succeed('a'));
  assert.equal(failuresOf('a'), 6 + 6);
});

test('six false webhooks a second do not keep a genuine one of the same address out', () => {
  const { fail, succeed, wait } = limitAt({ perMinute: 120, totalPerMinute: 1200, maxAddresses: 100 });
  for (let second = 0; second < 600; second++) {
    for (let n = 0; n < 6; n++) fail('ingress');
    assert.ok(succeed('ingress'), `after ${second} s`);
    wait(1_000);
  }
});

test('failures of all other addresses do not keep out an address that has sent a genuine webhook', () => {
  const { failuresOf, succeed } = limitAt({ perMinute: 6, totalPerMinute: 12, maxAddresses: 50 });
  assert.ok(succeed('forge'));
  for (let n = 0; n < 1000; n++) failuresOf(`a${n}`);
  assert.ok(succeed('forge'));
});

test('a bounded number of addresses is remembered, and addresses in use are kept', () => {
  const { fail, failuresOf } = limitAt({ perMinute: 2, totalPerMinute: 10_000, maxAddresses: 3 });
  failuresOf('busy');
  for (let n = 0; n < 1000; n++) {
    fail(`a${n}`);
    assert.ok(fail('busy') > 0);
  }
});

test('a signed webhook beyond budget and reserve is refused with Retry-After, and reported as lost', async () => {
  await using hooks = await startHooks({ perMinute: 2, totalPerMinute: 4 });
  await hooks.secret('generic', 'word');
  for (let n = 0; n < 10; n++) assert.equal((await post(hooks, 'word')).status, 200);
  for (let n = 0; n < 4; n++) assert.equal((await post(hooks, 'wrong')).status, 401);
  const refused = await post(hooks, 'word');
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '30']);
  assert.deepEqual(hooks.lostMs, [0]);
  await post(hooks, 'word');
  assert.deepEqual(hooks.lostMs, [0], 'reported once in ten seconds');
  hooks.wait(30_000);
  assert.equal((await post(hooks, 'word')).status, 200);
  assert.equal(hooks.counted.filter((line) => line === 'generic limited').length, 2);
});

test('unsigned webhooks are refused without their body, and use up no budget', async () => {
  await using hooks = await startHooks({ perMinute: 2, totalPerMinute: 4 });
  await hooks.secret('generic', 'word');
  await hooks.secret('gitlab', 'word');
  const unsigned = [{}, { 'X-Tautline-Signature-256': 'sha256=12' }, { 'X-Gitlab-Token': '' }];
  for (let n = 0; n < 50; n++) {
    const headers = { ...unsigned[n % 3], 'Content-Length': '1000' };
    const provider = n % 2 ? 'generic' : 'gitlab';
    const answer = await send(`${hooks.url}/hooks/${provider}`, { headers, body: '{', isCut: true });
    assert.equal(answer.status, 401);
  }
  assert.equal((await post(hooks, 'word')).status, 200);
  assert.deepEqual(hooks.lostMs, []);
});

test('behind a trusted proxy the budget is that of the client which the proxy names', async () => {
  const trustedProxies = [{ address: '127.0.0.0', bits: 8 }];
  const limits = { perMinute: 1, totalPerMinute: 1 };
  await using behind = await startHooks({ ...limits, trustedProxies });
  await using direct = await startHooks(limits);
  for (const hooks of [behind, direct]) await hooks.secret('generic', 'word');
  const from = (hooks: HookScene, client: string, secret: string): Promise<Answer> => {
    const headers = { 'X-Tautline-Signature-256': `sha256=${hmac(BODY, secret)}`, 'X-Forwarded-For': client };
    return send(`${hooks.url}/hooks/generic`, { headers, body: BODY });
  };
  for (const hooks of [behind, direct]) {
    assert.equal((await from(hooks, '192.0.2.1', 'word')).status, 200);
    for (let n = 0; n < 4; n++) await from(hooks, '192.0.2.66, 198.51.100.7', 'wrong');
  }
  assert.equal((await from(behind, '192.0.2.66, 192.0.2.1', 'word')).status, 200);
  assert.equal((await from(direct, '192.0.2.1', 'word')).status, 429);
});

test('a body that does not arrive in time is answered with 408', async () => {
  await using hooks = await startHooks({ bodyLimits: { maxBytes: 1000, maxHeldBytes: 2000, timeoutMs: 50 } });
  await hooks.secret('generic', 'word');
  const signed = { 'X-Tautline-Signature-256': 'a'.repeat(64) };
  const sent = { headers: { ...signed, 'Content-Length': '100' }, body: '{', isCut: true };
  assert.equal((await send(`${hooks.url}/hooks/generic`, sent)).status, 408);
  assert.equal((await send(`${hooks.url}/hooks/generic`, { headers: signed, body: '{', isCut: true })).status, 408);
  assert.deepEqual(hooks.lostMs, [0]);
});

test('a body is refused when all bodies together would exceed their bound', async () => {
  await using hooks = await startHooks({ bodyLimits: { maxBytes: 1000, maxHeldBytes: 1500, timeoutMs: 60_000 } });
  const url = `${hooks.url}/hooks/generic`;
  await hooks.secret('generic', 'word');
  const headers = { 'Content-Length': '1000', 'X-Tautline-Signature-256': 'a'.repeat(64) };
  const sent = { headers, body: 'x'.repeat(900), isCut: true };
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
