import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceAccountIdentity } from '../../../../src/cluster/identity.ts';
import { mayWatchEverywhere } from '../../../../src/cluster/requests/rights.ts';
import type { HttpRequest } from '../../../../src/cluster/transport/transport.ts';
import { valueAt, type Value } from '../../../../src/object/value.ts';
import { deployments } from '../sample-kinds.ts';

const account = serviceAccountIdentity('shop', 'deployer');

/** A transport whose access reviews allow these verbs; any other verb gets this text as its answer. */
function reviewing(allowed: readonly string[], otherwise = '{"status":{"allowed":false}}') {
  const sent: HttpRequest[] = [];
  return {
    sent,
    send(request: HttpRequest) {
      sent.push(request);
      const verb = valueAt(JSON.parse(request.body ?? '') as Value, 'spec', 'resourceAttributes', 'verb');
      const text = allowed.includes(String(verb)) ? '{"status":{"allowed":true}}' : otherwise;
      return Promise.resolve({ status: 201, headers: {}, text });
    },
  };
}

test('a kind may be watched in all namespaces only if both list and watch are allowed', async () => {
  assert.equal(await mayWatchEverywhere(reviewing(['list', 'watch']), account, deployments), true);
  assert.equal(await mayWatchEverywhere(reviewing(['list']), account, deployments), false);
  assert.equal(await mayWatchEverywhere(reviewing(['watch']), account, deployments), false);
});

test('a review without a readable answer allows nothing', async () => {
  for (const text of ['', '<html>', '{"status":{"allowed":"true"}}']) {
    assert.equal(await mayWatchEverywhere(reviewing(['list'], text), account, deployments), false);
  }
});

test('a review is sent as the identity, for the kind in all namespaces', async () => {
  const transport = reviewing(['list', 'watch']);
  await mayWatchEverywhere(transport, account, deployments);
  assert.ok(transport.sent.every(({ identity }) => identity === account));
  const [review] = transport.sent.map(({ body }) => JSON.parse(body ?? '') as Value);
  assert.deepEqual(valueAt(review, 'spec'), {
    resourceAttributes: { verb: 'list', group: 'apps', version: 'v1', resource: 'deployments' },
  });
});
