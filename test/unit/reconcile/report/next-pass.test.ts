import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ChangeResult, Outcome } from '../../../../src/apply/applied.ts';
import type { Change, ChangeType } from '../../../../src/diff/changes.ts';
import type { HealthStatus } from '../../../../src/health/health.ts';
import { idKey } from '../../../../src/object/identity.ts';
import type { Problem } from '../../../../src/object/problem.ts';
import type { Plan } from '../../../../src/plan/plan.ts';
import type { Braked } from '../../../../src/reconcile/decide/brake-heals.ts';
import type { NextPass } from '../../../../src/reconcile/pass.ts';
import { decideNextPass, type EndedPass } from '../../../../src/reconcile/report/next-pass.ts';
import type { StageFailure } from '../../../../src/status/report.ts';
import { applicationOf } from '../../../support/applications.ts';
import { changeOf, desiredOf, idOf, liveOf, refusedWith } from '../../../support/changes.ts';

const NOW_MS = 1_000;
const POLL_MS = 60_000;
const SETTINGS: EndedPass['settings'] = {
  minPollBackoffMs: 5_000,
  maxPollBackoffMs: 300_000,
  progressCheckMs: 10_000,
  awaitedDiscoveryRetryMs: 2_000,
  unwatchedCheckMs: 15_000,
};
const AT_ONCE: NextPass = { type: 'after', delayMs: 0 };
const AT_POLL: NextPass = { type: 'after', delayMs: POLL_MS };
const AFTER_CHECK: NextPass = { type: 'after', delayMs: SETTINGS.progressCheckMs };
const WITH_BACKOFF = { type: 'backoff', atMostMs: POLL_MS } as const satisfies NextPass;

const AUTO: EndedPass['goal'] = {
  request: undefined,
  intent: { mode: 'auto', prune: true, objects: undefined },
  commit: undefined,
};

interface Parts extends Partial<Omit<EndedPass, 'report'>> {
  readonly report?: Partial<EndedPass['report']>;
}

/** A pass that changed nothing and has nothing to wait for; its next poll is due in `POLL_MS`. */
function passWith({ report, ...more }: Parts = {}): EndedPass {
  return {
    application: applicationOf(),
    goal: AUTO,
    isCutShort: false,
    findings: {},
    report: { failures: [], applied: new Map(), problems: [], changes: [], health: new Map(), ...report },
    verdict: { isReconciling: false, reason: 'ReconciliationSucceeded' },
    answer: undefined,
    nextPollMs: NOW_MS + POLL_MS,
    nextDiscoveryMs: 0,
    doubtInMs: Infinity,
    endedJobs: undefined,
    nowMs: NOW_MS,
    settings: SETTINGS,
    ...more,
  };
}

function resultsOf(outcome: Outcome, more: Partial<ChangeResult> = {}): ReadonlyMap<string, ChangeResult> {
  const change = changeOf('update');
  return new Map([[idKey(change.id), { change, outcome, ...more }]]);
}

const failureWith = (retry: StageFailure['retry'], stage: StageFailure['stage'] = 'apply'): StageFailure => ({
  stage,
  code: 'Unavailable',
  message: 'it failed',
  retry,
});

const problemWith = (code: Problem['code']): Problem => ({ code, message: 'a problem' });

const brakedFor = (againInMs: number): Braked => ({ held: new Map(), contested: [], againInMs });

const healthIn = (status: HealthStatus) => new Map([['key', { status, message: '' }]]);

const AWAITING_CRD: Change = {
  ...changeOf('create'),
  desired: { ...desiredOf(), awaitsCrd: idOf('widgets.example.com') },
};

