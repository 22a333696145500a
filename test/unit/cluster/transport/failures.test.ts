import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFailure, isReset, isTimeout } from '../../../../src/cluster/transport/failures.ts';

const SERVER = 'https://api.example.com';

function errorWith(code: string): Error {
  return Object.assign(new Error(`text with hunter2 of ${code}`), { code });
}

const advice: readonly (readonly [code: string, expected: RegExp])[] = [
  ['ENOTFOUND', /its name does not resolve; check .*DNS \(ENOTFOUND\)$/],
  ['ECONNREFUSED', /nothing listens there/],
  ['EHOSTUNREACH', /no route to it/],
  ['UND_ERR_CONNECT_TIMEOUT', /does not accept connections/],
  ['UND_ERR_HEADERS_TIMEOUT', /did not answer in time/],
  ['UND_ERR_BODY_TIMEOUT', /did not answer in time/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /certificate is for another name/],
  ['SELF_SIGNED_CERT_IN_CHAIN', /check the CA/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /check the CA/],
  ['EPROTO', /TLS failed/],
  ['UND_ERR_RES_EXCEEDED_MAX_SIZE', /larger than the bound/],
  ['UND_ERR_SOCKET', /closed the connection/],
  ['UNHEARD_OF', /cannot be reached \(UNHEARD_OF\)$/],
];

for (const [code, expected] of advice) {
  test(`a failure with the code ${code} is described with address and advice`, () => {
    for (const error of [errorWith(code), new Error('fetch failed', { cause: errorWith(code) })]) {
      const message = describeFailure(error, SERVER);
      assert.match(message, expected);
      assert.match(message, /^no answer from the API server at https:\/\/api\.example\.com: /);
      assert.doesNotMatch(message, /hunter2/);
    }
  });
}

test('a failure without a code, or that is not an error, does not quote its text', () => {
  for (const failure of [new Error('hunter2'), 'hunter2', undefined]) {
    assert.equal(describeFailure(failure, SERVER), `no answer from the API server at ${SERVER}: it cannot be reached`);
  }
});

test('an abort is described as cancelled', () => {
  const message = describeFailure(new DOMException('aborted', 'AbortError'), SERVER);
  assert.equal(message, `the request to ${SERVER} was cancelled`);
});

test('time-outs and resets are told apart by their codes, also by the code of the cause', () => {
  const cases = ['UND_ERR_HEADERS_TIMEOUT', 'ETIMEDOUT', 'ECONNRESET', 'EPIPE', 'ECONNREFUSED'];
  const kindsOf = (error: unknown): boolean[] => [isTimeout(error), isReset(error)];
  assert.deepEqual(
    cases.map((code) => kindsOf(errorWith(code))),
    [
      [true, false],
      [true, false],
      [false, true],
      [false, true],
      [false, false],
    ],
  );
  assert.deepEqual(kindsOf(new Error('x', { cause: errorWith('EPIPE') })), [false, true]);
  assert.deepEqual(kindsOf(undefined), [false, false]);
});
