/**
 * A plan that is interrupted by something newer. `untilNewer` looks every 250 ms, so each test ends with a look and
 * waits for no time of its own.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { agentIdentity } from '../../../../src/cluster/identity.ts';
import type { KubeObject, ValueMap } from '../../../../src/object/value.ts';
import { untilNewer, type Interruptible } from '../../../../src/reconcile/effect/until-newer.ts';
import { emptyMemory } from '../../../../src/reconcile/memory.ts';
import { applicationOf, REPOSITORY, snapshotOf, sourceOf, storedOf } from '../../../support/applications.ts';
import { createClock } from '../../../support/clock.ts';
import { NO_LABELLED_SECRETS } from '../../../support/reading.ts';
import { recordMetrics } from '../../../support/recorders.ts';

const SNAPSHOT = snapshotOf('1');

interface Scene {
  readonly pass: Interruptible;
  /** Calls of the source. */
  readonly polls: string[];
  /** Replaces the stored Application. */
  readonly store: (metadata: ValueMap, status?: ValueMap) => void;
  /** Calls `then` at the given look at the stored Application. */
  readonly atLook: (look: number, then: () => void) => void;
}

interface SceneOptions {
  readonly commit?: string;
  /** The digit of the commit that a poll finds. */
  readonly polled?: string;
  /** Whether a poll is due. */
  readonly isDue?: boolean;
  readonly signal?: AbortSignal;
  /** The answer of a poll in place of the commit `polled`. */
  readonly poll?: (signal: AbortSignal) => Promise<never>;
}

/** The Application `apps/shop`, whose source was polled at the commit of `SNAPSHOT`. */
function scene({ commit, polled = '1', isDue = false, signal, poll }: SceneOptions = {}): Scene {
  const base = storedOf();
  let stored: KubeObject = base;
  let looks = 0;
  const hooks = new Map<number, () => void>();
  const memory = emptyMemory();
  memory.desired.source = sourceOf({
    key: `${REPOSITORY} HEAD`,
    snapshot: SNAPSHOT,
    nextPollMs: isDue ? 0 : 1e9,
  });
  const polls: string[] = [];
  const record = {
    signals: {
      hookHeardMs: undefined,
      hooksDoubtedMs: undefined,
      dataChangedMs: -Infinity,
      pollsAsked: 0,
      askedMs: 0,
      isForgetAsked: false,
      entrusted: new Map(),
    },
    get stored() {
      hooks.get(++looks)?.();
      return stored;
    },
  };
  return {
    polls,
    store: (metadata, status) => (stored = storedOf({ metadata, ...(status && { status }) })),
    atLook: (look, then) => hooks.set(look, then),
    pass: {
      application: applicationOf(),
      identity: agentIdentity,
      base,
      record,
      goal: { commit },
      memory,
      signal: signal ?? new AbortController().signal,
      isCutShort: false,
      context: {
        clock: createClock(),
        chance: () => 0.5,
        metrics: recordMetrics(),
        settings: { pollJitter: 0, minPollBackoffMs: 1, maxPollBackoffMs: 1 },
        hub: {
          as: () => ({ readSecret: async () => ({ ok: true, data: undefined }) }),
          credentialSecrets: NO_LABELLED_SECRETS,
        },
        sourceWhileApplying: {
          recall: async () => undefined,
          async poll(request) {
            polls.push('poll');
            return poll && request.signal ? poll(request.signal) : snapshotOf(polled);
          },
          async fetch({ resolved }) {
            polls.push('fetch');
            return { ...snapshotOf(polled), ...resolved };
          },
        },
      },
    },
  };
}

/** Work that lasts until it is interrupted. */
const untilAborted = (signal: AbortSignal): Promise<string> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve('interrupted')));

/** Work that lasts until the second look has been made. */
function throughTwoLooks({ atLook }: Scene): (signal: AbortSignal) => Promise<string> {
  return (signal) =>
    new Promise((resolve) => {
      atLook(2, () => resolve('done'));
      signal.addEventListener('abort', () => resolve('interrupted'));
    });
}

test('work that ends before the first look is not cut short', async () => {
  const { pass, polls } = scene({ isDue: true, polled: '2' });
  assert.equal(await untilNewer(pass, SNAPSHOT, async () => 'done'), 'done');
  assert.equal(pass.isCutShort, false);
  assert.deepEqual(polls, []);
});