const PASSES: readonly (readonly [string, Parts, NextPass])[] = [
  ['nothing is to be done', {}, AT_POLL],
  ['its poll was due already', { nextPollMs: 0 }, AT_ONCE],
  ['its source was not asked', { nextPollMs: undefined }, { type: 'after', delayMs: 60_000 }],
  ['it was cut short', { isCutShort: true }, AT_ONCE],
  ['a stage failed', { report: { failures: [failureWith('backoff')] } }, WITH_BACKOFF],
  ['a stage failed for good', { report: { failures: [failureWith('never')] } }, AT_POLL],
  ['the source failed', { report: { failures: [failureWith('backoff', 'source')] } }, AT_POLL],
  [
    'the server named a time',
    { report: { failures: [failureWith({ afterMs: 7_000 })] } },
    { type: 'after', delayMs: 7_000 },
  ],
  ['the server named a time after the poll', { report: { failures: [failureWith({ afterMs: 1e6 })] } }, AT_POLL],
  [
    'the server named two times',
    { report: { failures: [failureWith({ afterMs: 7_000 }), failureWith({ afterMs: 9_000 })] } },
    { type: 'after', delayMs: 9_000 },
  ],
  [
    'the server named a time, and an object is Progressing',
    { report: { failures: [failureWith({ afterMs: 20_000 })], health: healthIn('Progressing') } },
    { type: 'after', delayMs: 20_000 },
  ],
  [
    'the server named a time, and another failure has none',
    { report: { failures: [failureWith('backoff'), failureWith({ afterMs: 7_000 })] } },
    { ...WITH_BACKOFF, atLeastMs: 7_000 },
  ],
  [
    'the server named a time for an object, and another object could not be read',
    {
      report: {
        applied: resultsOf('failed', refusedWith('Throttled', { retry: { afterMs: 1e6 } })),
        changes: [changeOf('unknown')],
      },
    },
    { ...WITH_BACKOFF, atLeastMs: POLL_MS },
  ],
  [
    'an object failed',
    { report: { applied: resultsOf('failed', refusedWith('Throttled', { retry: 'backoff' })) } },
    WITH_BACKOFF,
  ],
  ['an object failed for good', { report: { applied: resultsOf('failed', refusedWith('InvalidManifest')) } }, AT_POLL],
  ['a kind is unknown', { report: { problems: [problemWith('KindUnknown')] } }, WITH_BACKOFF],
  ['a manifest is wrong', { report: { problems: [problemWith('YamlSyntax')] } }, AT_POLL],
  ['an object could not be read', { report: { changes: [changeOf('unknown')] } }, WITH_BACKOFF],
  ['another Application owns an object', { report: { changes: [changeOf('conflict')] } }, WITH_BACKOFF],
  ['a definition that is not in Git is not served', { report: { changes: [AWAITING_CRD] } }, AT_POLL],
  ['a deletion is under way', { report: { applied: resultsOf('pruning') } }, AFTER_CHECK],
  ['an object is created again next', { report: { applied: resultsOf('recreating') } }, AFTER_CHECK],
  ['an object was changed', { report: { applied: resultsOf('configured') } }, AT_POLL],
  ['an object is Progressing', { report: { health: healthIn('Progressing') } }, AFTER_CHECK],
  ['an object is Degraded', { report: { health: healthIn('Degraded') } }, AT_POLL],
  ['it is reconciling', { verdict: { isReconciling: true, reason: 'Progressing' } }, AFTER_CHECK],
  ['it waits for another Application', { verdict: { isReconciling: true, reason: 'DependencyNotReady' } }, AT_POLL],
  ['its objects stay Degraded', { verdict: { isReconciling: true, reason: 'HealthCheckFailed' } }, AT_POLL],
  ['a heal is held', { findings: { braked: brakedFor(3_000) } }, { type: 'after', delayMs: 3_000 }],
  ['a prune waits for others', { findings: { handOverAgainInMs: 4_000 } }, { type: 'after', delayMs: 4_000 }],
  ['no heal is held', { findings: { braked: brakedFor(Infinity) } }, AT_POLL],
  [
    'several things are due',
    { findings: { braked: brakedFor(30_000) }, report: { health: healthIn('Progressing') } },
    AFTER_CHECK,
  ],
];
for (const [what, parts, expected] of PASSES) {
  test(`after a pass in which ${what} the next one is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(decideNextPass(passWith(parts)), expected);
  });
}

test('a backoff is bounded by the next poll, but not below the least backoff', () => {
  const report = { failures: [failureWith('backoff')] };
  const next = decideNextPass(passWith({ report, nextPollMs: NOW_MS + 20 }));
  assert.deepEqual(next, { type: 'backoff', atMostMs: SETTINGS.minPollBackoffMs });
});

test('a pass whose status could not be read waits for a whole interval', () => {
  const report = { failures: [failureWith('never', 'status')] };
  const application = applicationOf({ spec: { source: { interval: '90s' } } });
  assert.deepEqual(decideNextPass(passWith({ report, application, nextPollMs: 0 })), {
    type: 'after',
    delayMs: 90_000,
  });
  const { source, ...spec } = application.spec;
  const unreadable = { ...application, spec: { ...spec, source: { ...source, interval: 'soon' } } };
  const next = decideNextPass(passWith({ report, application: unreadable }));
  assert.deepEqual(next, { type: 'after', delayMs: SETTINGS.maxPollBackoffMs });
});

const REQUEST = { id: 'one', action: 'sync' };

const GOALS: readonly (readonly [string, Parts, NextPass])[] = [
  ['a request in mode auto', { goal: { ...AUTO, request: REQUEST } }, AT_POLL],
  [
    'a request for some objects',
    { goal: { ...AUTO, request: REQUEST, intent: { ...AUTO.intent, objects: new Set(['key']) } } },
    AT_ONCE,
  ],
  ['a request for a commit', { goal: { ...AUTO, request: REQUEST, commit: 'a'.repeat(40) } }, AT_ONCE],
  [
    'a request that does not prune',
    { goal: { ...AUTO, request: REQUEST, intent: { ...AUTO.intent, prune: false } } },
    AT_ONCE,
  ],
  [
    'a request in mode manual',
    { goal: { ...AUTO, request: REQUEST }, application: applicationOf({ spec: { sync: { mode: 'manual' } } }) },
    AT_ONCE,
  ],
];
for (const [what, parts, expected] of GOALS) {
  test(`after ${what} is answered the next pass is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(decideNextPass(passWith({ ...parts, answer: { outcome: 'Succeeded' } })), expected);
    assert.deepEqual(decideNextPass(passWith({ ...parts, answer: { outcome: 'InProgress' } })), AT_POLL);
    const { goal = AUTO } = parts;
    const withoutRequest = { ...parts, goal: { ...goal, request: undefined } };
    assert.deepEqual(decideNextPass(passWith({ ...withoutRequest, answer: { outcome: 'Succeeded' } })), AT_POLL);
  });
}

