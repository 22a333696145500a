import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { getCondition } from '../../../src/application/conditions.ts';
import { parseApplication } from '../../../src/application/parse.ts';
import type { StoredStatus } from '../../../src/application/schema.ts';
import { statusSchema } from '../../../src/application/status-schema.ts';
import type { ChangeResult } from '../../../src/apply/applied.ts';
import type { Change, ChangeType } from '../../../src/diff/changes.ts';
import type { Health } from '../../../src/health/health.ts';
import { idKey, type ObjectId } from '../../../src/object/identity.ts';
import type { Problem } from '../../../src/object/problem.ts';
import { valueAt, type Value } from '../../../src/object/value.ts';
import { composeInvalid, composeSuspended } from '../../../src/status/compose-bare.ts';
import { composeStatus } from '../../../src/status/compose.ts';
import type { PassReport, StageFailure } from '../../../src/status/report.ts';
import { validSpec } from '../application/spec-cases.ts';
import { passReport, REVISION } from './pass-report.ts';

const NOW = Date.parse('2026-03-01T10:00:00Z');

function applicationOf(sync: Record<string, string | boolean>): PassReport['application'] {
  const metadata = { namespace: 'apps', name: 'shop', uid: 'u', resourceVersion: '1', generation: 3 };
  const spec = { ...validSpec(), sync };
  const parsed = parseApplication({ apiVersion: 'tautline.dev/v1alpha1', kind: 'Application', metadata, spec });
  assert.ok(parsed.ok);
  return parsed.application;
}

const idOf = (name: string): ObjectId => ({ group: '', kind: 'ConfigMap', namespace: 'shop', name });
const changeOf = (type: ChangeType, name: string, reason?: string): Change => ({
  type,
  id: idOf(name),
  kind: undefined,
  fields: [],
  ...(reason === undefined ? {} : { reason }),
});

function reportOf(more: Partial<PassReport> = {}): PassReport {
  const { application = applicationOf({}) } = more;
  const { mode, prune } = application.spec.sync;
  return passReport({ application, intent: { mode, prune, objects: undefined }, desiredDigest: 'd', ...more });
}

const anyText = fc.oneof(fc.string({ maxLength: 40, size: 'max' }), fc.constant('long '.repeat(2_000)));
const anyRetry = fc.constantFrom<StageFailure['retry']>('never', 'backoff');
const anyFailure: fc.Arbitrary<StageFailure> = fc.record({
  stage: fc.constantFrom('source', 'render', 'bind', 'observe', 'apply', 'status'),
  code: fc.constant('Unavailable'),
  message: anyText,
  retry: anyRetry,
});
const anyProblem: fc.Arbitrary<Problem> = fc.record({ code: fc.constant('YamlSyntax'), message: anyText });
const anyType = fc.constantFrom<ChangeType>(
  ...(['create', 'update', 'adopt', 'prune', 'release', 'conflict', 'unsure', 'none', 'unknown'] as const),
);
const anyHealth: fc.Arbitrary<Health> = fc.record({
  status: fc.constantFrom('Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown'),
  message: anyText,
});
const anyOutcome = fc.option(
  fc.constantFrom<ChangeResult['outcome']>(
    ...([
      'created',
      'configured',
      'unchanged',
      'adopted',
      'pruned',
      'pruning',
      'released',
      'failed',
      'waiting',
    ] as const),
  ),
);

