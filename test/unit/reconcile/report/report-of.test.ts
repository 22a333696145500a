import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity } from '../../../../src/cluster/identity.ts';
import type { Health } from '../../../../src/health/health.ts';
import { idKey } from '../../../../src/object/identity.ts';
import type { Problem } from '../../../../src/object/problem.ts';
import { acceptedDigest } from '../../../../src/reconcile/accepted.ts';
import type { BoundSet } from '../../../../src/reconcile/desired/bind-desired.ts';
import { emptyMemory, type Memory } from '../../../../src/reconcile/memory.ts';
import { reportOf, worstOf, type Findings, type ReportedPass } from '../../../../src/reconcile/report/report-of.ts';
import type { PassReport, StageFailure } from '../../../../src/status/report.ts';
import { applicationOf, inventoryOf, snapshotOf, sourceOf } from '../../../support/applications.ts';
import { changeOf, desiredOf, idOf } from '../../../support/changes.ts';
import { kindsOf, manifestsOf } from '../../../support/reading.ts';

const NOW_MS = 1_000_000;
const [A, B, C] = [idOf('a'), idOf('b'), idOf('c')];
const ATTEMPT = { revision: '', startedAt: '2026-03-01T10:00:00Z', startedMs: NOW_MS - 10_000 };
const PROBLEM: Problem = { code: 'YamlSyntax', message: 'it is not YAML' };
const FAILURE: StageFailure = { stage: 'source', code: 'Network', message: 'down', retry: 'backoff' };

const boundWith = (problems: readonly Problem[] = []): BoundSet => ({
  desired: { objects: [A, B].map((id) => desiredOf({ id })), problems, digest: 'set' },
  kinds: kindsOf(),
  isComplete: true,
});

/** The report of a pass over an Application with a timeout of 10 s. */
function report(
  findings: Partial<Findings> = {},
  { memory = emptyMemory(), ...more }: Partial<ReportedPass> & { readonly memory?: Memory } = {},
): PassReport {
  const pass: ReportedPass = {
    application: applicationOf({ spec: { sync: { timeout: '10s' } } }),
    identity: agentIdentity,
    goal: {
      isForced: false,
      request: undefined,
      reconcileAt: undefined,
      confirmation: undefined,
      takesOver: false,
      intent: { mode: 'auto', prune: true, objects: undefined },
      commit: undefined,
      isDryRun: false,
    },
    failures: [],
    memory,
    record: { key: 'apps/shop' },
    target: { live: { pollingReasons: (application) => [`${application} polls ConfigMaps`] } },
    context: { clock: { now: () => Date.parse('2026-03-01T10:00:00Z'), monotonicMs: () => NOW_MS } },
    ...more,
  };
  return reportOf(pass, { attempt: ATTEMPT, ...findings }, 'ended');
}

test('a pass that reached no stage reports its failures, and all else as empty', () => {
  const { application, ...rest } = report({}, { failures: [FAILURE] });
  assert.equal(application.metadata.name, 'shop');
  assert.deepEqual(rest, {
    intent: { mode: 'auto', prune: true, objects: undefined },
    phase: 'ended',
    failures: [FAILURE],
    problems: [],
    renderWarnings: undefined,
    changes: [],
    rivalClaims: [],
    contestedObjects: [],
    isComplete: false,
    isEmptyRender: false,
    applied: new Map(),
    waitingFor: [],
    held: undefined,
    health: new Map(),
    worst: undefined,
    inventory: undefined,
    written: undefined,
    finishedJobs: undefined,
    startedJobs: undefined,
    isTimedOut: false,
    isHealthOverdue: false,
    polling: ['apps/shop polls ConfigMaps'],
    startedAt: '2026-03-01T10:00:00Z',
  });
});

test('the findings of the stages are reported as they are', () => {
  const snapshot = snapshotOf('1');
  const change = changeOf('update', { id: A });
  const health = new Map<string, Health>([[idKey(A), { status: 'Healthy', message: '' }]]);
  const applied = new Map([[idKey(A), { change, outcome: 'configured' as const }]]);
  const waitingFor = [{ id: B, reason: 'it waits' }];
  const held = { changes: [change], reason: 'it is held' };
  const contested = [{ id: A, message: 'healed 2 times' }];
  const found = report({
    snapshot,
    bound: boundWith(),
    changes: [change],
    rivalClaims: [{ id: A, claimant: 'apps/other' }],
    braked: { held: new Map(), contested, againInMs: 1 },
    awaited: { reason: 'Application apps/base is not Ready', waits: new Map() },
    plan: { waves: [], prunes: [], releases: [], waitingFor, held, left: [] },
    isComplete: true,
    isEmptyRender: true,
    applied,
    health,
  });
  const { revision, commit, changes, rivalClaims, contestedObjects, unready, isComplete, isEmptyRender } = found;
  assert.deepEqual([revision, commit], [snapshot.revision, snapshot.commit]);
  assert.deepEqual([changes, rivalClaims], [[change], [{ id: A, claimant: 'apps/other' }]]);
  assert.deepEqual([contestedObjects, unready], [contested, 'Application apps/base is not Ready']);
  assert.deepEqual([isComplete, isEmptyRender], [true, true]);
  assert.deepEqual([found.waitingFor, found.held, found.applied, found.health], [waitingFor, held, applied, health]);
});

