/** `suspend` and `resume`: one write, and a wait for a status about this write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UserCluster } from '../../../src/cluster/user-cluster.ts';
import { setSuspended } from '../../../src/cli/suspend.ts';
import type { KubeObject, ValueMap } from '../../../src/object/value.ts';
import { accessTo, application, printed } from './fake-cluster.ts';

const ready = (reason: string): ValueMap => ({
  ...{ type: 'Ready', status: 'False', reason, message: 'm', lastTransitionTime: '2026-03-01T12:00:00Z' },
});

/** The Application at a generation of its spec, with a status about another one. */
function at(generation: number, suspend: boolean, observedGeneration: number, reason: string): KubeObject {
  const found = application({ observedGeneration, conditions: [ready(reason)] }, { suspend });
  return { ...found, metadata: { ...found.metadata, generation } };
}

/** `states` are those that a watch shows after the write. */
function scene(before: KubeObject, states: readonly (KubeObject | undefined)[]) {
  const writes: boolean[] = [];
  const more: Partial<UserCluster> = {
    setSuspended: (_name, isSuspended) => {
      writes.push(isSuspended);
      return Promise.resolve({ ok: true, value: at(2, isSuspended, 1, 'ReconciliationSucceeded') });
    },
    async *followApplication() {
      yield* states;
    },
  };
  return { access: accessTo([before], more), writes };
}

const RUNNING = at(1, false, 1, 'ReconciliationSucceeded');

test('suspend waits for a status about the spec that it wrote', async (t) => {
  const output = printed(t);
  const states = [at(2, true, 1, 'Suspended'), at(2, true, 2, 'Progressing'), at(2, true, 2, 'Suspended')];
  const { access, writes } = scene(RUNNING, states);
  assert.equal(await setSuspended(access, { name: 'shop', isSuspended: true, timeoutMs: 1_000 }), 0);
  assert.deepEqual(writes, [true]);
  assert.equal(output().stdout, 'application.tautline.dev/shop suspended\n');
});

test('the wait ends with 3 if the status stays that of an earlier spec', async (t) => {
  const output = printed(t);
  const { access } = scene(RUNNING, [at(2, true, 1, 'Suspended')]);
  assert.equal(await setSuspended(access, { name: 'shop', isSuspended: true, timeoutMs: 1_000 }), 3);
  assert.match(output().stderr, /shop: the agent has not taken up the change within the timeout/);
});

test('resume waits until the Application is not suspended, and --no-wait only writes', async (t) => {
  const output = printed(t);
  const suspended = at(1, true, 1, 'Suspended');
  const waiting = scene(suspended, [at(2, false, 1, 'Suspended'), at(2, false, 2, 'Progressing')]);
  assert.equal(await setSuspended(waiting.access, { name: 'shop', isSuspended: false, timeoutMs: 1_000 }), 0);
  const written = scene(suspended, []);
  assert.equal(await setSuspended(written.access, { name: 'shop', isSuspended: false, timeoutMs: undefined }), 0);
  assert.equal(output().stdout, 'application.tautline.dev/shop resumed\n'.repeat(2));
});

test('nothing is written if the state is already the wanted one, or if the Application is gone', async (t) => {
  const output = printed(t);
  const { access, writes } = scene(RUNNING, []);
  assert.equal(await setSuspended(access, { name: 'shop', isSuspended: false, timeoutMs: 1_000 }), 0);
  assert.equal(output().stdout, 'application.tautline.dev/shop is not suspended\n');
  assert.equal(await setSuspended(access, { name: 'shpo', isSuspended: true, timeoutMs: 1_000 }), 1);
  assert.match(output().stderr, /did you mean shop\?\n$/);
  assert.deepEqual(writes, []);
});

test('a change by another client and a deletion end the wait at once', async (t) => {
  const output = printed(t);
  const taken = scene(RUNNING, [at(3, false, 1, 'Progressing')]);
  assert.equal(await setSuspended(taken.access, { name: 'shop', isSuspended: true, timeoutMs: 1_000 }), 1);
  const gone = scene(RUNNING, [undefined]);
  assert.equal(await setSuspended(gone.access, { name: 'shop', isSuspended: true, timeoutMs: 1_000 }), 1);
  assert.match(output().stderr, /another client has set spec\.suspend to false[^]*the Application shop was deleted/);
});
