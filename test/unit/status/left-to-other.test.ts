/** The status of an object that stays until another Application takes it over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../../../src/diff/changes.ts';
import { objectStatuses } from '../../../src/status/object-status.ts';
import { idOf } from '../../support/changes.ts';
import { passReport } from './pass-report.ts';

test('an object that is kept for a paused Application counts as Synced, and its message says why it is there', () => {
  const reason = 'it is kept until Application apps/other, which is paused, takes it over';
  const kept: Change = {
    type: 'none',
    id: idOf('a'),
    kind: undefined,
    fields: [],
    reason,
    isLeftToOther: true,
  };
  const [status] = objectStatuses(passReport({ changes: [kept] }));
  assert.deepEqual([status?.sync, status?.isPruning, status?.message], ['Synced', false, `left Git; ${reason}`]);
});
