/** Which revision is in force: by what status holds, by the request, and by what is followed now. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Application } from '../../../src/application/schema.ts';
import type { Value } from '../../../src/object/value.ts';
import { goalUnderHold, withoutNewHold } from '../../../src/reconcile/hold-goal.ts';
import { readGoal, type PassGoal } from '../../../src/reconcile/requests.ts';
import { applicationOf } from '../../support/applications.ts';

const [OLDER, OLD, NEW, NEWER] = ['0', '1', '2', '3'].map((digit) => digit.repeat(40)) as [
  string,
  string,
  string,
  string,
];
const set = (commit: string) => ({ revision: `main@sha1:${commit}` });
const now = '2026-03-01T00:00:00Z';
const HOLD = { ...set(OLD), over: set(NEW), reason: 'Requested', requestId: 'before', since: '2026-02-01T00:00:00Z' };

interface Scene {
  readonly request?: Record<string, Value>;
  readonly hold?: Record<string, Value>;
  readonly answered?: string;
  readonly mode?: string;
}

function scene({ request, hold, answered, mode = 'auto' }: Scene): Application {
  const annotations = request ? { 'tautline.dev/request': JSON.stringify({ id: 'one', ...request }) } : {};
  return applicationOf({
    metadata: { annotations },
    spec: { sync: { mode } },
    status: {
      sync: { status: 'Synced', revision: set(NEW).revision },
      history: [{ ...set(OLD), startedAt: now, outcome: 'Succeeded' }],
      ...(hold ? { hold } : {}),
      ...(answered === undefined ? {} : { lastRequest: { id: 'one', outcome: answered } }),
    },
  });
}

function goalOf(options: Scene, followed: string | undefined = NEW): PassGoal {
  const application = scene(options);
  return goalUnderHold({
    goal: readGoal(application),
    application,
    followed: followed === '' ? undefined : set(followed),
    now,
  });
}

const ROLLBACK = { action: 'rollback', revision: OLD };

test('a rollback holds the commit under the name that the history has for it, over the followed revision', () => {
  const { hold, commit, intent } = goalOf({ request: { ...ROLLBACK, reason: 'it fails', by: 'ada' } });
  assert.equal(commit, OLD);
  assert.deepEqual(hold, {
    ...set(OLD),
    over: set(NEW),
    reason: 'Requested',
    message: 'it fails',
    by: 'ada',
    requestId: 'one',
    since: now,
  });
  assert.deepEqual(intent, { mode: 'auto', prune: true, objects: undefined });
  assert.equal(goalOf({ request: { action: 'rollback', revision: OLDER } }).hold?.revision, `sha1:${OLDER}`);
});

test('a hold stays for as long as the same commit is followed, and while Git cannot be read', () => {
  for (const mode of ['auto', 'manual', 'detect']) {
    assert.equal(goalOf({ hold: HOLD, mode }).commit, OLD);
    assert.equal(goalOf({ hold: HOLD, mode }, '').commit, OLD);
  }
});

test('a hold ends with another commit, also with the held one, whatever the mode', () => {
  for (const followed of [NEWER, OLD, OLDER]) {
    for (const mode of ['auto', 'manual', 'detect']) {
      const { hold, commit } = goalOf({ hold: { ...HOLD, prune: false }, mode }, followed);
      assert.deepEqual([hold, commit], [undefined, undefined]);
    }
  }
  assert.equal(goalOf({ hold: { ...HOLD, prune: false } }, NEWER).intent.prune, true);
});

test('a hold decides about prunes, unless a request names the option', () => {
  const hold = { ...HOLD, prune: false };
  assert.equal(goalOf({ hold }).intent.prune, false);
  assert.equal(goalOf({ hold, request: { action: 'sync' } }).intent.prune, false);
  assert.equal(goalOf({ hold, request: { action: 'sync', prune: true } }).intent.prune, true);
  assert.equal(goalOf({ request: { ...ROLLBACK, prune: false } }).hold?.prune, false);
});

test('release ends a hold, and is refused where nothing is held', () => {
  const request = { action: 'release' };
  const released = goalOf({ hold: { ...HOLD, prune: false }, request });
  assert.deepEqual([released.hold, released.commit, released.request?.refusal], [undefined, undefined, undefined]);
  assert.equal(released.intent.prune, true);
  assert.match(goalOf({ request }).request?.refusal ?? '', /no revision is held/);
  assert.equal(goalOf({ request, answered: 'InProgress' }).request?.refusal, undefined);
  assert.equal(goalOf({ hold: HOLD, request, mode: 'manual' }).intent.mode, 'manual');
});

test('a rollback that takes several passes begins one hold, and is refused once a newer commit has ended it', () => {
  const hold = { ...HOLD, requestId: 'one' };
  const underWay = { request: ROLLBACK, answered: 'InProgress' };
  assert.equal(goalOf({ ...underWay, hold }).hold?.since, HOLD.since);
  const ended = goalOf({ ...underWay, hold }, NEWER);
  assert.equal(ended.hold, undefined);
  assert.match(ended.request?.refusal ?? '', /newer commit is followed/);
});

test('a rollback replaces another, and is still over the followed revision', () => {
  const { hold } = goalOf({ hold: HOLD, request: { action: 'rollback', revision: OLDER } });
  assert.deepEqual([hold?.revision, hold?.over], [`sha1:${OLDER}`, set(NEW)]);
});

test('a rollback to the followed revision is refused, and the hold stays', () => {
  const refused = goalOf({ hold: HOLD, request: { action: 'rollback', revision: NEW } });
  assert.match(refused.request?.refusal ?? '', /is the followed revision; to apply it again: tautline release shop/);
  assert.equal(refused.commit, OLD);
  assert.match(goalOf({ request: { action: 'rollback', revision: NEW } }).request?.refusal ?? '', /sync it/);
});

test('mode detect refuses a rollback', () => {
  assert.match(goalOf({ mode: 'detect', request: ROLLBACK }).request?.refusal ?? '', /mode is detect/);
});

test('a rollback to a commit that cannot be read is refused, and the hold of before stays', () => {
  const application = scene({ hold: HOLD, request: { action: 'rollback', revision: OLDER } });
  const question = { goal: readGoal(application), application, followed: set(NEW), now };
  const refused = withoutNewHold(question, 'it is not there');
  assert.match(refused.request?.refusal ?? '', /cannot be read: it is not there/);
  assert.equal(refused.commit, OLD);
});

test('a hold names an earlier commit exactly while its own followed commit is followed', () => {
  const commits = fc.constantFrom(OLDER, OLD, NEW, NEWER);
  fc.assert(
    fc.property(commits, commits, fc.option(commits, { nil: '' }), (held, over, followed) => {
      const { hold, commit } = goalOf({ hold: { ...HOLD, ...set(held), over: set(over) } }, followed);
      const stands = followed === '' || followed === over;
      assert.equal(hold !== undefined, stands);
      assert.equal(commit, stands ? held : undefined);
    }),
  );
});