const anyObject = fc.record({
  type: anyType,
  health: anyHealth,
  outcome: anyOutcome,
  reason: anyText,
  retry: anyRetry,
  warnings: fc.option(fc.array(anyText, { maxLength: 3 })),
});
const anyReport: fc.Arbitrary<PassReport> = fc
  .record({
    objects: fc.array(anyObject, { maxLength: 60, size: 'max' }),
    failures: fc.array(anyFailure, { maxLength: 2 }),
    problems: fc.array(anyProblem, { maxLength: 12, size: 'max' }),
    renderWarnings: fc.option(fc.array(anyText, { maxLength: 3 }), { nil: undefined }),
    sync: fc.record({ mode: fc.constantFrom('auto', 'manual', 'detect'), prune: fc.boolean() }),
    flags: fc.record({ isComplete: fc.boolean(), isEmptyRender: fc.boolean(), isTimedOut: fc.boolean() }),
    isHeld: fc.boolean(),
    isClaimedTwice: fc.boolean(),
  })
  .map(({ objects, failures, problems, renderWarnings, sync, flags, isHeld, isClaimedTwice }) => {
    const changes = objects.map(({ type, reason }, index) => changeOf(type, `o${index}`, reason));
    const applied = new Map<string, ChangeResult>();
    const health = new Map<string, Health>();
    objects.forEach((object, index) => {
      const change = changes[index] as Change;
      health.set(idKey(change.id), object.health);
      if (object.outcome === null) return;
      const refusal = { code: 'Unavailable', status: 503, message: object.reason, retry: object.retry } as const;
      const isFailed = object.outcome === 'failed';
      const warnings = object.warnings === null ? {} : { warnings: object.warnings };
      applied.set(idKey(change.id), {
        change,
        outcome: object.outcome,
        ...(isFailed ? { refusal } : warnings),
      });
    });
    return reportOf({
      application: applicationOf(sync),
      failures,
      problems,
      renderWarnings,
      changes,
      applied,
      health,
      inventory: changes.map(({ id }) => id),
      ...flags,
      held: isHeld ? { changes: [], reason: 'held' } : undefined,
      rivalClaims: isClaimedTwice ? [{ id: idOf('o0'), claimant: 'apps/other' }] : [],
    });
  });

test('every status is within the bounds of the CRD', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const { status } = composeStatus({}, report, NOW);
      const parsed = statusSchema.safeParse(status);
      assert.ok(parsed.success, parsed.error?.message);
    }),
  );
});

test('a later pass with the same report composes the same status', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const first = composeStatus({}, report, NOW).status;
      const second = composeStatus(first as StoredStatus, report, NOW + 3_600_000).status;
      assert.deepEqual(second, first);
    }),
  );
});

test('the same findings in another order compose the same status', () => {
  const reordered = anyReport.chain((report) => {
    const permute = <T>(items: readonly T[]) => fc.shuffledSubarray([...items], { minLength: items.length });
    const waits = report.changes.slice(0, 3).map(({ id }, index) => ({ id, reason: `waits ${index}` }));
    return fc
      .tuple(permute(report.changes), permute([...report.applied]), permute(waits), permute(['x: no', 'y: no']))
      .map(([changes, applied, waitingFor, polling]) => {
        const one = { ...report, waitingFor: waits, polling: ['x: no', 'y: no'] };
        return { one, other: { ...one, changes, applied: new Map(applied), waitingFor, polling } };
      });
  });
  fc.assert(
    fc.property(reordered, ({ one, other }) => {
      assert.deepEqual(composeStatus({}, other, NOW).status, composeStatus({}, one, NOW).status);
    }),
  );
});

test('kstatus reads at most one of Ready, Reconciling and Stalled as True', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const { status, verdict } = composeStatus({}, report, NOW);
      const conditions = new Map(status.conditions?.map((condition) => [condition.type, condition.status]));
      assert.equal(conditions.get('Ready'), verdict.ready);
      for (const type of ['Reconciling', 'Stalled', 'Conflict']) {
        assert.ok([undefined, 'True'].includes(conditions.get(type)), type);
      }
      assert.ok(!(conditions.has('Reconciling') && conditions.has('Stalled')));
      if (verdict.ready === 'True') assert.ok(!conditions.has('Reconciling') && !conditions.has('Stalled'));
      if (verdict.ready === 'True') assert.equal(status.sync?.status, 'Synced');
      assert.equal(status.observedGeneration, 3);
    }),
  );
});

test('an object that left Git is Unknown, not pruning, while the knowledge of the pass is incomplete', () => {
  const changes = [changeOf('none', 'a'), changeOf('prune', 'b')];
  const { status, objects } = composeStatus({}, reportOf({ changes, isComplete: false }), NOW);
  assert.deepEqual(
    objects.map(({ sync, isPruning }) => [sync, isPruning]),
    [
      ['Synced', false],
      ['Unknown', false],
    ],
  );
  assert.equal(status.counts?.pruning, 0);
});

