/** Requests are parsed completely, or refused with an id for the answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatRequest, parseRequest } from '../../../src/application/request.ts';

test('a formatted request parses to the same request', () => {
  const request = { id: 'r-1', action: 'sync' } as const;
  assert.deepEqual(parseRequest(formatRequest(request)), { ok: true, request });
});

test('an absent or empty annotation is not a request', () => {
  assert.equal(parseRequest(undefined), undefined);
  assert.equal(parseRequest(''), undefined);
});

test('a refresh takes no options, and a confirmation only the digest and the commit of the prune', () => {
  const options = { revision: 'a'.repeat(40), prune: false, dryRun: true, objects: ['apps/Deployment/shop/web'] };
  const request = { id: 'r', action: 'sync', ...options } as const;
  assert.deepEqual(parseRequest(JSON.stringify(request)), { ok: true, request });
  const confirming = { id: 'r', action: 'confirm-prune', digest: 'd'.repeat(43), revision: 'a'.repeat(40) } as const;
  assert.deepEqual(parseRequest(JSON.stringify(confirming)), { ok: true, request: confirming });
  for (const action of ['refresh', 'confirm-prune']) {
    for (const option of Object.entries({ ...options, digest: 'short', revision: 'main' })) {
      const parsed = parseRequest(JSON.stringify({ id: 'r', action, ...Object.fromEntries([option]) }));
      assert.ok(parsed && !parsed.ok, `${action} ${option[0]}`);
    }
  }
});

test('a request with an unknown action, field or revision is refused under its own id', () => {
  const malformed = ['{"id":"r","action":"explode"}', '{"id":"r","action":"sync","force":true}', '{"id":"r"}'];
  for (const text of [...malformed, '{"id":"r","action":"sync","revision":"main"}']) {
    const parsed = parseRequest(text);
    assert.ok(parsed && !parsed.ok);
    assert.equal(parsed.id, 'r');
    assert.match(parsed.problem, /tautline\.dev\/request was not understood/);
  }
});

test('a request without a readable id is refused as unreadable', () => {
  const unshowable = ['\\u001b[2J', '\\ud800', '\\u202e'].map((id) => `{"id":"${id}","action":"refresh"}`);
  const unreadable = ['{', '[]', 'null', '7', '{"id":7,"action":"sync"}', `{"id":"${'x'.repeat(5000)}"}`];
  for (const text of [...unreadable, ...unshowable]) {
    const parsed = parseRequest(text);
    assert.ok(parsed && !parsed.ok);
    assert.equal(parsed.id, 'unreadable');
    assert.ok(parsed.problem.length <= 1024);
  }
});

test('no text makes parseRequest throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseRequest(text)));
});
