/** The effect of spec.health.wait on a pass that applied everything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseApplication } from '../../../src/application/parse.ts';
import type { Health } from '../../../src/health/health.ts';
import { idKey, type ObjectId } from '../../../src/object/identity.ts';
import type { ValueMap } from '../../../src/object/value.ts';
import { composeStatus } from '../../../src/status/compose.ts';
import type { PassReport } from '../../../src/status/report.ts';
import { validSpec } from '../application/spec-cases.ts';

const WEB: ObjectId = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
const API: ObjectId = { ...WEB, name: 'api' };

interface Situation {
  readonly spec?: ValueMap;
  readonly web: Health;
  readonly api?: Health;
  readonly isHealthOverdue?: boolean;
  readonly waitingFor?: PassReport['waitingFor'];
}

function reportOf({
  spec = { wait: true },
  web,
  api,
  isHealthOverdue = false,
  waitingFor = [],
}: Situation): PassReport {
  const metadata = { namespace: 'apps', name: 'shop', uid: 'u', resourceVersion: '1', generation: 1 };
  const parsed = parseApplication({
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata,
    spec: { ...validSpec(), health: spec },
  });
  assert.ok(parsed.ok);
  const ids = api ? [WEB, API] : [WEB];
  return {
    application: parsed.application,
    intent: { mode: 'auto', prune: true, objects: undefined },
    phase: 'ended',
    revision: 'main@sha1:1',
    failures: [],
    problems: [],
    renderWarnings: [],
    changes: ids.map((id) => ({ id, type: 'none', kind: undefined, fields: [] })),
    rivalClaims: [],
    contestedObjects: [],
    polling: [],
    finishedJobs: undefined,
    startedJobs: undefined,
    applied: new Map(),
    waitingFor,
    held: undefined,
    health: new Map([[idKey(WEB), web], ...(api ? [[idKey(API), api] as const] : [])]),
    worst: { status: web.status, message: web.message },
    inventory: ids,
    isComplete: true,
    isEmptyRender: false,
    isTimedOut: true,
    isHealthOverdue,
    startedAt: '2026-03-01T10:00:00Z',
  };
}

const COMING: Health = { status: 'Progressing', message: 'Deployment.apps shop/web: 2 of 3 replicas available' };
const BROKEN: Health = { status: 'Degraded', message: 'Deployment.apps shop/web: Progress deadline exceeded' };

interface Expected {
  readonly ready: string;
  readonly reason: string;
  readonly message: RegExp;
  /** Types of conditions besides Ready, Healthy, SourceReady and Rendered. */
  readonly also: readonly string[];
}

const KEPT: PassReport['waitingFor'][number] = {
  id: { ...WEB, group: '', kind: 'ConfigMap', name: 'old' },
  reason: 'kept until it is rolled out',
  isForRollout: true,
};

const CASES: readonly (readonly [title: string, situation: Situation, expected: Expected])[] = [
  [
    'without wait, Ready is True for any health of the objects',
    { spec: {}, web: BROKEN },
    {
      ready: 'True',
      reason: 'ReconciliationSucceeded',
      message: /1 object in sync; Degraded: Deployment\.apps shop\/web: Progress/,
      also: [],
    },
  ],
  [
    'while objects are Progressing, Ready is False and its message shows their progress',
    { web: COMING, api: { status: 'Progressing', message: 'x' } },
    {
      ready: 'False',
      reason: 'Progressing',
      message: /^waiting for health: Deployment\.apps shop\/web: 2 of 3 replicas available; 1 more not Healthy$/,
      also: ['Reconciling'],
    },
  ],
  [
    'Ready is True once all objects are Healthy, or suspended by their own spec',
    { web: { status: 'Suspended', message: 'paused' }, api: { status: 'Healthy', message: '' } },
    { ready: 'True', reason: 'ReconciliationSucceeded', message: /2 objects in sync/, also: [] },
  ],
  [
    'a Degraded object fails the health check without stalling the Application',
    { web: BROKEN, api: { status: 'Healthy', message: '' } },
    {
      ready: 'False',
      reason: 'HealthCheckFailed',
      message: /^Deployment\.apps shop\/web: Progress deadline exceeded$/,
      also: ['Reconciling'],
    },
  ],
  [
    'the health check fails after spec.health.timeout',
    { spec: { wait: true, timeout: '2m' }, web: COMING, isHealthOverdue: true },
    {
      ready: 'False',
      reason: 'HealthCheckFailed',
      message: /^not Healthy for longer than 2m: Deployment\.apps shop\/web: 2 of 3/,
      also: ['Reconciling'],
    },
  ],
  [
    'an object that is kept until a rollout is over does not hide that the rollout is Degraded',
    { web: BROKEN, waitingFor: [KEPT] },
    {
      ready: 'False',
      reason: 'HealthCheckFailed',
      message:
        /^Deployment\.apps shop\/web: Progress deadline exceeded; ConfigMap shop\/old: kept until it is rolled out$/,
      also: ['Reconciling'],
    },
  ],
  [
    'without spec.health.timeout the health check fails after spec.sync.timeout',
    { web: COMING, isHealthOverdue: true },
    {
      ready: 'False',
      reason: 'HealthCheckFailed',
      message: /^not Healthy for longer than 5m: /,
      also: ['Reconciling'],
    },
  ],
];

for (const [title, situation, { ready, reason, message, also }] of CASES) {
  test(title, () => {
    const report = reportOf(situation);
    const { status } = composeStatus({}, report, Date.parse('2026-03-01T10:00:00Z'));
    const found = status.conditions?.find(({ type }) => type === 'Ready');
    assert.deepEqual([found?.status, found?.reason], [ready, reason]);
    assert.match(found?.message ?? '', message);
    const others = status.conditions?.map(({ type }) => type).filter((type) => !/Ready|Healthy|Rendered/.test(type));
    assert.deepEqual(others, also);
    assert.equal(status.sync?.status, 'Synced');
  });
}
