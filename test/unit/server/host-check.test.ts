import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { isOwnName } from '../../../src/server/host-check.ts';
import { listen } from '../../../src/server/listener.ts';
import { api, ADMIN } from './api-scene.ts';

test('addresses, names of the cluster and the configured names are own names', () => {
  const own = ['127.0.0.1', '127.0.0.1:8080', '[::1]:8080', 'localhost:8080', 'tautline', 'tautline.gitops.svc:80'];
  for (const host of [...own, 'tautline.gitops.svc.cluster.local', 'Status.example.com:443', 'status.example.com.']) {
    assert.equal(isOwnName(host, ['status.example.com']), true, host);
  }
});

test('any other name is refused, also one that contains an own name', () => {
  const others = ['evil.example', 'localhost.evil.example', 'a.svc.evil.example', '127.0.0.1.evil.example'];
  for (const host of [...others, '', undefined, 'evil.example:80', 'x.status.example.com', 'a b', '[::1', '::1']) {
    assert.equal(isOwnName(host, ['status.example.com']), false, host ?? 'no header');
  }
});

test('a page whose name resolves to the agent reads nothing of the status API', async (t) => {
  const listener = await listen(api({}), { host: '127.0.0.1', port: 0 });
  t.after(() => listener.close());
  const statusFor = (host: string): Promise<number | undefined> =>
    new Promise((resolve) => {
      const sent = request(`${listener.url}/api/v1/applications`, { headers: { host, ...ADMIN } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      sent.end();
    });
  assert.deepEqual([await statusFor('evil.example'), await statusFor('localhost')], [421, 200]);
});
