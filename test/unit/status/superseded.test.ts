import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredStatus } from '../../../src/application/schema.ts';
import { nextHistory } from '../../../src/status/history.ts';
import type { PassReport } from '../../../src/status/report.ts';

const A = `main@sha1:${'a'.repeat(40)}`;
const B = `main@sha1:${'b'.repeat(40)}`;
const verdict = { ready: 'False', reason: 'Progressing', message: '', isStalled: false, isReconciling: true } as const;

function historyAfter(sync: StoredStatus['sync'], mode: 'auto' | 'manual', more: Partial<StoredStatus> = {}): string[] {
  const report = {
    revision: B,
    commit: 'b'.repeat(40),
    phase: 'begun',
    intent: { mode, prune: true, objects: undefined },
    failures: [],
  } as unknown as PassReport;
  const history = nextHistory({ sync, ...more }, report, { verdict, now: '2026-03-01T10:00:00Z' });
  return history.map(({ revision, outcome }) => `${outcome} ${revision}`);
}

test('a revision that was attempted and neither applied nor failed is Superseded once by the next one', () => {
  const attempted = { status: 'OutOfSync', lastAttemptedRevision: A } as const;
  assert.deepEqual(historyAfter(attempted, 'auto'), [`Superseded ${A}`]);
  const known = { revision: A, outcome: 'Superseded', startedAt: '2026-03-01T09:00:00Z' } as const;
  assert.deepEqual(historyAfter(attempted, 'auto', { history: [known] }), [`Superseded ${A}`]);
});

test('a revision that was applied, is under way, or waits for a person is not Superseded', () => {
  assert.deepEqual(historyAfter({ status: 'Synced', lastAttemptedRevision: A, lastAppliedRevision: A }, 'auto'), []);
  assert.deepEqual(historyAfter({ status: 'OutOfSync', lastAttemptedRevision: B }, 'auto'), []);
  assert.deepEqual(historyAfter({ status: 'OutOfSync', lastAttemptedRevision: A }, 'manual'), []);
  assert.deepEqual(historyAfter(undefined, 'auto'), []);
});
