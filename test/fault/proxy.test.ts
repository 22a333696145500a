import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { kubernetesRequest, type KubernetesAnswer } from '../control-plane/kubernetes-request.ts';
import { useControlPlane, useStarted } from '../support/use-world.ts';
import { startFaultProxy } from './proxy.ts';

const plane = useControlPlane();
const proxy = useStarted('the proxy', () =>
  startFaultProxy({ target: plane.url, caFile: plane.caFile, token: plane.adminToken }),
);

afterEach(() => void proxy.rules.splice(0));

const NAMESPACE = '/api/v1/namespaces/default';
const CONFIG_MAPS = `${NAMESPACE}/configmaps`;

function ask(method: string, path: string, body?: unknown): Promise<KubernetesAnswer> {
  return kubernetesRequest({ url: proxy.url, caFile: plane.caFile, token: plane.adminToken }, method, path, body);
}

const configMap = (name: string): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

test('the fault proxy passes what no rule names, and records it', async () => {
  assert.equal((await ask('GET', NAMESPACE)).code, 200);
  assert.equal((await ask('POST', CONFIG_MAPS, configMap('passed'))).code, 201);
  const [first, second] = proxy.requests;
  assert.deepEqual([first?.method, first?.path, first?.status, first?.fault], ['GET', NAMESPACE, 200, undefined]);
  assert.deepEqual([second?.method, second?.path, second?.status], ['POST', CONFIG_MAPS, 201]);
});

test('the fault proxy serves a kubeconfig with which kubectl works', async () => {
  const result = await plane.kubectl(['--kubeconfig', proxy.kubeconfig, 'get', 'namespace', 'default', '-o', 'name']);
  assert.deepEqual([result.code, result.stdout, result.stderr], [0, 'namespace/default\n', '']);
});

test('the fault proxy answers in place of the server, to the n-th request that fits and to no other', async () => {
  const body = { kind: 'Status', code: 429 };
  const fault = { type: 'answer', status: 429, headers: { 'retry-after': '1' }, body } as const;
  proxy.rules.push({ method: 'GET', path: /configmaps$/, nth: 2, fault });
  const codes: number[] = [];
  for (let n = 0; n < 3; n++) codes.push((await ask('GET', CONFIG_MAPS)).code);
  assert.deepEqual(codes, [200, 429, 200]);
  assert.equal((await ask('GET', NAMESPACE)).code, 200);
  assert.equal(proxy.requests.at(-3)?.fault, fault);
});

test('the fault proxy stops a fault after so many times', async () => {
  proxy.rules.push({ path: /configmaps$/, times: 2, fault: { type: 'answer', status: 503 } });
  const codes: number[] = [];
  for (let n = 0; n < 3; n++) codes.push((await ask('GET', CONFIG_MAPS)).code);
  assert.deepEqual(codes, [503, 503, 200]);
});

test('the fault proxy resets before the server hears, or after it has done what was asked for', async () => {
  proxy.rules.push({ method: 'POST', path: /configmaps$/, nth: 1, fault: { type: 'reset' } });
  proxy.rules.push({ method: 'POST', path: /configmaps$/, nth: 2, fault: { type: 'lose-answer' } });
  await assert.rejects(ask('POST', CONFIG_MAPS, configMap('reset')));
  assert.equal((await plane.request('GET', `${CONFIG_MAPS}/reset`)).code, 404);
  await assert.rejects(ask('POST', CONFIG_MAPS, configMap('lost')));
  assert.equal((await plane.request('GET', `${CONFIG_MAPS}/lost`)).code, 200);
});

test('the fault proxy delays answers', async () => {
  proxy.rules.push({ path: /configmaps$/, fault: { type: 'delay', delayMs: 300 } });
  const startMs = performance.now();
  assert.equal((await ask('GET', CONFIG_MAPS)).code, 200);
  assert.ok(performance.now() - startMs >= 299);
});

test('the fault proxy cuts a body, abruptly or as if it were whole', async () => {
  proxy.rules.push({ path: /configmaps$/, nth: 1, fault: { type: 'cut', afterBytes: 20 } });
  proxy.rules.push({ path: /configmaps$/, nth: 2, fault: { type: 'cut', afterBytes: 20, isClean: true } });
  await assert.rejects(ask('GET', CONFIG_MAPS));
  const { code, body } = await ask('GET', CONFIG_MAPS);
  assert.equal(code, 200);
  assert.equal(String(body).length, 20);
});

test('the fault proxy leaves a request without an answer, or without the rest of it', async () => {
  proxy.rules.push({ path: /configmaps$/, nth: 1, fault: { type: 'silence' } });
  proxy.rules.push({ path: /configmaps$/, nth: 2, fault: { type: 'stall', afterBytes: 20 } });
  for (const status of [undefined, 200]) {
    const asked = ask('GET', CONFIG_MAPS).then(
      () => 'answered',
      () => 'reset',
    );
    assert.equal(await Promise.race([asked, sleep(500, 'silent')]), 'silent');
    assert.equal(proxy.requests.at(-1)?.status, status);
    assert.equal(proxy.cutOpen(/configmaps$/), 1);
    assert.equal(await asked, 'reset');
  }
});

test('the fault proxy cuts watches, and silences them', async () => {
  const path = `${CONFIG_MAPS}?watch=1&resourceVersion=0`;
  for (const end of ['cutOpen', 'stallOpen'] as const) {
    const before = proxy.requests.length;
    const watching = ask('GET', path).catch(() => 'reset');
    while (proxy.requests[before]?.status !== 200) await sleep(10);
    assert.equal(proxy[end](/watch=1/), 1);
    assert.equal(await Promise.race([watching, sleep(300, 'open')]), end === 'cutOpen' ? 'reset' : 'open');
  }
  proxy.cutOpen(/watch=1/);
});
