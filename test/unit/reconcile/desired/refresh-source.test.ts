/** When the source is polled: by interval, webhook and schedule, with a clock and a Git server that the test drives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RepositoryPush } from '../../../../src/application/repository.ts';
import { specSchema } from '../../../../src/application/schema.ts';
import type { ValueMap } from '../../../../src/object/value.ts';
import { sourceError } from '../../../../src/source/source-error.ts';
import { refreshSource, type RefreshContext } from '../../../../src/reconcile/desired/refresh-source.ts';
import { createRecord, type ApplicationRecord } from '../../../../src/reconcile/memory.ts';
import { hearPush } from '../../../../src/reconcile/neighbours/hear-push.ts';
import { createRegistry, type Neighbours } from '../../../../src/reconcile/neighbours/neighbours.ts';

const MINUTE_MS = 60_000;
const REPOSITORY = 'https://git.example.com/team/shop.git';
const PUSH: RepositoryPush = { addresses: ['git@git.example.com:team/shop'], refs: [], defaultBranch: undefined };
const START = Date.parse('2026-11-16T05:58:30Z');

const downError = (afterMs: number | undefined): Error => sourceError('ServerError', 'the server is down', { afterMs });

interface Scene {
  readonly record: ApplicationRecord;
  readonly neighbours: Neighbours;
  /** Keys that were woken. */
  readonly woken: string[];
  polls: number;
  commit: string;
  isDown: boolean;
  /** The time that the server names while it is down. */
  retryAfterMs: number | undefined;
  /** Called while a poll is under way. */
  duringPoll: () => void;
  hook(push?: RepositoryPush): number;
  /** A pass's use of the source stage; answers the time until the next poll. */
  pass(): Promise<number>;
  wait(ms: number): void;
}

function scene(source: ValueMap = {}, more: ValueMap = {}): Scene {
  const spec = specSchema.parse({ source: { repoURL: REPOSITORY, ...source }, ...more });
  const record = createRecord('apps/shop', {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { namespace: 'apps', name: 'shop' },
    spec: { source: { repoURL: REPOSITORY, ...source }, ...more },
  });
  let passedMs = 0;
  const woken: string[] = [];
  const clock = { now: () => START + passedMs, monotonicMs: () => passedMs };
  const registry = createRegistry({ clock, wake: (key) => woken.push(key) });
  registry.note(record);
  const context = {
    clock,
    chance: () => 0.5,
    settings: { pollJitter: 0.1, minPollBackoffMs: 5_000, maxPollBackoffMs: 300_000 },
    metrics: { onGitRequest: () => undefined },
    source: {
      poll: async () => {
        it.polls++;
        it.duringPoll();
        if (it.isDown) throw downError(it.retryAfterMs);
        return { id: it.commit, revision: `main@sha1:${it.commit}`, commit: it.commit };
      },
      fetch: async () => ({ id: it.commit, revision: `main@sha1:${it.commit}`, commit: it.commit }),
    },
  } as unknown as RefreshContext;
  const it: Scene = {
    record,
    neighbours: registry.neighbours,
    woken,
    polls: 0,
    commit: 'a',
    isDown: false,
    retryAfterMs: undefined,
    duringPoll: () => undefined,
    hook: (push = PUSH) => hearPush(push, registry.neighbours),
    async pass() {
      const { memory, signals } = record;
      const signal = new AbortController().signal;
      const credential = async () => undefined;
      const options = { spec: spec.source, tenant: 'team', signals, isForced: false, credential, signal, context };
      const polled = await refreshSource(memory.desired, options);
      return polled.nextPollMs - passedMs;
    },
    wait: (ms) => (passedMs += ms),
  };
  return it;
}

test('a webhook leads to a poll at once, however far away the next one was', async () => {
  const it = scene({ interval: '1h' });
  assert.equal(await it.pass(), 60 * MINUTE_MS);
  it.wait(5_000);
  await it.pass();
  assert.equal(it.polls, 1);
  assert.equal(it.hook(), 1);
  assert.deepEqual(it.woken, ['apps/shop']);
  it.commit = 'b';
  await it.pass();
  assert.equal(it.polls, 2);
  assert.equal(it.record.memory.desired.source?.snapshot?.commit, 'b');
});

test('a thousand webhooks cost one wake and one poll a second', async () => {
  const it = scene();
  await it.pass();
  it.wait(200);
  for (let n = 0; n < 1000; n++) it.hook();
  assert.equal(it.woken.length, 1);
  assert.equal(await it.pass(), 800);
  assert.equal(it.polls, 1);
  it.wait(800);
  await it.pass();
  assert.equal(it.polls, 2);
});

