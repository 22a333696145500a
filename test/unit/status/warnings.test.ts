/** The warnings of a render and of the API server in status. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredStatus } from '../../../src/application/schema.ts';
import { STATUS_LIMITS, statusSchema } from '../../../src/application/status-schema.ts';
import type { ChangeResult, Outcome } from '../../../src/apply/applied.ts';
import type { DesiredObject } from '../../../src/bind/desired.ts';
import type { KindInfo } from '../../../src/cluster/kinds.ts';
import type { Change, ChangeType } from '../../../src/diff/changes.ts';
import { idKey, type ObjectId } from '../../../src/object/identity.ts';
import type { PassReport } from '../../../src/status/report.ts';
import { formatWarning, nextWarnings } from '../../../src/status/warnings.ts';

const KIND: KindInfo = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  isNamespaced: true,
  hasStatus: false,
  isWatchable: true,
};

function changeOf(type: ChangeType, name: string, warnings?: readonly string[]): Change {
  const id: ObjectId = { group: '', kind: 'ConfigMap', namespace: 'shop', name };
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } };
  const desired: DesiredObject = { id, kind: KIND, body, digest: name, file: 'a.yaml', line: 1 };
  const isLeft = type === 'prune' || type === 'release';
  const base: Change = { type, id, kind: KIND, fields: [], ...(isLeft ? {} : { desired }) };
  return warnings === undefined ? base : { ...base, warnings };
}

interface Situation {
  readonly changes?: readonly Change[];
  readonly applied?: readonly ChangeResult[];
  readonly renderWarnings?: readonly string[] | undefined;
  readonly phase?: PassReport['phase'];
  readonly isComplete?: boolean;
}

function reportOf({ changes = [], applied = [], phase = 'ended', isComplete = true, ...rest }: Situation): PassReport {
  const results = new Map(applied.map((result) => [idKey(result.change.id), result]));
  const report = { changes, applied: results, phase, isComplete, renderWarnings: undefined, ...rest };
  return report as unknown as PassReport;
}

function resultOf(change: Change, warnings?: readonly string[], outcome: Outcome = 'configured'): ChangeResult {
  return warnings === undefined ? { change, outcome } : { change, outcome, warnings };
}

function storedWith(warnings: NonNullable<StoredStatus['warnings']>): StoredStatus {
  return { warnings };
}

const A = '/ConfigMap/shop/a';
const OLD_OF_A = { object: A, message: 'old' };

test('warnings of the render come first, each once and without the prefix of kustomize, then those of objects', () => {
  const [b, a] = [changeOf('update', 'b'), changeOf('create', 'a')];
  const report = reportOf({
    changes: [b, a],
    applied: [resultOf(b, ['unknown field "spec.x"']), resultOf(a, ['first', 'second'])],
    renderWarnings: ["# Warning: 'bases' is deprecated.", "# Warning: 'bases' is deprecated."],
  });
  assert.deepEqual(nextWarnings({}, report), [
    { message: "'bases' is deprecated." },
    { object: A, message: 'first' },
    { object: A, message: 'second' },
    { object: '/ConfigMap/shop/b', message: 'unknown field "spec.x"' },
  ]);
});

test('a warning about an object stays while the object is desired and not applied again', () => {
  const report = reportOf({ changes: [changeOf('none', 'a')], renderWarnings: [] });
  assert.deepEqual(nextWarnings(storedWith([OLD_OF_A]), report), [OLD_OF_A]);
});

test('the warnings of a new apply replace the stored ones of the object', () => {
  const change = changeOf('update', 'a');
  const afterApply = (warnings: readonly string[]) =>
    nextWarnings(storedWith([OLD_OF_A]), reportOf({ changes: [change], applied: [resultOf(change, warnings)] }));
  assert.deepEqual(afterApply(['new']), [{ object: A, message: 'new' }]);
  assert.deepEqual(afterApply([]), []);
});

test('a refused apply keeps the stored warnings of the object', () => {
  const change = changeOf('update', 'a');
  const report = reportOf({ changes: [change], applied: [resultOf(change, undefined, 'failed')] });
  assert.deepEqual(nextWarnings(storedWith([OLD_OF_A]), report), [OLD_OF_A]);
});

test('the warnings of a dry run count in a mode that does not apply', () => {
  const report = reportOf({ changes: [changeOf('none', 'a', ['of the dry run'])] });
  assert.deepEqual(nextWarnings(storedWith([OLD_OF_A]), report), [{ object: A, message: 'of the dry run' }]);
});

test('a warning is dropped when its object left Git, is not compared any more, or belongs to another Application', () => {
  for (const changes of [[changeOf('prune', 'a')], [changeOf('none', 'b')], [changeOf('conflict', 'a')], []]) {
    assert.deepEqual(nextWarnings(storedWith([OLD_OF_A]), reportOf({ changes })), []);
  }
});

test('a pass that could not compare keeps all stored warnings', () => {
  const stored = [{ message: 'of the render' }, OLD_OF_A];
  assert.deepEqual(nextWarnings(storedWith(stored), reportOf({ isComplete: false })), stored);
  const begun = reportOf({ phase: 'begun', changes: [changeOf('prune', 'a')], renderWarnings: [] });
  assert.deepEqual(nextWarnings(storedWith(stored), begun), stored);
});

test('a warning is formatted with the object as people read it', () => {
  assert.equal(formatWarning({ object: 'apps/Deployment/shop/web', message: 'x' }), 'Deployment.apps shop/web: x');
  assert.equal(formatWarning({ object: '/Namespace//shop', message: 'x' }), 'Namespace shop: x');
  assert.equal(formatWarning({ message: 'x' }), 'x');
});

test('warnings are bounded in number and length, and stay within the CRD', () => {
  const changes = Array.from({ length: 30 }, (_, n) => changeOf('update', `o${n}`));
  const applied = changes.map((change) => resultOf(change, ['w'.repeat(5000), '\u001b[2Jx']));
  const warnings = nextWarnings({}, reportOf({ changes, applied, renderWarnings: ['r'.repeat(5000)] }));
  assert.equal(warnings.length, STATUS_LIMITS.maxWarnings);
  assert.ok(warnings.every(({ message }) => message.length <= STATUS_LIMITS.maxResourceMessageChars));
  assert.ok(warnings.every(({ message }) => !message.includes('\u001b')));
  assert.ok(statusSchema.safeParse({ warnings }).success);
});
