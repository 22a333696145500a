/** Requests are understood to the last field or refused with an answerable id. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatRequest, parseRequest } from '../../../src/application/request.ts';

test('a request written is the request read', () => {
  const request = { id: 'r-1', action: 'sync' } as const;
  assert.deepEqual(parseRequest(formatRequest(request)), { ok: true, request });
});

test('no annotation is no request', () => {
  assert.equal(parseRequest(undefined), undefined);
  assert.equal(parseRequest(''), undefined);
});

test('an unknown action or field is refused under its own id', () => {
  for (const text of ['{"id":"r","action":"explode"}', '{"id":"r","action":"sync","dryRun":true}', '{"id":"r"}']) {
    const parsed = parseRequest(text);
    assert.ok(parsed && !parsed.ok);
    assert.equal(parsed.id, 'r');
    assert.match(parsed.problem, /tautline\.dev\/request was not understood/);
  }
});

test('what has no readable id is refused all the same', () => {
  for (const text of ['{', '[]', 'null', '7', '{"id":7,"action":"sync"}', `{"id":"${'x'.repeat(5000)}"}`]) {
    const parsed = parseRequest(text);
    assert.ok(parsed && !parsed.ok);
    assert.equal(parsed.id, 'unreadable');
    assert.ok(parsed.problem.length <= 1024);
  }
});

test('no text makes the reader throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseRequest(text)));
});