test('an object tells its patch while it is OutOfSync, and not while only the server can tell', () => {
  const patch = { operations: [{ op: 'remove' as const, path: '/data/a' }], isMasked: false };
  const changes = [changeOf('update', 'a'), changeOf('unsure', 'b'), changeOf('none', 'c')];
  const report = reportOf({ changes: changes.map((change) => ({ ...change, patch })) });
  const { objects } = composeStatus({}, report, NOW);
  assert.deepEqual(
    objects.map((object) => [object.sync, object.patch]),
    [
      ['OutOfSync', patch],
      ['Unknown', undefined],
      ['Synced', undefined],
    ],
  );
});

test('an inventory that could not be read stays as it is stored', () => {
  const previous = { inventory: { odd: 'value' } } as unknown as StoredStatus;
  const { inventory: _none, ...rest } = reportOf();
  const { status } = composeStatus(previous, { ...rest, inventory: undefined }, NOW);
  assert.deepEqual(status.inventory, { odd: 'value' });
});

test('a request stays in progress until its sync ends', () => {
  const request = { id: 'r', action: 'sync' };
  const waiting = reportOf({
    request,
    changes: [changeOf('create', 'a')],
    waitingFor: [{ id: idOf('a'), reason: 'x' }],
  });
  assert.equal(composeStatus({}, waiting, NOW).status.lastRequest?.outcome, 'InProgress');
  assert.equal(composeStatus({}, { ...waiting, isTimedOut: true }, NOW).status.lastRequest?.outcome, 'Failed');
  assert.equal(composeStatus({}, reportOf({ request }), NOW).status.lastRequest?.outcome, 'Succeeded');
});

test('a request stays in progress while polls do not agree on the revision', () => {
  const request = { id: 'r', action: 'refresh' };
  const inDoubt = reportOf({ request, reconcileAt: 'now', isInDoubt: true });
  const { status } = composeStatus({ lastHandledReconcileAt: 'before' }, inDoubt, NOW);
  assert.deepEqual(status.lastRequest, { id: 'r', action: 'refresh', outcome: 'InProgress' });
  assert.equal(status.lastHandledReconcileAt, 'before');
  const { status: settled } = composeStatus(
    { lastHandledReconcileAt: 'before' },
    { ...inDoubt, isInDoubt: false },
    NOW,
  );
  assert.equal(settled.lastRequest?.outcome, 'Succeeded');
  assert.equal(settled.lastHandledReconcileAt, 'now');
});

test('a request for some objects succeeds once these are applied, and status reports the others as OutOfSync', () => {
  const objects = new Set([idKey(idOf('a'))]);
  const partial = (mode: string): PassReport =>
    reportOf({
      application: applicationOf({ mode }),
      intent: { mode: 'auto', prune: true, objects },
      request: { id: 'r', action: 'sync' },
      changes: [changeOf('none', 'a'), changeOf('update', 'b')],
    });
  for (const mode of ['auto', 'manual']) {
    const { status } = composeStatus({}, partial(mode), NOW);
    assert.equal(status.lastRequest?.outcome, 'Succeeded');
    assert.equal(status.sync?.status, 'OutOfSync');
    assert.equal(status.sync.lastAppliedRevision, undefined);
  }
});

test('in mode manual Ready tells whether the last sync succeeded, with the reason OutOfSync for later differences', () => {
  const application = applicationOf({ mode: 'manual' });
  const drifted = reportOf({ application, changes: [changeOf('update', 'a')] });
  const readyAfter = (sync: object): string | undefined => {
    const stored = { ...application, status: { sync: { status: 'OutOfSync', ...sync } } } as typeof application;
    const { status } = composeStatus(stored.status, { ...drifted, application: stored }, NOW);
    assert.equal(getCondition(status.conditions ?? [], 'Ready')?.reason, 'OutOfSync');
    assert.ok(!status.conditions?.some(({ type }) => type === 'Reconciling' || type === 'Stalled'));
    return getCondition(status.conditions ?? [], 'Ready')?.status;
  };
  assert.equal(readyAfter({}), 'False');
  assert.equal(readyAfter({ lastAppliedRevision: 'x', lastAttemptedRevision: 'x' }), 'True');
  assert.equal(readyAfter({ lastAppliedRevision: 'x', lastAttemptedRevision: 'y' }), 'False');
});

