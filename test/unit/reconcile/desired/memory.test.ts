/** The sources of an Application taken together: when the next poll is due, and which revisions are in use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyDesiredMemory, nextPollMs, revisionsOf } from '../../../../src/reconcile/desired/memory.ts';
import { snapshotOf, sourceOf } from '../../../support/applications.ts';

test('the next poll is that of the source that is due first', () => {
  const memory = emptyDesiredMemory();
  const followed = { commit: undefined };
  const pinned = { commit: 'a'.repeat(40) };
  assert.equal(nextPollMs(memory, followed), undefined);
  memory.source = sourceOf({ nextPollMs: 500 });
  memory.pinned = sourceOf({ nextPollMs: 300 });
  assert.deepEqual([nextPollMs(memory, followed), nextPollMs(memory, pinned)], [500, 300]);
  memory.others.set('$values', sourceOf({ nextPollMs: 400 }));
  assert.deepEqual([nextPollMs(memory, followed), nextPollMs(memory, pinned)], [400, 300]);
  memory.others.set('$more', sourceOf({ nextPollMs: 900 }));
  assert.equal(nextPollMs(memory, followed), 400);
});

test('under a hold the followed revision is polled beside the held one', () => {
  const memory = emptyDesiredMemory();
  const held = { commit: 'a'.repeat(40), hold: {} };
  memory.pinned = sourceOf({ nextPollMs: 300 });
  memory.source = sourceOf({ nextPollMs: 200 });
  assert.equal(nextPollMs(memory, held), 200);
  memory.source = sourceOf({ nextPollMs: 500 });
  assert.equal(nextPollMs(memory, held), 300);
});

test('a new revision of any source is a new text of revisions', () => {
  const memory = emptyDesiredMemory();
  const texts = new Set<string>();
  const note = (revision: string): number => texts.add(revisionsOf(memory, snapshotOf(revision, 'main'))).size;
  assert.equal(note('1'), 1);
  assert.equal(note('1'), 1);
  assert.equal(note('2'), 2);
  memory.others.set('$values', sourceOf({ snapshot: snapshotOf('1', 'main') }));
  assert.equal(note('2'), 3);
  memory.others.set('$values', sourceOf({ snapshot: snapshotOf('3', 'main') }));
  assert.equal(note('2'), 4);
});
