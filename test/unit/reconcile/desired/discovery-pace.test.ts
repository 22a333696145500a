/** When discovery is asked again for kinds that the API server lacks, and when a pass is due for that alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeResult } from '../../../../src/apply/applied.ts';
import type { Change } from '../../../../src/diff/changes.ts';
import type { HealthWord } from '../../../../src/application/status-schema.ts';
import type { DesiredObject } from '../../../../src/bind/desired.ts';
import { idKey } from '../../../../src/object/identity.ts';
import { isDiscoveryDue, paceAfterDiscovery, type Lack } from '../../../../src/reconcile/desired/discovery-pace.ts';
import type { DiscoveryPace } from '../../../../src/reconcile/desired/memory.ts';
import { decideNextPass, type EndedPass } from '../../../../src/reconcile/report/next-pass.ts';
import { applicationOf } from '../../../support/applications.ts';
import { changeOf, idOf, liveOf } from '../../../support/changes.ts';

const RETRIES = { discoveryRetryMs: 5_000, awaitedDiscoveryRetryMs: 300 };

/** The times at which discovery is asked when a pass runs each 100 ms. */
function timesOf(lackAt: (nowMs: number) => Omit<Lack, 'nowMs'>, untilMs: number): number[] {
  const times: number[] = [];
  let pace: DiscoveryPace | undefined;
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 100) {
    const lack = { nowMs, ...lackAt(nowMs) };
    if (!isDiscoveryDue(pace, lack)) continue;
    times.push(nowMs);
    pace = paceAfterDiscovery(pace, lack, RETRIES);
  }
  return times;
}

test('a kind that no definition brings is asked for at the long interval', () => {
  assert.deepEqual(
    timesOf(() => ({ definitions: '', isAwaited: false }), 10_000),
    [0, 5_000, 10_000],
  );
});

test('the pause for an awaited kind doubles up to the long interval', () => {
  assert.deepEqual(
    timesOf(() => ({ definitions: 'widgets', isAwaited: true }), 19_200),
    [0, 300, 900, 2_100, 4_500, 9_300, 14_300],
  );
});

test('a definition that the server accepts is asked for at once, and then after short pauses again', () => {
  const lackAt = (nowMs: number) => ({ definitions: nowMs < 10_000 ? 'widgets' : 'widgets digest', isAwaited: true });
  assert.deepEqual(timesOf(lackAt, 11_000).slice(-3), [10_000, 10_300, 10_900]);
});

const CRD = idOf('widgets.example.com', {
  group: 'apiextensions.k8s.io',
  kind: 'CustomResourceDefinition',
  namespace: '',
});
const POLL_MS = 60_000;

interface Moment {
  readonly mode?: 'auto' | 'manual' | 'detect';
  /** The change of the definition. undefined: it is out of reach, and there is none. */
  readonly definition?: Change;
  readonly result?: Omit<ChangeResult, 'change'>;
  readonly health?: HealthWord;
  /** By `idKey`: the objects that a request names. */
  readonly objects?: ReadonlySet<string>;
  readonly nextDiscoveryMs?: number;
}

/** The delay after a pass in which an object waits for its definition. */
function delayAfter({ mode = 'auto', definition, result, health, objects, nextDiscoveryMs = 0 }: Moment): number {
  const waiting = changeOf('create', { id: idOf('w') });
  const desired: DesiredObject = { ...(waiting.desired as DesiredObject), awaitsCrd: CRD };
  const ended: EndedPass = {
    application: applicationOf(),
    goal: { intent: { mode, prune: true, objects }, request: undefined, commit: undefined },
    isCutShort: false,
    findings: {},
    report: {
      failures: [],
      problems: [],
      changes: [{ ...waiting, desired }, ...(definition ? [definition] : [])],
      applied: new Map(definition && result ? [[idKey(CRD), { change: definition, ...result }]] : []),
      health: new Map(health ? [[idKey(CRD), { status: health, message: '' }]] : []),
    },
    verdict: { isReconciling: false, reason: 'OutOfSync' },
    answer: undefined,
    nextPollMs: POLL_MS,
    nextDiscoveryMs,
    endedJobs: undefined,
    nowMs: 0,
    doubtInMs: Infinity,
    settings: {
      minPollBackoffMs: 1,
      maxPollBackoffMs: 1,
      progressCheckMs: 5_000,
      unwatchedCheckMs: 60_000,
      ...RETRIES,
    },
  };
  const next = decideNextPass(ended);
  return next.type === 'after' ? next.delayMs : assert.fail(`the next pass is ${JSON.stringify(next)}`);
}

const PRESENT = changeOf('none', { id: CRD, live: liveOf({ id: CRD }) });
const APPLIED = { outcome: 'created', live: liveOf({ id: CRD }) } as const;

const MOMENTS: readonly (readonly [string, Moment, number])[] = [
  ['its definition was just applied', { definition: changeOf('create', { id: CRD }), result: APPLIED }, 300],
  ['its definition is as desired', { definition: PRESENT }, 300],
  ['discovery may not be asked yet', { definition: PRESENT, nextDiscoveryMs: 2_400 }, 2_400],
  ['its definition is out of reach', {}, POLL_MS],
  ['its definition waits itself', { definition: changeOf('create', { id: CRD }) }, POLL_MS],
  ['its definition is refused by the server', { definition: PRESENT, health: 'Degraded' }, POLL_MS],
  ['the mode is detect', { definition: PRESENT, mode: 'detect' }, POLL_MS],
  ['the mode is manual', { definition: PRESENT, mode: 'manual' }, POLL_MS],
  ['a request leaves it out', { definition: PRESENT, objects: new Set([idKey(CRD)]) }, POLL_MS],
];
for (const [when, moment, expectedMs] of MOMENTS) {
  test(`an object waits for its definition: where ${when}, the next pass is due in ${expectedMs} ms`, () => {
    assert.equal(delayAfter(moment), expectedMs);
  });
}