test('a sync that does not prune applies the revision, even if objects that left Git remain', () => {
  const application = applicationOf({ mode: 'manual' });
  const intent = { mode: 'auto', prune: false, objects: undefined } as const;
  const request = { id: 'r', action: 'sync' };
  const { status } = composeStatus(
    {},
    reportOf({ application, intent, request, changes: [changeOf('prune', 'a')] }),
    NOW,
  );
  assert.equal(status.lastRequest?.outcome, 'Succeeded');
  assert.equal(status.sync?.lastAppliedRevision, REVISION);
});

test('a malformed Application refuses requests', () => {
  const { metadata } = applicationOf({});
  const problems = ['spec.source is required'];
  const status = composeInvalid({ metadata, status: {}, problems, request: { id: 'r', action: 'sync' } }, NOW);
  assert.equal(status.lastRequest?.outcome, 'Refused');
  assert.match(status.lastRequest.message ?? '', /spec\.source is required/);
});

test('a suspended Application refuses requests and keeps its status', () => {
  const { metadata } = applicationOf({});
  const report = reportOf({ inventory: [idOf('a')], written: { uid: 'u' } });
  const stored: StoredStatus = composeStatus({}, report, NOW).status as StoredStatus;
  const request = { id: 'r', action: 'refresh' };
  const status = composeSuspended({ metadata, status: stored, request, reconcileAt: undefined }, NOW);
  assert.equal(status.lastRequest?.outcome, 'Refused');
  assert.deepEqual(valueAt(stored.inventory as Value, 'written'), { uid: 'u' });
  assert.deepEqual(
    status.inventory,
    { objects: valueAt(stored.inventory as Value, 'objects') },
    'others may come to own it',
  );
  assert.deepEqual(status.sync, stored.sync);
  const damaged = composeSuspended(
    { metadata, status: { ...stored, inventory: 'damaged' }, reconcileAt: undefined },
    NOW,
  );
  assert.equal(damaged.inventory, 'damaged');
});

test('a refresh is answered after one pass, with the reason for waiting', () => {
  const waiting = reportOf({
    request: { id: 'r', action: 'refresh' },
    changes: [changeOf('prune', 'a')],
    waitingFor: [{ id: idOf('a'), reason: 'held by a finalizer' }],
  });
  const { lastRequest } = composeStatus({}, waiting, NOW).status;
  assert.equal(lastRequest?.outcome, 'Succeeded');
  assert.match(lastRequest.message ?? '', /held by a finalizer/);
  assert.equal(composeStatus({}, { ...waiting, phase: 'begun' }, NOW).status.lastRequest?.outcome, 'InProgress');
});

test('the condition Watching is present only while some kind may not be watched', () => {
  const typesOf = (report: PassReport) => composeStatus({}, report, NOW).status.conditions?.map(({ type }) => type);
  assert.ok(typesOf(reportOf({ polling: ['ConfigMap in namespace shop: forbidden'] }))?.includes('Watching'));
  assert.ok(!typesOf(reportOf())?.includes('Watching'));
});

test('an object that its owner is about to hand over is Progressing, not a Conflict', () => {
  const refused = reportOf({ changes: [changeOf('conflict', 'a', 'managed by Application apps/other')] });
  const waiting = { ...refused, waitingFor: [{ id: idOf('a'), reason: 'apps/other has not released it yet' }] };
  const reasonOf = (report: PassReport) =>
    composeStatus({}, report, NOW).status.conditions?.find(({ type }) => type === 'Ready')?.reason;
  assert.equal(reasonOf(refused), 'Conflict');
  assert.equal(reasonOf(waiting), 'Progressing');
});
