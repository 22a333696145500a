/** How a request changes what a pass does, and when it is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application } from '../../../src/application/schema.ts';
import { idKey, type ObjectId } from '../../../src/object/identity.ts';
import type { Value } from '../../../src/object/value.ts';
import { goalAtRevision, goalForObjects, readGoal } from '../../../src/reconcile/requests.ts';
import { applicationOf } from '../../support/applications.ts';

const OLD = '1'.repeat(40);
const NEW = '2'.repeat(40);
const at = (commit: string) => ({ revision: `main@sha1:${commit}`, commit });

interface Scene {
  readonly request: Record<string, Value>;
  readonly mode?: string;
  readonly answered?: Record<string, Value>;
  readonly held?: Record<string, Value>;
  /** Generation of the spec; status has observed generation 1. */
  readonly generation?: number;
}

function asking({ request, mode = 'auto', answered, held, generation = 1 }: Scene): Application {
  const annotation = JSON.stringify({ id: 'one', ...request });
  return applicationOf({
    metadata: { generation, annotations: { 'tautline.dev/request': annotation } },
    spec: { sync: { mode } },
    status: {
      observedGeneration: 1,
      sync: { status: 'OutOfSync', revision: at(OLD).revision },
      ...(held ? { pruneGuard: { held } } : {}),
      ...(answered ? { lastRequest: answered } : {}),
    },
  });
}

const HELD = { digest: 'd'.repeat(43), objects: 12, revision: at(OLD).revision };

/** Whether a confirmation is heard, or the reason to refuse it. */
function hear(scene: Scene, commit = OLD): string {
  const application = asking(scene);
  const { confirmation, request } = goalAtRevision(readGoal(application), application, at(commit));
  return confirmation ? 'heard' : (request?.refusal ?? 'not heard');
}

const CONFIRMATIONS: readonly [
  name: string,
  scene: Omit<Scene, 'request'> & { more?: object; commit?: string },
  RegExp,
][] = [
  ['at the revision that status shows', { held: HELD }, /^heard$/],
  ['where nothing is held', {}, /no prune is held/],
  ['after Git has moved on', { held: HELD, commit: NEW }, /held prune is that of main@sha1:1.* this is main@sha1:2/],
  ['after the spec was edited', { held: HELD, generation: 2 }, /spec has changed/],
  ['with the digest of status', { held: HELD, more: { digest: HELD.digest } }, /^heard$/],
  ['with another digest', { held: HELD, more: { digest: 'e'.repeat(43) } }, /digest of the request is not that/],
  ['with a revision that is not followed', { held: HELD, more: { revision: OLD }, commit: NEW }, /held prune is that/],
  ['of a rollback without its revision', { held: HELD, mode: 'manual', commit: NEW }, /its commit as revision/],
  ['of a rollback with its revision', { held: HELD, mode: 'manual', more: { revision: OLD } }, /^heard$/],
  ['that is under way', { answered: { id: 'one', outcome: 'InProgress' } }, /^heard$/],
];

for (const [name, { more, commit, ...scene }, expected] of CONFIRMATIONS) {
  test(`a confirmation ${name} is ${expected.source === '^heard$' ? 'heard' : 'refused'}`, () => {
    assert.match(hear({ ...scene, request: { action: 'confirm-prune', ...more } }, commit), expected);
  });
}

test('the confirmation of a rollback applies the commit that it names', () => {
  const request = { action: 'confirm-prune', revision: OLD };
  assert.equal(readGoal(asking({ held: HELD, mode: 'manual', request })).commit, OLD);
});

test('in mode manual only a sync that is not answered yet writes', () => {
  const intentOf = (scene: Omit<Scene, 'mode'>) => readGoal(asking({ mode: 'manual', ...scene })).intent;
  assert.equal(intentOf({ request: { action: 'refresh' } }).mode, 'manual');
  assert.equal(intentOf({ request: { action: 'sync' } }).mode, 'auto');
  assert.equal(intentOf({ request: { action: 'confirm-prune' }, held: HELD }).mode, 'auto');
  for (const outcome of ['Succeeded', 'Failed', 'Refused']) {
    assert.equal(intentOf({ request: { action: 'sync' }, answered: { id: 'one', outcome } }).mode, 'manual');
  }
  const underWay = { request: { action: 'sync' }, answered: { id: 'one', outcome: 'InProgress' } };
  assert.equal(intentOf(underWay).mode, 'auto');
  assert.equal(readGoal(asking({ mode: 'manual', ...underWay })).isForced, false);
  const superseding = { request: { action: 'sync' }, answered: { id: 'other', outcome: 'Succeeded' } };
  assert.equal(intentOf(superseding).mode, 'auto');
});

