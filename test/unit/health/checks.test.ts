/** Checks of health that people write: which one counts, what its expressions give, and their errors. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { HealthCheck } from '../../../src/application/health-check.ts';
import { readCheckList } from '../../../src/application/health-check-schema.ts';
import { checksByKind } from '../../../src/health/checks/checks-of.ts';
import { evaluateHealthCheck, readHealthChecks } from '../../../src/health/checks/evaluate.ts';
import { assessHealth, type Health } from '../../../src/health/health.ts';
import type { ValueMap } from '../../../src/object/value.ts';
import { condition, live } from './live-object.ts';

const THING = { apiVersion: 'example.com/v1', kind: 'Thing' };

function healthOf(check: Partial<HealthCheck>, object: ValueMap): Health {
  const objects = [JSON.stringify({ ...THING, metadata: { name: 'web' }, ...object })];
  return evaluateHealthCheck({ check: { ...THING, current: 'false', ...check }, objects })[0] as Health;
}

interface FluxCase {
  readonly check: HealthCheck;
  readonly object: ValueMap;
  readonly flux: 'Current' | 'Failed' | 'InProgress' | 'Error';
}

const STATUS_OF = { Current: 'Healthy', Failed: 'Degraded', InProgress: 'Progressing', Error: 'Progressing' } as const;

/** An object without a status is an error for Flux, which waits as we do. */
test('the documented checks of Flux give the states that the CEL of Flux gives', async () => {
  const file = new URL('flux-checks.json', import.meta.url);
  const cases = JSON.parse(await readFile(file, 'utf8')) as readonly FluxCase[];
  assert.ok(cases.length >= 50);
  for (const { check, object, flux } of cases) {
    const [health] = evaluateHealthCheck({ check, objects: [JSON.stringify(object)] });
    assert.equal(health?.status, STATUS_OF[flux], `${check.kind ?? ''}: ${JSON.stringify(object)}`);
  }
});

test('the first of inProgress, failed and current that is true decides', () => {
  assert.equal(healthOf({ inProgress: 'true', failed: 'true', current: 'true' }, {}).status, 'Progressing');
  assert.equal(healthOf({ inProgress: 'false', failed: 'true', current: 'true' }, {}).status, 'Degraded');
  assert.equal(healthOf({ inProgress: 'false', failed: 'false', current: 'true' }, {}).status, 'Healthy');
  assert.equal(healthOf({ current: 'false' }, {}).status, 'Progressing');
});

test('the message of a check has the reason of the object', () => {
  const status = { conditions: [condition('Ready', 'False', 'NoQuota', 'no volume is left')] };
  assert.deepEqual(healthOf({ failed: 'true' }, { status }), {
    status: 'Degraded',
    message: 'The check failed is true: NoQuota: no volume is left',
  });
});

test('an error is Progressing with the error', () => {
  const { status, message } = healthOf({ current: 'status.phase == "Ready"' }, { status: {} });
  assert.equal(status, 'Progressing');
  assert.equal(message, 'The check current has an error: field not found: phase');
  assert.match(healthOf({ current: '1 + 1' }, {}).message, /neither true nor false/);
  assert.match(healthOf({ failed: '1 +' }, {}).message, /^The check failed has an error: 1:3: found \+/);
});

test('a field that an object lacks can be asked for, and whole numbers are integers of any size', () => {
  assert.equal(healthOf({ current: '!has(status.x) && !has(data.x)' }, {}).status, 'Healthy');
  const large = { status: { seen: 9_007_199_254_740_991, ratio: 0.5 } };
  assert.equal(
    healthOf({ current: 'status.seen + 1 == 9007199254740992 && status.ratio < 1.0' }, large).status,
    'Healthy',
  );
});

test('an expression that is no CEL, or that nests three loops, is named by its check and field', () => {
  const nested = '[1].all(a, [1].all(b, [1].all(c, a == b && b == c)))';
  const invalid = readHealthChecks([
    { ...THING, current: 'true' },
    { ...THING, failed: 'status.', current: nested },
  ]);
  assert.deepEqual(
    invalid.map(({ index, field }) => [index, field]),
    [
      [1, 'failed'],
      [1, 'current'],
    ],
  );
  assert.match(invalid[1]?.message ?? '', /nests more than 2/);
  assert.deepEqual(readHealthChecks([{ ...THING, current: '[1].all(a, [1].all(b, a == b))' }]), []);
});

test('a pattern of an expression takes no time that grows with its repetitions', () => {
  const object = { status: { text: 'a'.repeat(10_000) } };
  assert.equal(healthOf({ current: "status.text.matches('^(a+)+$')" }, object).status, 'Healthy');
});

test('the check of the Application comes before that of the agent, and a kind before its group', () => {
  const named = (current: string, kind?: string): HealthCheck => ({
    apiVersion: THING.apiVersion,
    current,
    ...(kind ? { kind } : {}),
  });
  const own = checksByKind([
    [named('own group'), named('own kind', 'Thing'), named('second', 'Thing')],
    [named('common kind', 'Other')],
  ]);
  assert.equal(own.checkOf({ group: 'example.com', kind: 'Thing' })?.current, 'own kind');
  assert.equal(own.checkOf({ group: 'example.com', kind: 'Other' })?.current, 'own group');
  assert.equal(own.checkOf({ group: '', kind: 'Thing' }), undefined);
  const common = checksByKind([[], [named('common kind', 'Thing')]]);
  assert.equal(common.checkOf({ group: 'example.com', kind: 'Thing' })?.current, 'common kind');
});

test('a check decides before the rules of the kind, but after a deletion and an unseen generation', () => {
  const checked = (): Health => ({ status: 'Degraded', message: 'by a check' });
  const certificate = (metadata: ValueMap, observedGeneration = 1) =>
    live('cert-manager.io/v1', 'Certificate', {
      metadata: { generation: 1, ...metadata },
      status: { observedGeneration, conditions: [condition('Ready', 'True')] },
    });
  assert.equal(assessHealth(certificate({}), { checked }).message, 'by a check');
  assert.equal(assessHealth(certificate({}), { checked: () => undefined }).status, 'Healthy');
  assert.match(assessHealth(certificate({ generation: 2 }), { checked }).message, /has not seen the latest change/);
  assert.match(
    assessHealth(certificate({ deletionTimestamp: '2026-01-01T00:00:00Z' }), { checked }).message,
    /^Termin/,
  );
});

test('a list of checks with a field that no check has is refused with its place', () => {
  assert.ok(readCheckList([{ ...THING, current: 'true' }]).ok);
  const refused = readCheckList([{ ...THING, current: 'true', wait: true }]);
  assert.match(refused.ok ? '' : refused.problem, /^\[0\].*wait/);
  const version = readCheckList([{ kind: 'Thing', apiVersion: 'example.com', current: 'true' }]);
  assert.match(version.ok ? '' : version.problem, /^\[0\]\.apiVersion/);
});
