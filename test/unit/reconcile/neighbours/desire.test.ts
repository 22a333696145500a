import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application } from '../../../../src/application/schema.ts';
import type { Announcement } from '../../../../src/reconcile/neighbours/announcements.ts';
import { desireFor, relationTo } from '../../../../src/reconcile/neighbours/desire.ts';

const application = { metadata: { generation: 2 } } as Application;
const state = { commit: 'one', readByMs: 100 };

function announcement(fields: Partial<Announcement> = {}): Announcement {
  return {
    commit: 'one',
    generation: 2,
    ids: new Set(['x']),
    isComplete: true,
    poll: { begunMs: 0, endedMs: 10 },
    readFromMs: 0,
    readByMs: 10,
    readFrom: new Map([['one', 0]]),
    specSinceMs: 0,
    ...fields,
  };
}

test('an announcement at the same commit counts, unless the spec has changed since', () => {
  assert.equal(relationTo(state, { application, announced: announcement() }), 'same');
  assert.equal(relationTo(state, { application, announced: announcement({ generation: 1 }) }), 'older');
  assert.equal(relationTo(state, { application, announced: undefined }), 'older');
});

test('another commit is newer only if its first poll began after ours had ended', () => {
  const at = (readFromMs: number): string =>
    relationTo(state, { application, announced: announcement({ commit: 'two', readFromMs }) });
  assert.deepEqual([at(99), at(100)], ['older', 'newer']);
});

test('only a complete announcement of the same state shows that an object is not desired', () => {
  const said = (isComplete: boolean, relation: Parameters<typeof desireFor>[2]): string =>
    desireFor('y', { announced: announcement({ isComplete }), announcedWhole: undefined }, relation);
  assert.equal(said(true, 'same'), 'undesired');
  assert.equal(said(false, 'same'), 'unknown');
  assert.equal(said(true, 'newer'), 'unknown');
  assert.equal(said(true, 'older'), 'unknown');
});

test('an object that was desired when the Application could be read last is held', () => {
  const broken = announcement({ ids: new Set(), isComplete: false });
  assert.equal(desireFor('x', { announced: broken, announcedWhole: announcement() }, 'same'), 'held');
  assert.equal(desireFor('x', { announced: announcement(), announcedWhole: announcement() }, 'older'), 'held');
  assert.equal(desireFor('x', { announced: announcement(), announcedWhole: announcement() }, 'newer'), 'desired');
});