const WISHES: readonly (readonly [string, ValueMap])[] = [
  ['a new spec', { generation: 2 }],
  ['a new request', { annotations: { 'tautline.dev/request': '{"id":"1","action":"refresh"}' } }],
  ['the deletion of the Application', { deletionTimestamp: '2026-01-01T00:00:00Z' }],
];
for (const [what, metadata] of WISHES) {
  test(`${what} interrupts the work`, async () => {
    const { pass, store } = scene();
    store(metadata);
    assert.equal(await untilNewer(pass, SNAPSHOT, untilAborted), 'interrupted');
    assert.equal(pass.isCutShort, true);
  });
}

test('a newer status or label does not interrupt the work', async () => {
  const it = scene();
  it.store({ resourceVersion: '9', labels: { a: 'b' } }, { observedGeneration: 1 });
  assert.equal(await untilNewer(it.pass, SNAPSHOT, throughTwoLooks(it)), 'done');
  assert.equal(it.pass.isCutShort, false);
});

test('a newer commit interrupts the work, and is remembered for the next pass', async () => {
  const { pass, polls } = scene({ isDue: true, polled: '2' });
  assert.equal(await untilNewer(pass, SNAPSHOT, untilAborted), 'interrupted');
  assert.equal(pass.isCutShort, true);
  assert.deepEqual(polls, ['poll', 'fetch']);
  assert.equal(pass.memory.desired.source?.snapshot?.commit, snapshotOf('2').commit);
});

test('a poll that finds the same commit does not interrupt the work', async () => {
  const it = scene({ isDue: true });
  assert.equal(await untilNewer(it.pass, SNAPSHOT, throughTwoLooks(it)), 'done');
  assert.deepEqual(it.polls, ['poll']);
  assert.equal(it.pass.isCutShort, false);
});

const UNPOLLED: readonly (readonly [string, (it: Scene) => void, SceneOptions, typeof SNAPSHOT | undefined])[] = [
  ['no poll is due', () => undefined, {}, SNAPSHOT],
  ['a request names the commit', () => undefined, { isDue: true, commit: SNAPSHOT.commit }, SNAPSHOT],
  ['the pass has no snapshot', () => undefined, { isDue: true }, undefined],
  ['the memory was dropped', ({ pass }) => (pass.memory.desired.source = undefined), { isDue: true }, SNAPSHOT],
];
for (const [why, prepare, options, snapshot] of UNPOLLED) {
  test(`the source is not asked where ${why}`, async () => {
    const it = scene({ polled: '2', ...options });
    prepare(it);
    assert.equal(await untilNewer(it.pass, snapshot, throughTwoLooks(it)), 'done');
    assert.deepEqual(it.polls, []);
    assert.equal(it.pass.isCutShort, false);
  });
}

test('the error of the work is passed on', async () => {
  const { pass } = scene();
  const failing = untilNewer(pass, SNAPSHOT, () => Promise.reject(new RangeError('a defect')));
  await assert.rejects(failing, RangeError);
  assert.equal(pass.isCutShort, false);
});

test('a poll that is under way when the work ends is given up without an error', async () => {
  const polling = Promise.withResolvers<string>();
  const { pass } = scene({
    isDue: true,
    poll: (signal) => {
      polling.resolve('done');
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('the poll was aborted')));
      });
    },
  });
  const before = pass.memory.desired.source;
  assert.equal(await untilNewer(pass, SNAPSHOT, () => polling.promise), 'done');
  assert.equal(pass.isCutShort, false);
  assert.equal(pass.memory.desired.source, before);
});

test('a poll that fails does not interrupt the work', async () => {
  const it = scene({ isDue: true, poll: () => Promise.reject(new Error('down')) });
  assert.equal(await untilNewer(it.pass, SNAPSHOT, throughTwoLooks(it)), 'done');
  assert.equal(it.pass.memory.desired.source?.failures, 1);
  assert.equal(it.pass.isCutShort, false);
});

test('a defect in a look ends the pass once the work has ended', async () => {
  const failing = Promise.withResolvers<void>();
  const { pass } = scene();
  const monotonicMs = (): never => {
    failing.resolve();
    throw new RangeError('a defect');
  };
  const context = { ...pass.context, clock: { now: () => 0, monotonicMs } };
  let hasEnded = false;
  const work = async (): Promise<void> => {
    await failing.promise;
    // An unhandled rejection would be reported by now.
    await setImmediate();
    hasEnded = true;
  };
  await assert.rejects(untilNewer({ ...pass, context }, SNAPSHOT, work), RangeError);
  assert.equal(hasEnded, true);
});

test('the end of the agent ends the looks', async () => {
  const agent = new AbortController();
  const it = scene({ signal: agent.signal });
  it.store({ generation: 2 });
  it.atLook(1, () => assert.fail('the stored Application was looked at'));
  agent.abort();
  assert.equal(await untilNewer(it.pass, SNAPSHOT, async () => 'done'), 'done');
  assert.equal(it.pass.isCutShort, false);
});
