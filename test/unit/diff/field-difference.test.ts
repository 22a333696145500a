import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeDryRun } from '../../../src/diff/evidence.ts';
import { boundValue } from '../../../src/diff/field-difference.ts';
import { MASK } from '../../../src/object/redact.ts';
import type { Value } from '../../../src/object/value.ts';
import { desiredOf, judge, liveOf, ours } from './fixtures.ts';

test('a difference in a Secret is shown without its values', () => {
  const secret = (value: string) => ours('v1', 'Secret', 'a', { data: { password: value, more: value } });
  const live = liveOf(secret('sha256:live-c4n4ry'), { owned: ours('v1', 'Secret', 'a') });
  const change = judge(secret('Y2FuYXJ5'), live);
  assert.equal(change.type, 'update');
  const text = JSON.stringify(change.fields);
  assert.ok(!text.includes('Y2FuYXJ5') && !text.includes('c4n4ry'));
  assert.deepEqual(change.fields[0], { path: '/data/password', desired: MASK, live: MASK });
});

test('values of a Secret are masked in the result of a dry run', () => {
  const live = liveOf(ours('v1', 'Secret', 'a', { data: { a: 'sha256:one-c4n4ry' } }));
  const returned = liveOf(ours('v1', 'Secret', 'a', { data: { a: 'sha256:two-c4n4ry' } }));
  const change = judgeDryRun({ ...judge(ours('v1', 'Secret', 'a'), live), type: 'unsure' }, returned);
  assert.equal(change.type, 'update');
  assert.deepEqual(change.fields[0], {
    path: '/data/a',
    desired: MASK,
    live: MASK,
    manager: 'tautline',
    managedAt: '2026-01-01T00:00:00Z',
  });
});

test('a change names at most 20 fields, and each value is bounded', () => {
  const data = (value: string) =>
    Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, value.repeat(1000)]));
  const live = liveOf(ours('v1', 'ConfigMap', 'a', { data: data('x') }));
  const change = judge(ours('v1', 'ConfigMap', 'a', { data: data('y') }), live);
  assert.equal(change.fields.length, 20);
  assert.ok(JSON.stringify(change.fields).length < 20_000);
});

test('boundValue keeps small values whole and cuts large ones', () => {
  const small: Value = { a: [1, 'x', null], b: true };
  assert.deepEqual(JSON.parse(JSON.stringify(boundValue(small))), small);
  const large: Value = Array.from({ length: 1000 }, () => ({ a: 'x'.repeat(10_000) }));
  assert.ok(JSON.stringify(boundValue(large)).length < 12_000);
});

test('a dry run that changes only bookkeeping and status settles an unsure change as none', () => {
  const body = ours('v1', 'ConfigMap', 'a', { data: { a: '1' } });
  const live = liveOf(body);
  const unsure = { type: 'unsure' as const, id: live.id, kind: desiredOf(body).kind, live, fields: [], reason: 'x' };
  const returned = liveOf({ ...body, status: { x: 1 } }, { version: '9' });
  const settled = judgeDryRun(unsure, returned);
  assert.deepEqual([settled.type, settled.reason, settled.fields], ['none', undefined, []]);
  const changed = judgeDryRun(unsure, liveOf(ours('v1', 'ConfigMap', 'a', { data: { a: '2' } })));
  assert.equal(changed.type, 'update');
  assert.deepEqual(
    [changed.fields[0]?.path, changed.fields[0]?.desired, changed.fields[0]?.live],
    ['/data/a', '2', '1'],
  );
});

test('a difference names the latest manager that owns exactly this path', () => {
  const body = ours('v1', 'ConfigMap', 'a', { data: { a: '1' } });
  const holding = (manager: string, time: string, fields: Value) => ({
    manager,
    operation: 'Update',
    time,
    fields: { 'f:data': fields } as { [key: string]: Value },
  });
  const live = liveOf(ours('v1', 'ConfigMap', 'a', { data: { a: 'x', b: 'y' } }), {
    owned: ours('v1', 'ConfigMap', 'a'),
    entries: [
      holding('early', '2026-01-01T00:00:00Z', { 'f:a': {} }),
      holding('late', '2026-01-02T00:00:00Z', { 'f:a': {} }),
      holding('elsewhere', '2026-01-03T00:00:00Z', { 'f:b': {} }),
    ],
  });
  assert.equal(judge(body, live).fields.find(({ path }) => path === '/data/a')?.manager, 'late');
});
