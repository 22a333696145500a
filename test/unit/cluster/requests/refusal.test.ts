import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalOf } from '../../../../src/cluster/requests/refusal.ts';
import { deployments } from '../sample-kinds.ts';

const retryOf = (retryAfter: string | string[] | undefined): unknown =>
  refusalOf({ status: 503, headers: { 'retry-after': retryAfter }, text: '' }, 'get', deployments).retry;

test('a refusal is to be retried after the seconds of Retry-After', () => {
  assert.deepEqual(retryOf('7'), { afterMs: 7_000 });
  assert.deepEqual(retryOf('0'), { afterMs: 0 });
});

test('a Retry-After that is not a number of seconds is ignored', () => {
  for (const value of [undefined, '', '-1', '1.5', '1234567', 'Wed, 21 Oct 2026 07:28:00 GMT', ['1', '2']]) {
    assert.equal(retryOf(value), 'backoff');
  }
});

test('a refusal names verb and kind of the request', () => {
  const answer = { status: 405, headers: {}, text: '' };
  assert.equal(refusalOf(answer, 'apply', deployments).message, 'the API of Deployment does not allow apply');
});