const PLAN: Plan = { waves: [], prunes: [], releases: [], waitingFor: [], held: undefined, left: [] };
const WAITING: Plan = { ...PLAN, waitingFor: [{ id: idOf('b'), reason: 'an earlier wave waits' }] };
const GATE = { unwell: new Map(), isAccepted: () => false };

const WAVES: readonly (readonly [string, EndedPass['findings'], NextPass])[] = [
  [
    'was applied and another one waits',
    { gate: GATE, plan: WAITING, applied: resultsOf('created', { live: liveOf() }) },
    AT_ONCE,
  ],
  ['was not changed and another one waits', { gate: GATE, plan: WAITING, applied: resultsOf('waiting') }, AT_POLL],
  ['waits for an event', { gate: GATE, plan: WAITING }, AT_POLL],
  [
    'was applied and no other waits',
    { gate: GATE, plan: PLAN, applied: resultsOf('created', { live: liveOf() }) },
    AT_POLL,
  ],
  ['is the only one', { plan: WAITING, applied: resultsOf('created', { live: liveOf() }) }, AT_POLL],
];
for (const [what, findings, expected] of WAVES) {
  test(`after a pass in which a wave ${what} the next one is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(decideNextPass(passWith({ findings })), expected);
  });
}

test('a hook that has run is deleted by the next pass at once', () => {
  const id = idOf('job', { group: 'batch', kind: 'Job' });
  const hook = changeOf('none', { id, policy: { isDeletedOnSuccess: true }, live: liveOf({ id }) });
  const parts: Parts = { findings: { changes: [hook] }, endedJobs: new Map([[idKey(id), 'digest']]) };
  assert.deepEqual(decideNextPass(passWith(parts)), AT_ONCE);
  const application = applicationOf({ status: { finished: { [idKey(id)]: 'digest' } } });
  assert.deepEqual(decideNextPass(passWith({ ...parts, application })), AT_POLL);
});

const anyRetry = fc.oneof(fc.constantFrom('never' as const, 'backoff' as const), fc.record({ afterMs: fc.nat(1e6) }));
const anyType = fc.constantFrom<ChangeType>('create', 'update', 'conflict', 'unsure', 'none', 'unknown');
const anyOutcome = fc.constantFrom<Outcome>('configured', 'unchanged', 'pruning', 'recreating', 'failed', 'waiting');
const anyParts: fc.Arbitrary<Parts> = fc
  .record({
    pollInMs: fc.option(fc.integer({ min: -10_000, max: 600_000 }), { nil: undefined }),
    failures: fc.array(fc.tuple(anyRetry, fc.constantFrom<StageFailure['stage']>('source', 'apply', 'status'))),
    types: fc.array(anyType),
    results: fc.array(fc.tuple(anyOutcome, anyRetry)),
    problems: fc.array(fc.constantFrom<Problem['code']>('KindUnknown', 'YamlSyntax')),
    status: fc.constantFrom<HealthStatus>('Healthy', 'Progressing', 'Degraded'),
    againInMs: fc.option(fc.integer({ min: 1, max: 600_000 })),
    isReconciling: fc.boolean(),
    isCutShort: fc.boolean(),
  })
  .map(({ pollInMs, failures, types, results, problems, status, againInMs, isReconciling, isCutShort }) => ({
    isCutShort,
    nextPollMs: pollInMs === undefined ? undefined : NOW_MS + pollInMs,
    findings: againInMs === null ? {} : { braked: brakedFor(againInMs) },
    verdict: { isReconciling, reason: 'Progressing' },
    report: {
      failures: failures.map(([retry, stage]) => failureWith(retry, stage)),
      changes: types.map((type) => changeOf(type)),
      applied: new Map(
        results.map(([outcome, retry], index) => [
          String(index),
          { change: changeOf('update'), outcome, ...refusedWith('Unavailable', { retry }) },
        ]),
      ),
      problems: problems.map(problemWith),
      health: healthIn(status),
    },
  }));

/** The time until the next poll, as a pass sees it. */
function pollInMsOf({ nextPollMs, report }: EndedPass): number {
  const isPolled = nextPollMs !== undefined && report.failures.every(({ stage }) => stage !== 'status');
  return isPolled ? Math.max(0, nextPollMs - NOW_MS) : 60_000;
}

test('no pass is planned for later than the next poll', () => {
  fc.assert(
    fc.property(anyParts, (parts) => {
      const pass = passWith(parts);
      const pollInMs = pollInMsOf(pass);
      const next = decideNextPass(pass);
      if (next.type === 'after')
        assert.ok(next.delayMs >= 0 && next.delayMs <= pollInMs, `${next.delayMs} > ${pollInMs}`);
      else {
        assert.equal(next.type, 'backoff');
        assert.equal(next.atMostMs, Math.max(pollInMs, SETTINGS.minPollBackoffMs));
        assert.ok((next.atLeastMs ?? 0) <= pollInMs);
      }
    }),
    { numRuns: 500 },
  );
});

test('no time that a server has named is undercut, except by the next poll', () => {
  fc.assert(
    fc.property(anyParts, (parts) => {
      const pass = passWith({ ...parts, isCutShort: false });
      const { failures, applied } = pass.report;
      const retries = failures.flatMap(({ stage, retry }) => (stage === 'source' ? [] : [retry]));
      for (const { refusal } of applied.values()) if (refusal) retries.push(refusal.retry);
      const named = retries.flatMap((retry) => (typeof retry === 'object' ? [retry.afterMs] : []));
      fc.pre(named.length > 0);
      const next = decideNextPass(pass);
      const leastMs = next.type === 'after' ? next.delayMs : next.type === 'backoff' ? (next.atLeastMs ?? 0) : 0;
      assert.ok(leastMs >= Math.min(pollInMsOf(pass), Math.max(...named)), `${leastMs} is less than ${named}`);
    }),
    { numRuns: 500 },
  );
});

test('answers that are believed no longer start a pass, but no sooner than a poll that is due', () => {
  assert.deepEqual(decideNextPass(passWith({ doubtInMs: 3_000 })), { type: 'after', delayMs: 3_000 });
  assert.deepEqual(decideNextPass(passWith({ doubtInMs: POLL_MS + 1 })), AT_POLL);
});

test('objects that no watch tells about are looked at again in mode auto only', () => {
  const left: Change = { ...changeOf('none', { live: liveOf() }), isUnwatched: true };
  const again: NextPass = { type: 'after', delayMs: SETTINGS.unwatchedCheckMs };
  const found = resultsOf('unchanged');
  for (const report of [{ changes: [left] }, { applied: found }]) {
    assert.deepEqual(decideNextPass(passWith({ report })), again);
    for (const mode of ['manual', 'detect'] as const) {
      const { spec, ...application } = applicationOf();
      const other = { ...application, spec: { ...spec, sync: { ...spec.sync, mode } } };
      assert.deepEqual(decideNextPass(passWith({ report, application: other })), AT_POLL);
    }
  }
  assert.deepEqual(decideNextPass(passWith({ report: { changes: [changeOf('none', { live: liveOf() })] } })), AT_POLL);
  assert.deepEqual(
    decideNextPass(passWith({ report: { applied: resultsOf('unchanged', { live: liveOf() }) } })),
    AT_POLL,
  );
});
