/** Health checks of a pass: what is evaluated, when again, and what a mistake or a busy sandbox does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HealthCheck } from '../../../../src/application/health-check.ts';
import type { LiveObject } from '../../../../src/cluster/live.ts';
import type { EvaluationInput, InvalidExpression } from '../../../../src/health/checks/evaluate.ts';
import type { Health } from '../../../../src/health/health.ts';
import { StageError } from '../../../../src/object/stage-error.ts';
import { emptyMemory } from '../../../../src/reconcile/memory.ts';
import { invalidChecks, runHealthChecks, type CheckingPass } from '../../../../src/reconcile/decide/health-checks.ts';
import { liveOf } from '../../../support/changes.ts';

const CHECK: HealthCheck = { apiVersion: 'example.com/v1', kind: 'Thing', current: 'true' };
const DEGRADED: Health = { status: 'Degraded', message: 'by the check' };

function thing(name: string, resourceVersion = '1', kind = 'Thing'): LiveObject {
  const live = liveOf({ id: { group: 'example.com', kind, namespace: 'apps', name } });
  return { ...live, resourceVersion };
}

function sandboxError(code: 'Killed' | 'SandboxBusy'): StageError {
  return new StageError({ stage: 'health', code, retry: 'backoff', message: code });
}

interface Script {
  readonly checks?: readonly HealthCheck[];
  readonly common?: readonly HealthCheck[];
  readonly invalid?: readonly InvalidExpression[];
  readonly evaluate?: (input: EvaluationInput) => readonly Health[];
}

function scene({ checks = [CHECK], common = [], invalid = [], evaluate }: Script = {}) {
  const calls: string[] = [];
  const of = (list: readonly HealthCheck[]): CheckingPass => ({
    signal: new AbortController().signal,
    failures: [],
    application: { metadata: { namespace: 'apps' }, spec: { health: { checks: list } } },
    memory,
    context: {
      healthChecks: {
        common,
        async read(read) {
          calls.push(`read ${read.length}`);
          return invalid;
        },
        async evaluate(input, { tenant }) {
          calls.push(`evaluate ${input.objects.length} for ${tenant}`);
          return evaluate ? evaluate(input) : input.objects.map(() => DEGRADED);
        },
      },
    },
  });
  const memory = emptyMemory();
  return { pass: of(checks), passWith: of, calls };
}

test('an object is evaluated once for each of its versions, and others are left to the built-in rules', async () => {
  const { pass, calls } = scene();
  const objects = [thing('a'), thing('b'), thing('c', '1', 'Other')];
  const first = await runHealthChecks(pass, objects);
  assert.deepEqual(
    objects.map((live) => first.checked(live)),
    [DEGRADED, DEGRADED, undefined],
  );
  await runHealthChecks(pass, objects);
  assert.deepEqual(calls, ['read 1', 'evaluate 2 for apps']);
  await runHealthChecks(pass, [thing('a'), thing('b', '2')]);
  assert.deepEqual(calls.slice(2), ['evaluate 1 for apps']);
});

test('without checks nothing is asked', async () => {
  const { pass, calls } = scene({ checks: [] });
  const { checked } = await runHealthChecks(pass, [thing('a')]);
  assert.equal(checked(thing('a')), undefined);
  assert.deepEqual(calls, []);
});

test('other checks of the Application are read, and evaluate all of its objects again', async () => {
  const { pass, passWith, calls } = scene();
  await runHealthChecks(pass, [thing('a')]);
  await runHealthChecks(passWith([{ ...CHECK, current: 'false' }]), [thing('a')]);
  assert.deepEqual(calls, ['read 1', 'evaluate 1 for apps', 'read 1', 'evaluate 1 for apps']);
});

test('the checks of the agent hold for Applications without one, and are not read for each of them', async () => {
  const { pass, calls } = scene({ checks: [], common: [CHECK] });
  assert.deepEqual((await runHealthChecks(pass, [thing('a')])).checked(thing('a')), DEGRADED);
  assert.deepEqual(calls, ['evaluate 1 for apps']);
});

test('an expression that cannot be read fails the health of the pass, and names the check', async () => {
  const { pass } = scene({ invalid: [{ index: 0, field: 'current', message: '1:2: found )' }] });
  assert.equal(invalidChecks(pass), undefined);
  await runHealthChecks(pass, []);
  assert.deepEqual(invalidChecks(pass), {
    stage: 'health',
    code: 'HealthCheckInvalid',
    retry: 'never',
    message:
      'The health check for Thing of example.com cannot be read (spec.health.checks[0].current): 1:2: found ). ' +
      'Correct the expression.',
  });
});

test('an object whose check was stopped is Progressing, and is not evaluated again until it changes', async () => {
  const { pass, calls } = scene({
    evaluate() {
      throw sandboxError('Killed');
    },
  });
  const { checked } = await runHealthChecks(pass, [thing('a')]);
  assert.match(checked(thing('a'))?.message ?? '', /^The check for Thing of example\.com was stopped/);
  await runHealthChecks(pass, [thing('a')]);
  assert.equal(calls.filter((call) => call.startsWith('evaluate')).length, 1);
  assert.deepEqual(pass.failures, []);
});

test('while the sandbox is busy no object is Healthy, and the pass is repeated', async () => {
  const { pass } = scene({
    evaluate() {
      throw sandboxError('SandboxBusy');
    },
  });
  const { checked } = await runHealthChecks(pass, [thing('a')]);
  assert.equal(checked(thing('a'))?.status, 'Progressing');
  assert.deepEqual(
    pass.failures.map(({ code, retry }) => [code, retry]),
    [['SandboxBusy', 'backoff']],
  );
});

test('many objects go to the sandbox in parts', async () => {
  const { pass, calls } = scene();
  await runHealthChecks(
    pass,
    Array.from({ length: 1_200 }, (_, index) => thing(`t${index}`)),
  );
  assert.deepEqual(calls.slice(1), ['evaluate 500 for apps', 'evaluate 500 for apps', 'evaluate 200 for apps']);
});