test('a webhook that arrives while a poll is under way leads to another poll', async () => {
  const it = scene({ interval: '1h' });
  await it.pass();
  it.wait(60 * MINUTE_MS);
  it.duringPoll = () => it.hook();
  assert.equal(await it.pass(), 1_000);
  it.duringPoll = () => undefined;
  assert.deepEqual(it.woken, ['apps/shop']);
  it.wait(1_000);
  it.commit = 'b';
  assert.equal(await it.pass(), 60 * MINUTE_MS);
  assert.equal(it.polls, 3);
});

test('a neighbour that asks for a poll brings it forward, however far away the next one was', async () => {
  const it = scene({ interval: '1h' });
  await it.pass();
  it.wait(5_000);
  it.neighbours.askToPoll('apps/shop');
  assert.deepEqual(it.woken, ['apps/shop']);
  await it.pass();
  assert.equal(it.polls, 2);
  it.wait(5_000);
  await it.pass();
  assert.equal(it.polls, 2);
});

test('a poll that a neighbour asks for while one is under way is followed by another poll', async () => {
  const it = scene({ interval: '1h' });
  it.wait(5);
  it.duringPoll = () => it.neighbours.askToPoll('apps/shop');
  assert.equal(await it.pass(), 1_000);
});

test('a webhook during the very first poll leads to another poll', async () => {
  const it = scene({ interval: '1h' });
  it.wait(5);
  it.duringPoll = () => it.hook();
  assert.equal(await it.pass(), 1_000);
});

test('a webhook while Git is down is not lost: its commit counts as announced', async () => {
  const it = scene();
  await it.pass();
  it.wait(10_000);
  it.hook();
  it.isDown = true;
  assert.equal(await it.pass(), 5_000);
  it.wait(5_000);
  it.isDown = false;
  it.commit = 'b';
  assert.equal(await it.pass(), 2 * MINUTE_MS);
});

test('announced commits lengthen the interval, and an unannounced one shortens it', async () => {
  const it = scene();
  assert.equal(await it.pass(), MINUTE_MS);
  const push = async (commit: string): Promise<number> => {
    it.wait(30_000);
    it.commit = commit;
    it.hook();
    return it.pass();
  };
  assert.equal(await push('b'), 2 * MINUTE_MS);
  assert.equal(await push('c'), 4 * MINUTE_MS);
  it.wait(4 * MINUTE_MS);
  assert.equal(await it.pass(), 4 * MINUTE_MS);
  it.wait(4 * MINUTE_MS);
  it.commit = 'd';
  assert.equal(await it.pass(), MINUTE_MS);
});

test('a schedule adds a poll to those of the interval', async () => {
  const it = scene({ interval: '1h', schedule: '0 6 * * *' });
  assert.equal(await it.pass(), 90_000);
  it.wait(90_000);
  assert.equal(await it.pass(), 60 * MINUTE_MS);
  assert.equal(it.polls, 2);
});

test('a scheduled time after the next poll changes nothing, and the time zone of the schedule counts', async () => {
  assert.equal(await scene({ interval: '1m', schedule: '0 6 * * *' }).pass(), MINUTE_MS);
  assert.equal(await scene({ interval: '1h', schedule: '0 7 * * *', timeZone: 'Europe/Berlin' }).pass(), 90_000);
});

const OTHERS: readonly (readonly [string, Scene, RepositoryPush])[] = [
  ['another repository', scene(), { ...PUSH, addresses: ['https://git.example.com/team/other'] }],
  ['another branch', scene({ revision: 'main' }), { ...PUSH, refs: ['refs/heads/next'] }],
  ['a suspended Application', scene({}, { suspend: true }), PUSH],
];
for (const [what, it, push] of OTHERS) {
  test(`a push to ${what} brings no poll forward`, () => {
    assert.equal(it.hook(push), 0);
    assert.deepEqual(it.woken, []);
    assert.equal(it.record.signals.hookHeardMs, undefined);
  });
}

test('a scheduled time that passes while a poll is under way is followed by another poll', async () => {
  const it = scene({ interval: '1h', schedule: '0 6 * * *' });
  it.wait(89_000);
  it.duringPoll = () => it.wait(2_000);
  assert.equal(await it.pass(), 0);
});

test('a failed poll is repeated no sooner than the server asks for, nor sooner than its backoff', async () => {
  const it = scene({ interval: '1m' });
  it.isDown = true;
  it.retryAfterMs = 40_000;
  assert.equal(await it.pass(), 40_000);
  it.wait(40_000);
  it.retryAfterMs = 1_000;
  assert.equal(await it.pass(), 10_000);
  it.wait(10_000);
  it.retryAfterMs = 600_000;
  assert.equal(await it.pass(), 600_000);
});
