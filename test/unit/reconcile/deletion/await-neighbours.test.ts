import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectId } from '../../../../src/object/identity.ts';
import {
  reasonToAwaitNeighbours,
  wishElsewhere,
  type OtherWish,
} from '../../../../src/reconcile/deletion/await-neighbours.ts';
import type { Statement } from '../../../../src/reconcile/neighbours/announcements.ts';
import { sourceOf, statementOf, storedOf, type StoredOptions } from '../../../support/applications.ts';
import { idOf } from '../../../support/changes.ts';
import { scriptDeletion, type DeletionScript } from './scene.ts';

const A = idOf('a');

/** A deleted Application with another one of the same repository. */
function sceneWith(other: StoredOptions = {}, script: DeletionScript = {}) {
  const scene = scriptDeletion(script);
  const record = scene.add({ name: 'other', ...other });
  return { ...scene, other: record, reason: () => reasonToAwaitNeighbours(scene.deletion) };
}

/** An announcement after a poll at this time. */
const announcedAt = (nowMs: number, ids: readonly ObjectId[] = [], more: Partial<Statement> = {}): Statement =>
  statementOf(ids, { poll: { begunMs: nowMs, endedMs: nowMs }, ...more });

test('a deleted Application waits until another one has polled since the deletion, and asks it to', () => {
  const { clock, neighbours, reason, pollsAskedOf } = sceneWith();
  const beganMs = clock.nowMs;
  neighbours.announce('apps/other', announcedAt(beganMs - 1), false);
  assert.equal(reason(), 'Application apps/other of the same repository has still to say what it desires');
  assert.equal(pollsAskedOf('other'), 1);
  neighbours.announce('apps/other', announcedAt(beganMs, [], { isComplete: false }), false);
  assert.ok(reason());
  neighbours.announce('apps/other', announcedAt(beganMs, [], { generation: 0 }), false);
  assert.ok(reason());
  neighbours.announce('apps/other', announcedAt(beganMs), false);
  assert.equal(reason(), undefined);
});

test('all Applications of a branch are waited for until they have read its newest commit', () => {
  const { add, clock, neighbours, reason } = sceneWith();
  add({ name: 'third' });
  reason();
  const { nowMs } = clock;
  neighbours.announce('apps/other', announcedAt(nowMs, [], { commit: 'old' }), false);
  neighbours.announce('apps/third', announcedAt(nowMs + 1, [], { commit: 'new' }), false);
  assert.match(reason() ?? '', /^Application apps\/other /);
  neighbours.announce('apps/other', announcedAt(nowMs + 2, [], { commit: 'new' }), false);
  assert.equal(reason(), undefined);
});

test('the wait ends after the time of a hand-over, which begins with the first pass', () => {
  const { clock, deletion, reason } = sceneWith();
  const beganMs = clock.nowMs;
  reason();
  assert.equal(deletion.record.memory.deletion.sinceMs, beganMs);
  clock.nowMs = beganMs + 59_999;
  assert.ok(reason());
  clock.nowMs = beganMs + 60_000;
  assert.equal(reason(), undefined);
});

const SILENT: readonly (readonly [string, StoredOptions])[] = [
  ['is of another repository', { spec: { source: { repoURL: 'https://git.example.com/other.git' } } }],
  ['is being deleted too', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }],
  ['is suspended', { spec: { suspend: true } }],
  ['cannot be read', { spec: { sync: { mode: 'sometimes' } } }],
];
for (const [what, other] of SILENT) {
  test(`an Application that ${what} is not waited for`, () => {
    const { reason, woken } = sceneWith(other);
    assert.equal(reason(), undefined);
    assert.deepEqual(woken, []);
  });
}

test('an Application whose source cannot be fetched is waited for as well', () => {
  const { other, reason } = sceneWith();
  other.memory.desired.source = sourceOf({ error: new Error('down') });
  assert.ok(reason());
});

test('an Application of another branch is waited for as well', () => {
  assert.ok(sceneWith({ spec: { source: { revision: 'next' } } }).reason());
});

test('a deleted Application whose spec cannot be read waits for no other', () => {
  const { reason } = sceneWith({}, { own: { spec: { sync: { mode: 'sometimes' } } } });
  assert.equal(reason(), undefined);
});

const OTHER_SOURCE = { source: { repoURL: 'https://git.example.com/other.git' } };

