import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getCondition } from '../../../src/application/conditions.ts';
import type { Condition } from '../../../src/application/status-schema.ts';
import type { Applied } from '../../../src/apply/applied.ts';
import { idKey } from '../../../src/object/identity.ts';
import { passConditions } from '../../../src/status/pass-conditions.ts';
import { releaseEventOf } from '../../../src/status/released.ts';
import type { PassReport } from '../../../src/status/report.ts';
import { applicationOf } from '../../support/applications.ts';
import { idOf } from '../../support/changes.ts';

const verdict = {
  ready: 'True',
  reason: 'ReconciliationSucceeded',
  message: '',
  isStalled: false,
  isReconciling: false,
} as const;

/** The results of a pass that released these objects, and pruned `other`. */
function releasing(...names: readonly string[]): Applied {
  const result = (name: string, outcome: 'released' | 'pruned') => {
    const change = { type: 'release', id: idOf(name), kind: undefined, fields: [] } as const;
    return [idKey(change.id), { change, outcome, message: 'claimed by Application team/app' }] as const;
  };
  return new Map([...names.map((name) => result(name, 'released')), result('other', 'pruned')]);
}

interface Pass {
  readonly revision?: string;
  readonly released?: readonly string[];
  readonly previous?: readonly Condition[];
  readonly generation?: number;
}

/** The conditions after a pass; the pass before it was at revision `one`. */
function conditionsOf({ revision, released = [], previous = [], generation = 1 }: Pass): readonly Condition[] {
  const report = {
    application: applicationOf({ status: { sync: { status: 'Synced', revision: 'one' } }, metadata: { generation } }),
    phase: 'ended',
    ...(revision === undefined ? {} : { revision }),
    ...{ failures: [], problems: [], changes: [], rivalClaims: [], contestedObjects: [], polling: [], waitingFor: [] },
    applied: releasing(...released),
  } as unknown as PassReport;
  return passConditions(report, { verdict, health: { status: 'Healthy' }, previous, nowMs: 0, generation });
}

const told = (conditions: readonly Condition[]): string | undefined => getCondition(conditions, 'Released')?.message;

test('a release is a condition, which names the object and the reason', () => {
  const found = conditionsOf({ revision: 'one', released: ['a'] });
  assert.equal(told(found), `ConfigMap shop/a stays in the cluster: claimed by Application team/app`);
  assert.equal(told(conditionsOf({ revision: 'one' })), undefined);
});

test('a release stays in the condition until the next revision or edit of the spec', () => {
  const previous = conditionsOf({ revision: 'one', released: ['a'] });
  assert.match(told(conditionsOf({ revision: 'one', previous })) ?? '', /shop\/a/);
  assert.match(told(conditionsOf({ previous })) ?? '', /shop\/a/);
  assert.equal(told(conditionsOf({ revision: 'two', previous })), undefined);
  assert.equal(told(conditionsOf({ revision: 'one', previous, generation: 2 })), undefined);
});

test('a later release at the same revision is added to the condition, each object once', () => {
  const previous = conditionsOf({ revision: 'one', released: ['a'] });
  const lines = told(conditionsOf({ revision: 'one', previous, released: ['b', 'a'] }))?.split('\n');
  assert.deepEqual(
    lines?.map((line) => line.split(' ')[1]),
    ['shop/a', 'shop/b'],
  );
});

test('the releases of a pass are an Event of their own', () => {
  assert.equal(releaseEventOf(releasing(), 'Apply'), undefined);
  const event = releaseEventOf(releasing('b', 'a'), 'Delete');
  assert.deepEqual([event?.reason, event?.action], ['Released', 'Delete']);
  assert.match(event?.note ?? '', /^ConfigMap shop\/a stays .*; ConfigMap shop\/b stays /);
});