test('problems are those of the bound set, or those of the last render where nothing was bound', () => {
  const memory = emptyMemory();
  const manifests = manifestsOf([], { problems: [PROBLEM], warnings: ['old'] });
  memory.desired.rendered = { key: 'tree:', path: '', inputs: '', manifests, answers: new Map() };
  assert.deepEqual(report({}, { memory }).problems, [PROBLEM]);
  assert.deepEqual(report({ bound: boundWith() }, { memory }).problems, []);
  const other: Problem = { code: 'KindUnknown', message: 'no such kind' };
  assert.deepEqual(report({ bound: boundWith([other]) }, { memory }).problems, [other]);
  assert.deepEqual(report({}, { memory }).renderWarnings, ['old']);
});

test('the digest of the desired set belongs to the account whose writes were accepted', () => {
  assert.equal(report().desiredDigest, undefined);
  assert.equal(report({ bound: boundWith() }).desiredDigest, 'set');
  const identity = serviceAccountIdentity('apps', 'deployer');
  assert.equal(report({ bound: boundWith() }, { identity }).desiredDigest, acceptedDigest(identity, 'set'));
});

test('the inventory and the records of Jobs are those of the memory', () => {
  const memory = emptyMemory();
  memory.inventory.ids = inventoryOf(A);
  memory.endedJobs.ended = new Map([['key', 'digest']]);
  memory.endedJobs.started = new Map([['other', 'digest']]);
  const { inventory, finishedJobs, startedJobs } = report({}, { memory });
  assert.deepEqual(inventory, [A]);
  assert.equal(finishedJobs, memory.endedJobs.ended);
  assert.equal(startedJobs, memory.endedJobs.started);
});

test('the measure of the prune guard is reported with the size from before the first object left Git', () => {
  const memory = emptyMemory();
  memory.inventory.sizeBefore = 7;
  const guard = { left: [{ id: B, behind: [] }], confirmedBy: 'one' };
  assert.deepEqual(report({ guard }, { memory }).guard, { ...guard, objectsBefore: 7 });
  assert.equal(report({}, { memory }).guard, undefined);
});

test('a pass after the deadline of the sync is timed out', () => {
  assert.equal(report({ attempt: { ...ATTEMPT, startedMs: NOW_MS - 10_001 } }).isTimedOut, true);
});

test('health is overdue if the worst object has been unwell for longer than the timeout', () => {
  const memory = emptyMemory();
  memory.clocks.unwell = { revision: '', sinceMs: NOW_MS - 10_001 };
  const healthOf = (status: Health['status']) => new Map([[idKey(A), { status, message: 'because' }]]);
  const overdue = report({ bound: boundWith(), health: healthOf('Missing') }, { memory });
  assert.equal(overdue.isHealthOverdue, true);
  assert.deepEqual(overdue.worst, { status: 'Missing', message: 'ConfigMap shop/a: because' });
  assert.equal(report({ bound: boundWith(), health: healthOf('Healthy') }, { memory }).isHealthOverdue, false);
  assert.equal(report({ bound: boundWith() }, { memory }).isHealthOverdue, false);
});

test('the next attempt is the next poll of any source in wall clock time, and never in the past', () => {
  const at = (nextPollMs: number, others: readonly number[] = []): string | undefined => {
    const memory = emptyMemory();
    memory.desired.source = sourceOf({ nextPollMs });
    for (const [index, otherMs] of others.entries()) {
      memory.desired.others.set(`$${index}`, sourceOf({ nextPollMs: otherMs }));
    }
    return report({}, { memory }).nextAttemptAt;
  };
  assert.equal(at(NOW_MS + 60_000), '2026-03-01T10:01:00Z');
  assert.equal(at(NOW_MS - 60_000), '2026-03-01T10:00:00Z');
  assert.equal(at(NOW_MS + 60_000, [NOW_MS + 90_000, NOW_MS + 30_000]), '2026-03-01T10:00:30Z');
});

test('the revisions of other sources are told by name, and those of remote bases by address', () => {
  const memory = emptyMemory();
  assert.equal(report({}, { memory }).sources, undefined);
  memory.desired.others.set('$values', sourceOf({ snapshot: snapshotOf('2', 'main') }));
  memory.desired.others.set('git https://git.example/base', sourceOf({ snapshot: snapshotOf('1', 'main') }));
  memory.desired.others.set('$unread', sourceOf({}));
  const { repoUrl } = snapshotOf('1', 'main');
  assert.deepEqual(report({}, { memory }).sources, [
    { name: repoUrl, revision: snapshotOf('1', 'main').revision },
    { name: 'values', revision: snapshotOf('2', 'main').revision },
  ]);
});

test('the request and the token of a reconcile annotation are answered', () => {
  const goal = {
    isForced: true,
    request: { id: 'one', action: 'sync' },
    reconcileAt: 'token',
    confirmation: undefined,
    takesOver: false,
    intent: { mode: 'manual', prune: false, objects: new Set(['key']) },
    commit: undefined,
    isDryRun: false,
  } as const;
  const { request, reconcileAt, intent } = report({}, { goal });
  assert.deepEqual([request, reconcileAt, intent], [goal.request, 'token', goal.intent]);
});

test('the worst health is that of the desired objects alone', () => {
  const health = new Map<string, Health>([
    [idKey(B), { status: 'Progressing', message: 'it starts' }],
    [idKey(C), { status: 'Degraded', message: 'it left Git' }],
  ]);
  assert.deepEqual(worstOf({ bound: boundWith(), health }), {
    status: 'Progressing',
    message: 'ConfigMap shop/b: it starts',
  });
  assert.equal(worstOf({ bound: boundWith(), health: new Map() }), undefined);
  assert.equal(worstOf({ health }), undefined);
  assert.equal(worstOf({ bound: boundWith() }), undefined);
});