test('an object that an Application of another repository waits for is released, on this cluster', () => {
  const { add, claims, deletion } = sceneWith({ spec: OTHER_SOURCE });
  add({ name: 'same' });
  claims.claim('cluster', A, 'apps/shop');
  claims.claim('other cluster', A, 'apps/shop');
  claims.claim('other cluster', A, 'apps/other');
  claims.claim('cluster', A, 'apps/same');
  assert.equal(
    wishElsewhere(deletion, A, () => true),
    'none',
  );
  claims.claim('cluster', A, 'apps/other');
  assert.equal(
    wishElsewhere(deletion, A, () => true),
    'released',
  );
  assert.equal(
    wishElsewhere(deletion, idOf('b'), () => true),
    'none',
  );
});

const WISHES: readonly (readonly [string, StoredOptions, OtherWish])[] = [
  ['desires it', {}, 'taken'],
  ['desires it and is of another branch', { spec: { source: { revision: 'next' } } }, 'taken'],
  ['desires it and is of another repository', { spec: OTHER_SOURCE }, 'released'],
  ['waits for this one', { spec: { dependsOn: [{ name: 'shop' }] } }, 'released'],
  ['desired it by an older spec', { metadata: { generation: 2 } }, 'released'],
  ['only reports it', { spec: { sync: { mode: 'detect' } } }, 'none'],
  ['is being deleted too', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }, 'none'],
];
for (const [what, other, expected] of WISHES) {
  test(`an object is ${expected} if another Application ${what}`, () => {
    const { clock, deletion, neighbours, woken } = sceneWith(other);
    neighbours.announce('apps/other', announcedAt(clock.nowMs, [A]), false);
    assert.equal(
      wishElsewhere(deletion, A, () => true),
      expected,
    );
    assert.equal(
      wishElsewhere(deletion, idOf('b'), () => true),
      'none',
    );
    assert.deepEqual(woken, expected === 'taken' ? ['apps/other'] : []);
  });
}

for (const [how, spec] of Object.entries({
  'in mode manual': { sync: { mode: 'manual' } },
  'that is suspended': { suspend: true },
})) {
  test(`an object goes to an Application ${how} once that one has stored its id, and else is released in the end`, () => {
    const { clock, deletion, neighbours, other, registry, reason, woken } = sceneWith({ spec });
    neighbours.announce('apps/other', announcedAt(clock.nowMs, [A]), false);
    reason();
    const wish = (): OtherWish => wishElsewhere(deletion, A, () => true);
    assert.equal(wish(), 'taken');
    assert.deepEqual([...other.signals.entrusted.values()], [A]);
    assert.deepEqual(woken, ['apps/other']);
    clock.nowMs += 1_000_000;
    assert.equal(wish(), 'released');
    const inventory = { objects: { ConfigMap: { [A.namespace]: A.name } } };
    other.stored = storedOf({ name: 'other', spec, status: { inventory } });
    registry.note(other);
    assert.deepEqual(wish(), { to: 'apps/other' });
    assert.equal(
      wishElsewhere(deletion, A, () => false),
      'none',
      'only with the right to write it',
    );
  });
}

test('an object that is not taken in time is released', () => {
  const { clock, deletion, neighbours } = sceneWith();
  neighbours.announce('apps/other', announcedAt(clock.nowMs, [A]), false);
  assert.equal(
    wishElsewhere(deletion, A, () => true),
    'taken',
  );
  clock.nowMs += 60_000;
  assert.equal(
    wishElsewhere(deletion, A, () => true),
    'released',
  );
});

test('an object that an Application cannot tell of any more is released', () => {
  const { clock, deletion, neighbours } = sceneWith();
  neighbours.announce('apps/other', announcedAt(clock.nowMs, [A]), false);
  neighbours.announce('apps/other', announcedAt(clock.nowMs, [], { isComplete: false }), false);
  assert.equal(
    wishElsewhere(deletion, A, () => true),
    'released',
  );
  neighbours.announce('apps/other', announcedAt(clock.nowMs), false);
  assert.equal(
    wishElsewhere(deletion, A, () => true),
    'none',
  );
});

test('the announcement of the deleted Application itself does not count', () => {
  const { clock, deletion, neighbours } = sceneWith();
  neighbours.announce('apps/shop', announcedAt(clock.nowMs, [A]), false);
  assert.equal(
    wishElsewhere(deletion, A, () => true),
    'none',
  );
});
