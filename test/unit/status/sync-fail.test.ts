/** When a sync counts as failed, so that its SyncFail hooks run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredStatus } from '../../../src/application/schema.ts';
import { idKey } from '../../../src/object/identity.ts';
import { composeStatus } from '../../../src/status/compose.ts';
import type { PassReport } from '../../../src/status/report.ts';
import { changeOf, idOf } from '../../support/changes.ts';
import { passReport, REVISION } from './pass-report.ts';

const SET = { set: 'one', hooks: 1 };
const JOB = idOf('migrate', { group: 'batch', kind: 'Job' });
const BROKEN = { status: 'Degraded', message: 'BackoffLimitExceeded' } as const;
const OVERDUE: Partial<PassReport> = { worst: BROKEN, isHealthOverdue: true, syncFail: SET };
const ATTEMPTED: StoredStatus = { sync: { status: 'OutOfSync', lastAttemptedRevision: REVISION } };
const hookOf = (policy: object): Partial<PassReport> => ({
  syncFail: SET,
  changes: [changeOf('none', { id: JOB, policy: { isHook: true, ...policy } })],
  health: new Map([[idKey(JOB), BROKEN]]),
});
const knowing = (failed: string): StoredStatus => ({ sync: { ...ATTEMPTED.sync, status: 'OutOfSync', failed } });

interface Case {
  readonly title: string;
  readonly report: Partial<PassReport>;
  readonly status?: StoredStatus;
  readonly failed: string | undefined;
}

const CASES: readonly Case[] = [
  { title: 'objects that are not Healthy in time', report: OVERDUE, failed: 'one' },
  { title: 'a wait that takes too long', report: { ...OVERDUE, isTimedOut: true }, failed: 'one' },
  { title: 'a hook that failed', report: hookOf({}), failed: 'one' },
  { title: 'a SyncFail hook that failed', report: hookOf({ isSyncFail: true }), failed: undefined },
  { title: 'nothing', report: { syncFail: SET }, failed: undefined },
  {
    title: 'a set without SyncFail hooks',
    report: { ...OVERDUE, syncFail: { set: 'one', hooks: 0 } },
    failed: undefined,
  },
  { title: 'a pass that has only begun', report: { ...OVERDUE, phase: 'begun' }, failed: undefined },
  {
    title: 'a pass that writes nothing',
    report: { ...OVERDUE, intent: { mode: 'manual', prune: true, objects: undefined } },
    failed: undefined,
  },
  { title: 'a set that failed before', report: { syncFail: SET }, status: knowing('one'), failed: 'one' },
  { title: 'another set after one that failed', report: { syncFail: SET }, status: knowing('two'), failed: undefined },
  { title: 'manifests with problems after a failure', report: {}, status: knowing('one'), failed: 'one' },
];

for (const { title, report, status = ATTEMPTED, failed } of CASES) {
  test(`${title}: the failed set is ${failed ?? 'none'}`, () => {
    const { status: next } = composeStatus(status, passReport(report), 0);
    assert.equal(next.sync?.failed, failed);
  });
}
