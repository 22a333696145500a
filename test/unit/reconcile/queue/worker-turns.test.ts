import assert from 'node:assert/strict';
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { WorkerTurns, type Turn } from '../../../../src/reconcile/queue/worker-turns.ts';

interface Scene {
  readonly turns: WorkerTurns;
  /** The passes that have begun, in order. */
  readonly begun: string[];
  readonly turnOf: Map<string, Turn>;
  /** `key` is namespace/name. */
  readonly ask: (key: string) => void;
}

function sceneOf({ concurrency = 4, maxUnderWay = 64, hasSeveralTenants = true } = {}): Scene {
  const turns = new WorkerTurns({
    concurrency,
    maxUnderWay,
    hasSeveralTenants: () => hasSeveralTenants,
    nowMs: () => 0,
  });
  const begun: string[] = [];
  const turnOf = new Map<string, Turn>();
  const ask = (key: string): void => {
    turns.ask(key.split('/', 1)[0] ?? '', (turn) => {
      begun.push(key);
      turnOf.set(key, turn);
    });
  };
  return { turns, begun, turnOf, ask };
}

test('passes that wait for a Git server hold no worker', async () => {
  const { turns, begun, turnOf, ask } = sceneOf();
  const server = Promise.withResolvers<string>();
  for (let n = 0; n < 6; n++) {
    ask(`a/${n}`);
    ask(`b/${n}`);
  }
  const waits: Promise<string>[] = [];
  const isWaiting = new Set<string>();
  const waitAll = (): void => {
    for (const [key, turn] of turnOf) {
      if (isWaiting.has(key)) continue;
      isWaiting.add(key);
      waits.push(turn.whileWaiting(() => server.promise));
    }
  };
  while (isWaiting.size < 12) waitAll();
  assert.equal(turns.active, 0);
  assert.equal(turns.underWay, 12);
  ask('victim/a');
  assert.equal(begun.at(-1), 'victim/a');
  server.resolve('refs');
  // Those that have their answer come back in turn, never more than there are workers.
  for (let n = 0; n < 5; n++) await turnOfLoop();
  assert.ok(turns.active <= 4);
  for (const key of ['victim/a', ...isWaiting]) turnOf.get(key)?.end();
  assert.deepEqual(await Promise.all(waits), Array(12).fill('refs'));
  assert.equal(turns.underWay, 0);
});

test('namespaces whose Git servers never answer leave passes to a namespace that comes later', () => {
  const { turns, begun, turnOf, ask } = sceneOf();
  const never = new Promise<never>(() => undefined);
  for (const namespace of ['a', 'b', 'c', 'd']) {
    for (let n = 0; n < 40; n++) ask(`${namespace}/${n}`);
  }
  const isWaiting = new Set<string>();
  for (let before = -1; before !== begun.length;) {
    before = begun.length;
    for (const [key, turn] of turnOf) {
      if (isWaiting.has(key)) continue;
      isWaiting.add(key);
      void turn.whileWaiting(() => never);
    }
  }
  assert.ok(turns.underWay < 64);
  for (let n = 0; n < 2; n++) ask(`victim/${n}`);
  assert.deepEqual(begun.slice(-2), ['victim/0', 'victim/1']);
});

test('the tenant that used the least time comes first', () => {
  let nowMs = 0;
  const turns = new WorkerTurns({
    concurrency: 1,
    maxUnderWay: 8,
    hasSeveralTenants: () => true,
    nowMs: () => nowMs,
  });
  const begun: string[] = [];
  let running: Turn | undefined;
  const ask = (name: string): void =>
    void turns.ask(name, (turn) => {
      begun.push(name);
      running = turn;
    });
  ask('heavy');
  for (const name of ['heavy', 'heavy', 'light']) ask(name);
  nowMs = 500;
  running?.end();
  assert.deepEqual(begun, ['heavy', 'light']);
  running?.end();
  assert.deepEqual(begun, ['heavy', 'light', 'heavy']);
});

test('a wait that fails fails with its own error, and the pass has its worker again', async () => {
  const { turns, turnOf, ask } = sceneOf();
  ask('a/0');
  const turn = turnOf.get('a/0') as Turn;
  await assert.rejects(
    turn.whileWaiting(() => Promise.reject(new Error('gone'))),
    /gone/,
  );
  assert.equal(turns.active, 1);
  turn.end();
  assert.equal(turns.active, 0);
});

test('a wait that a pass leaves behind takes no worker after the end of the pass', async () => {
  const { turns, turnOf, ask } = sceneOf({ concurrency: 1 });
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  ask('a/0');
  const turn = turnOf.get('a/0') as Turn;
  const waits = [turn.whileWaiting(() => first.promise), turn.whileWaiting(() => second.promise)];
  ask('b/0');
  first.reject(new Error('gone'));
  await assert.rejects(waits[0] as Promise<void>, /gone/);
  second.resolve();
  await turnOfLoop();
  // The worker is with b, and the second wait of a stands in line.
  turn.end();
  turnOf.get('b/0')?.end();
  await waits[1];
  assert.deepEqual([turns.active, turns.underWay], [0, 0]);
});

test('after a stop no pass begins, and passes that come back do not wait for a worker', async () => {
  const { turns, begun, turnOf, ask } = sceneOf({ concurrency: 1 });
  const server = Promise.withResolvers<void>();
  ask('a/0');
  const waits = [(turnOf.get('a/0') as Turn).whileWaiting(() => server.promise)];
  ask('b/0');
  ask('c/0');
  turns.stop();
  server.resolve();
  await Promise.all(waits);
  for (const key of ['a/0', 'b/0']) turnOf.get(key)?.end();
  assert.deepEqual(begun, ['a/0', 'b/0']);
  assert.equal(turns.underWay, 0);
});

test('the bounds on workers and passes under way hold, and every pass ends', async () => {
  const steps = fc.array(fc.record({ tenant: fc.constantFrom('a', 'b', 'c'), waits: fc.nat(3) }), {
    maxLength: 40,
    size: 'max',
  });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), fc.boolean(), async (passes, concurrency, isShared) => {
      const maxUnderWay = concurrency * 2;
      const { turns } = sceneOf({ concurrency, maxUnderWay, hasSeveralTenants: isShared });
      const check = (): void => {
        assert.ok(turns.active <= concurrency, `${turns.active} of ${concurrency} workers`);
        assert.ok(turns.underWay <= maxUnderWay);
      };
      const ended = passes.map(
        ({ tenant, waits }) =>
          new Promise<void>((resolve, reject) => {
            const run = async (turn: Turn): Promise<void> => {
              for (let n = 0; n < waits; n++) {
                check();
                await turn.whileWaiting(() => turnOfLoop());
              }
              check();
              turn.end();
            };
            turns.ask(tenant, (turn) => void run(turn).then(resolve, reject));
          }),
      );
      await Promise.all(ended);
      assert.deepEqual([turns.active, turns.underWay, turns.waiting], [0, 0, 0]);
    }),
    { numRuns: 60 },
  );
});
