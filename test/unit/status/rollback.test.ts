/** When a failed revision is rolled back by itself, and what status and Events say about it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseApplication } from '../../../src/application/parse.ts';
import { getCondition } from '../../../src/application/conditions.ts';
import type { Application } from '../../../src/application/schema.ts';
import { composeStatus, type ComposedStatus } from '../../../src/status/compose.ts';
import type { PassReport } from '../../../src/status/report.ts';
import { holdEventOf } from '../../../src/status/rollback.ts';
import { validSpec } from '../application/spec-cases.ts';
import { idOf, kindOf, liveOf } from '../../support/changes.ts';
import { passReport, REVISION } from './pass-report.ts';

const GOOD = `main@sha1:${'1'.repeat(40)}`;
const NOW = Date.parse('2026-03-01T10:00:00Z');
const BROKEN = { status: 'Degraded', message: 'Deployment shop/web: no image' } as const;
const FAILING: Partial<PassReport> = { worst: BROKEN, isHealthOverdue: true };

interface Scene {
  readonly status?: Application['status'];
  readonly spec?: object;
  readonly report?: Partial<PassReport>;
}

const KNOWN = { status: 'Synced', lastHealthy: { revision: GOOD }, lastAttemptedRevision: REVISION } as const;

function compose({ status = { sync: KNOWN }, spec = { onFailure: 'rollback' }, report }: Scene): ComposedStatus {
  const parsed = parseApplication({
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { namespace: 'apps', name: 'shop', uid: 'u', resourceVersion: '1', generation: 3 },
    spec: { ...validSpec(), sync: { ...(spec as Record<string, string>) } },
  });
  assert.ok(parsed.ok);
  const application = { ...parsed.application, status };
  return composeStatus(status, passReport({ application, ...report }), NOW);
}

const holdIn = (scene: Scene) => compose(scene).status.hold;

test('a revision of which every object is applied and well is remembered', () => {
  const well = { worst: { status: 'Healthy' as const, message: '' } };
  assert.deepEqual(compose({ status: {}, report: well }).status.sync?.lastHealthy, { revision: REVISION });
  for (const report of [
    FAILING,
    { ...well, phase: 'begun' as const },
    { worst: { status: 'Progressing' as const, message: '' } },
  ]) {
    assert.deepEqual(compose({ report }).status.sync?.lastHealthy, { revision: GOOD });
  }
});

test('a revision that is not Healthy in time goes back to the last one that was, once', () => {
  const { status } = compose({ report: FAILING });
  assert.deepEqual(status.hold, {
    revision: GOOD,
    over: { revision: REVISION },
    reason: 'RolledBack',
    message: 'Degraded: Deployment shop/web: no image',
    since: '2026-03-01T10:00:00Z',
    prune: false,
  });
  assert.deepEqual(status.sync?.rolledBack, { revision: REVISION });
  assert.equal(status.history?.[0]?.outcome, 'Failed');
  const released = { sync: { ...KNOWN, rolledBack: { revision: REVISION } } };
  assert.equal(holdIn({ status: released, report: FAILING }), undefined);
});

test('a revision is not rolled back without the setting, in another mode, or if it was Healthy before', () => {
  assert.equal(holdIn({ spec: {}, report: FAILING }), undefined);
  assert.equal(holdIn({ spec: { onFailure: 'rollback', mode: 'manual' }, report: FAILING }), undefined);
  assert.equal(
    holdIn({ status: { sync: { ...KNOWN, lastHealthy: { revision: REVISION } } }, report: FAILING }),
    undefined,
  );
  assert.equal(holdIn({ status: { sync: { status: 'Synced' } }, report: FAILING }), undefined);
});

test('a failure of the source, the render, a dependency or a part of a sync rolls nothing back', () => {
  const failure = { stage: 'source', code: 'Timeout', message: 'no answer', retry: 'backoff' } as const;
  const intent = { mode: 'auto', prune: true, objects: new Set(['/ConfigMap/a/b']) } as const;
  for (const more of [{ failures: [failure] }, { unready: 'Application apps/db is not Ready' }, { intent }]) {
    assert.equal(holdIn({ report: { ...FAILING, ...more } }), undefined);
  }
  const unsent = { sync: { ...KNOWN, lastAttemptedRevision: GOOD }, hold: undefined };
  const waiting = { id: { group: '', kind: 'ConfigMap', namespace: 'a', name: 'b' }, reason: 'a wave' };
  assert.equal(holdIn({ status: unsent, report: { isTimedOut: true, waitingFor: [waiting] } }), undefined);
  assert.ok(holdIn({ report: { isTimedOut: true, waitingFor: [waiting] } }));
});

const HOLD = {
  revision: GOOD,
  over: { revision: REVISION },
  reason: 'RolledBack',
  message: 'no image',
  since: '2026-03-01T09:00:00Z',
  prune: false,
} as const;

test('under such a hold the Application is Stalled and not Ready, though everything is applied', () => {
  const before = { hold: HOLD, sync: KNOWN };
  const { status, verdict } = compose({ status: before, report: { revision: GOOD, hold: HOLD } });
  assert.deepEqual([verdict.ready, verdict.reason, verdict.isStalled], ['False', 'RolledBack', true]);
  assert.match(getCondition(status.conditions ?? [], 'Held')?.message ?? '', /after it failed \(no image\)/);
  assert.equal(status.sync?.lastAppliedRevision, GOOD);
  assert.equal(status.history?.[0]?.outcome, 'Succeeded');
  assert.deepEqual(status.hold, HOLD);
});

test('a hold that a person asked for is Ready, and its condition says so', () => {
  const hold = { ...HOLD, reason: 'Requested' } as const;
  const { status, verdict } = compose({ status: { hold, sync: KNOWN }, report: { revision: GOOD, hold } });
  assert.equal(verdict.ready, 'True');
  assert.equal(getCondition(status.conditions ?? [], 'Held')?.reason, 'Requested');
});

test('the held revision is not rolled back in turn', () => {
  const report = { ...FAILING, revision: GOOD, hold: HOLD };
  const status = { hold: HOLD, sync: { ...KNOWN, lastHealthy: { revision: `main@sha1:${'9'.repeat(40)}` } } };
  assert.deepEqual(holdIn({ status, report }), HOLD);
});

test('an Event tells the begin of a hold and its end, and nothing in between', () => {
  const { application } = passReport();
  assert.equal(holdEventOf({}, { hold: HOLD }, application)?.type, 'Warning');
  assert.equal(holdEventOf({}, { hold: { ...HOLD, reason: 'Requested' } }, application)?.reason, 'Held');
  assert.equal(holdEventOf({ hold: HOLD }, { hold: HOLD }, application), undefined);
  assert.equal(holdEventOf({ hold: HOLD }, {}, application)?.reason, 'HoldEnded');
});

test('while windows are closed, differences wait as in mode manual, and the next opening is named', () => {
  const window = { isOpen: false, mayRequest: false, closedBy: 'deny x', changesAtMs: Date.parse('2026-03-02T00:00Z') };
  const intent = { mode: 'manual', prune: true, objects: undefined } as const;
  const left = {
    id: idOf('b'),
    kind: kindOf(idOf('b')),
    fields: [],
    type: 'prune',
    live: liveOf({ id: idOf('b') }),
  } as const;
  const report = { window, intent, changes: [left] };
  const applied = { status: 'Synced', lastAppliedRevision: GOOD, lastAttemptedRevision: GOOD } as const;
  const { status, verdict } = compose({ status: { sync: applied }, spec: {}, report });
  assert.deepEqual([verdict.ready, verdict.reason, verdict.isReconciling], ['True', 'OutOfSync', false]);
  assert.match(verdict.message, /closed by deny x; it opens at 2026-03-02T00:00:00Z/);
  assert.deepEqual(status.window, {
    isOpen: false,
    message: 'closed by deny x; it opens at 2026-03-02T00:00:00Z',
    changesAt: '2026-03-02T00:00:00Z',
  });
  assert.equal(holdIn({ report: { ...FAILING, window, intent } }), undefined);
});
