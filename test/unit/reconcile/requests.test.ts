/** How a request changes what a pass does, and when it is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseApplication } from '../../../src/application/parse.ts';
import type { Application } from '../../../src/application/schema.ts';
import { idKey, type ObjectId } from '../../../src/object/identity.ts';
import type { Value } from '../../../src/object/value.ts';
import { goalAtRevision, goalForObjects, readGoal } from '../../../src/reconcile/requests.ts';

const OLD = '1'.repeat(40);
const NEW = '2'.repeat(40);
const at = (commit: string) => ({ revision: `main@sha1:${commit}`, commit });

interface Scene {
  readonly request: Record<string, Value>;
  readonly mode?: string;
  readonly answered?: Record<string, Value>;
}

function applicationOf({ request, mode = 'auto', answered }: Scene): Application {
  const annotation = JSON.stringify({ id: 'one', ...request });
  const parsed = parseApplication({
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { namespace: 'apps', name: 'shop', annotations: { 'tautline.dev/request': annotation } },
    spec: { source: { repoURL: 'https://git.example.com/shop.git' }, sync: { mode } },
    status: {
      sync: { status: 'OutOfSync', revision: at(OLD).revision },
      ...(answered ? { lastRequest: answered } : {}),
    },
  });
  assert.ok(parsed.ok);
  return parsed.application;
}

test('a confirmation holds for the revision that the status showed', () => {
  const application = applicationOf({ request: { action: 'confirm-prune' } });
  const heard = goalAtRevision(readGoal(application), application, at(OLD));
  assert.equal(heard.confirmsPrune, true);
  assert.equal(heard.request?.refusal, undefined);
});

test('where Git has moved on, a confirmation is refused for good', () => {
  const application = applicationOf({ request: { action: 'confirm-prune' } });
  const heard = goalAtRevision(readGoal(application), application, at(NEW));
  assert.equal(heard.confirmsPrune, false);
  assert.match(heard.request?.refusal ?? '', /main@sha1:2/);
});

test('in mode manual nothing is written but for a sync that is not answered yet', () => {
  const intentOf = (scene: Omit<Scene, 'mode'>) => readGoal(applicationOf({ mode: 'manual', ...scene })).intent;
  assert.equal(intentOf({ request: { action: 'refresh' } }).mode, 'manual');
  assert.equal(intentOf({ request: { action: 'sync' } }).mode, 'auto');
  assert.equal(intentOf({ request: { action: 'confirm-prune' } }).mode, 'auto');
  for (const outcome of ['Succeeded', 'Failed', 'Refused']) {
    assert.equal(intentOf({ request: { action: 'sync' }, answered: { id: 'one', outcome } }).mode, 'manual');
  }
  const underWay = { request: { action: 'sync' }, answered: { id: 'one', outcome: 'InProgress' } };
  assert.equal(intentOf(underWay).mode, 'auto');
  assert.equal(readGoal(applicationOf({ mode: 'manual', ...underWay })).isForced, false);
  const superseding = { request: { action: 'sync' }, answered: { id: 'other', outcome: 'Succeeded' } };
  assert.equal(intentOf(superseding).mode, 'auto');
});

test('the options of a sync hold for as long as it is not answered', () => {
  const request = { action: 'sync', revision: NEW, prune: false, objects: ['/ConfigMap/shop/a'] };
  const asked = readGoal(applicationOf({ mode: 'manual', request }));
  assert.equal(asked.commit, NEW);
  assert.equal(asked.intent.prune, false);
  assert.deepEqual(asked.intent.objects, new Set(['/ConfigMap/shop/a']));
  const after = readGoal(applicationOf({ mode: 'manual', request, answered: { id: 'one', outcome: 'Succeeded' } }));
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
    const { intent, request: heard } = readGoal(applicationOf({ mode: 'detect', request }));
    assert.match(heard?.refusal ?? '', /spec\.sync\.mode is detect/);
    assert.equal(intent.mode, 'detect');
  }
});

test('in mode auto only the revision that is followed can be asked for, but any can be tried', () => {
  const sync = applicationOf({ request: { action: 'sync', revision: OLD } });
  const asked = readGoal(sync);
  assert.equal(asked.commit, undefined);
  assert.equal(goalAtRevision(asked, sync, at(OLD)).request?.refusal, undefined);
  const refused = goalAtRevision(asked, sync, at(NEW));
  assert.match(refused.request?.refusal ?? '', /mode is auto, so main@sha1:2/);
  const trial = readGoal(applicationOf({ request: { action: 'sync', revision: OLD, dryRun: true } }));
  assert.equal(trial.commit, OLD);
  assert.equal(trial.isDryRun, true);
});

test('objects that nobody knows are refused by name, and nothing of the request is done', () => {
  const known: ObjectId = { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'a' };
  const objects = [idKey(known), 'apps/Deployment/shop/nobody'];
  const application = applicationOf({ mode: 'manual', request: { action: 'sync', objects } });
  const changes = [{ type: 'update', id: known, kind: undefined, fields: [] }] as const;
  const heard = goalForObjects(readGoal(application), application, changes);
  assert.match(heard.request?.refusal ?? '', /apps\/Deployment\/shop\/nobody/);
  assert.doesNotMatch(heard.request?.refusal ?? '', /ConfigMap/);
  assert.equal(heard.intent.mode, 'manual');
});

test('a token that status cannot hold is heard once, by what it can hold of it', () => {
  const application = applicationOf({ request: { action: 'refresh' } });
  const annotations = { 'reconcile.fluxcd.io/requestedAt': `\x1b[2J${'x'.repeat(100_000)}` };
  const metadata = { ...application.metadata, annotations };
  const { isForced, reconcileAt = '' } = readGoal({ ...application, metadata });
  assert.ok(isForced);
  assert.ok(reconcileAt.length <= 4096 && reconcileAt.startsWith('\\u001b'));
  const status = { ...application.status, lastHandledReconcileAt: reconcileAt };
  assert.equal(readGoal({ ...application, metadata, status }).isForced, false);
});

test('only the request take-over takes objects over, and only until it is answered', () => {
  const takesOver = (scene: Scene): boolean => readGoal(applicationOf(scene)).takesOver;
  assert.equal(takesOver({ request: { action: 'take-over' } }), true);
  assert.equal(takesOver({ request: { action: 'sync' } }), false);
  assert.equal(takesOver({ request: { action: 'confirm-prune' } }), false);
  const answered = { id: 'one', outcome: 'Succeeded' };
  assert.equal(takesOver({ request: { action: 'take-over' }, answered }), false);
});