test('the options of a sync hold until it is answered', () => {
  const request = { action: 'sync', revision: NEW, prune: false, objects: ['/ConfigMap/shop/a'] };
  const asked = readGoal(asking({ mode: 'manual', request }));
  assert.equal(asked.commit, NEW);
  assert.equal(asked.intent.prune, false);
  assert.deepEqual(asked.intent.objects, new Set(['/ConfigMap/shop/a']));
  const after = readGoal(asking({ mode: 'manual', request, answered: { id: 'one', outcome: 'Succeeded' } }));
  assert.equal(after.commit, undefined);
  assert.equal(after.intent.prune, true);
  assert.equal(after.intent.objects, undefined);
});

test('mode detect refuses what would write', () => {
  for (const request of [
    { action: 'sync' },
    { action: 'sync', dryRun: true },
    { action: 'confirm-prune' },
    { action: 'take-over' },
  ]) {
    const { intent, request: heard } = readGoal(asking({ mode: 'detect', request }));
    assert.match(heard?.refusal ?? '', /spec\.sync\.mode is detect/);
    assert.equal(intent.mode, 'detect');
  }
});

test('in mode auto a sync may name the followed revision only, and a dry run any revision', () => {
  const sync = asking({ request: { action: 'sync', revision: OLD } });
  const asked = readGoal(sync);
  assert.equal(asked.commit, undefined);
  assert.equal(goalAtRevision(asked, sync, at(OLD)).request?.refusal, undefined);
  const refused = goalAtRevision(asked, sync, at(NEW));
  assert.match(refused.request?.refusal ?? '', /mode is auto, so main@sha1:2/);
  const trial = readGoal(asking({ request: { action: 'sync', revision: OLD, dryRun: true } }));
  assert.equal(trial.commit, OLD);
  assert.equal(trial.isDryRun, true);
});

test('a request that names unknown objects is refused as a whole, with their names', () => {
  const known: ObjectId = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'a' };
  const objects = [idKey(known), 'apps/Deployment/shop/nobody'];
  const application = asking({ mode: 'manual', request: { action: 'sync', objects } });
  const changes = [{ type: 'update', id: known, kind: undefined, fields: [] }] as const;
  const heard = goalForObjects(readGoal(application), application, changes);
  assert.match(heard.request?.refusal ?? '', /apps\/Deployment\/shop\/nobody/);
  assert.doesNotMatch(heard.request?.refusal ?? '', /ConfigMap/);
  assert.equal(heard.intent.mode, 'manual');
});

test('a token that is too long for status is acknowledged once, cut to the length that fits', () => {
  const application = asking({ request: { action: 'refresh' } });
  const annotations = { 'reconcile.fluxcd.io/requestedAt': `\x1b[2J${'x'.repeat(100_000)}` };
  const metadata = { ...application.metadata, annotations };
  const { isForced, reconcileAt = '' } = readGoal({ ...application, metadata });
  assert.ok(isForced);
  assert.ok(reconcileAt.length <= 4096 && reconcileAt.startsWith('\\u001b'));
  const status = { ...application.status, lastHandledReconcileAt: reconcileAt };
  assert.equal(readGoal({ ...application, metadata, status }).isForced, false);
});

test('only the request take-over takes objects over, and only until it is answered', () => {
  const takesOver = (scene: Scene): boolean => readGoal(asking(scene)).takesOver;
  assert.equal(takesOver({ request: { action: 'take-over' } }), true);
  assert.equal(takesOver({ request: { action: 'sync' } }), false);
  assert.equal(takesOver({ request: { action: 'confirm-prune' } }), false);
  const answered = { id: 'one', outcome: 'Succeeded' };
  assert.equal(takesOver({ request: { action: 'take-over' }, answered }), false);
});
