import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { NextPass } from '../../../../src/reconcile/pass.ts';
import { KeyedQueue, type QueueOptions } from '../../../../src/reconcile/queue/keyed-queue.ts';

const NONE: NextPass = { type: 'none' };

function queueOf(work: QueueOptions['work'], options: Partial<QueueOptions> = {}): KeyedQueue {
  return new KeyedQueue({
    work,
    concurrency: 2,
    maxUnderWay: 16,
    tenantOf: (key) => key.split('/', 1)[0] ?? '',
    minBackoffMs: 1,
    maxBackoffMs: 8,
    passesPerSecond: 1000,
    chance: () => 0,
    onError: () => undefined,
    ...options,
  });
}

test('a key has one worker at a time, workers are bounded, and the last add is followed by a pass', async () => {
  const steps = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), pauseMs: fc.nat(2) }), {
    maxLength: 30,
    size: 'max',
  });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 3 }), async (adds, concurrency) => {
      const active = new Map<string, number>();
      const lastBegun = new Map<string, number>();
      const lastAdded = new Map<string, number>();
      let clock = 0;
      let most = 0;
      const queue = queueOf(
        async (key) => {
          active.set(key, (active.get(key) ?? 0) + 1);
          assert.equal(active.get(key), 1, 'two workers on one key');
          most = Math.max(
            most,
            [...active.values()].reduce((sum, count) => sum + count, 0),
          );
          lastBegun.set(key, ++clock);
          await sleep(1);
          active.set(key, 0);
          return NONE;
        },
        { concurrency },
      );
      for (const { key, pauseMs } of adds) {
        lastAdded.set(key, ++clock);
        queue.add(key);
        if (pauseMs > 0) await sleep(pauseMs);
      }
      while (queue.stats().active > 0 || queue.stats().waiting > 0) await sleep(1);
      assert.ok(most <= concurrency);
      for (const [key, added] of lastAdded)
        assert.ok((lastBegun.get(key) ?? 0) > added, `no pass after the last add of ${key}`);
    }),
    { numRuns: 40 },
  );
});

test('a waiting key gets one pass, however often it is added', async () => {
  const gate = Promise.withResolvers<void>();
  const passes: string[] = [];
  const queue = queueOf(
    async (key) => {
      passes.push(key);
      await gate.promise;
      return NONE;
    },
    { concurrency: 1 },
  );
  queue.add('busy');
  for (let n = 0; n < 10; n++) queue.add('a');
  for (let n = 0; n < 10; n++) queue.add('busy');
  gate.resolve();
  while (queue.stats().active > 0 || queue.stats().waiting > 0) await sleep(1);
  assert.deepEqual(passes, ['busy', 'a', 'busy']);
});

test('failures back off up to the bound, and a success resets the backoff', async () => {
  const answers: NextPass[] = [...Array<NextPass>(6).fill({ type: 'backoff', atMostMs: 1000 }), NONE];
  let passes = 0;
  const queue = queueOf(async () => answers[passes++] ?? NONE);
  queue.add('a');
  while (passes < 7) await sleep(1);
  assert.equal(queue.stats().retries, 6);
});

test('a backoff is at least as long as the pass asks for, and never beyond its bound', async () => {
  for (const bounds of [
    { atLeastMs: 40, atMostMs: 60_000 },
    { atLeastMs: 60_000, atMostMs: 40 },
  ]) {
    const beganMs: number[] = [];
    const queue = queueOf(async () => {
      beganMs.push(performance.now());
      return beganMs.length > 1 ? NONE : { type: 'backoff', ...bounds };
    });
    queue.add('a');
    while (beganMs.length < 2) await sleep(1);
    const [firstMs = 0, secondMs = 0] = beganMs;
    assert.ok(secondMs - firstMs >= 39, `the second pass began after ${secondMs - firstMs} ms`);
  }
});

test('a pass that throws is reported and tried again', async () => {
  const errors: unknown[] = [];
  let passes = 0;
  const queue = queueOf(
    async () => {
      if (++passes === 1) throw new Error('defect');
      return NONE;
    },
    { onError: (_key, error) => errors.push(error) },
  );
  queue.add('a');
  while (passes < 2) await sleep(1);
  assert.equal(errors.length, 1);
});

test('draining starts no pass, aborts running passes, and waits for their end', async () => {
  let ended = 0;
  const queue = queueOf(
    async (_key, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await sleep(5);
      ended++;
      return { type: 'after', delayMs: 0 };
    },
    { concurrency: 1 },
  );
  queue.add('a');
  queue.add('b');
  await queue.drain();
  queue.add('c');
  assert.deepEqual([ended, queue.stats().added], [1, 2]);
});

test('a forgotten key gets no pass, and no further pass while it is worked on', async () => {
  const passes: string[] = [];
  const gate = Promise.withResolvers<void>();
  const queue = queueOf(
    async (key) => {
      passes.push(key);
      await gate.promise;
      return NONE;
    },
    { concurrency: 1 },
  );
  queue.add('a');
  queue.add('a');
  queue.add('b');
  queue.forget('a');
  queue.forget('b');
  gate.resolve();
  while (queue.stats().active > 0) await sleep(1);
  await sleep(5);
  assert.deepEqual(passes, ['a']);
});

test('a tenant whose passes hang leaves one worker to others, and gets all workers when it is the only one', async () => {
  const begun: string[] = [];
  const { promise: hung, resolve: release } = Promise.withResolvers<void>();
  const work: QueueOptions['work'] = async (key) => {
    begun.push(key);
    if (key.startsWith('slow/')) await hung;
    return { type: 'after', delayMs: 3_600_000 };
  };
  const queue = queueOf(work, { concurrency: 3 });
  queue.add('good/a');
  await sleep(1);
  for (const name of ['a', 'b', 'c', 'd']) queue.add(`slow/${name}`);
  for (const name of ['a', 'b']) queue.add(`good/${name}`);
  while (begun.length < 5) await sleep(1);
  assert.deepEqual(begun, ['good/a', 'slow/a', 'slow/b', 'good/a', 'good/b']);
  assert.equal(queue.stats().waiting, 2);
  queue.forget('good/a');
  queue.forget('good/b');
  assert.equal(queue.stats().active, 3);
  release();
  await queue.drain();
});

test('the tenant with the fewest workers comes first, before one that has waited longer', async () => {
  const begun: string[] = [];
  const gates: (() => void)[] = [];
  const work: QueueOptions['work'] = async (key) => {
    begun.push(key);
    await new Promise<void>((resolve) => gates.push(resolve));
    return NONE;
  };
  const queue = queueOf(work, { concurrency: 2 });
  for (const key of ['many/a', 'many/b', 'many/c', 'few/a', 'many/d']) queue.add(key);
  assert.deepEqual(begun, ['many/a', 'many/b']);
  gates.shift()?.();
  while (begun.length < 3) await sleep(1);
  assert.equal(begun[2], 'few/a');
  while (queue.stats().active > 0) {
    for (const open of gates.splice(0)) open();
    await sleep(1);
  }
  assert.deepEqual(begun.slice(3), ['many/c', 'many/d']);
});

test('fifty Applications get their passes while others are slow or always fail', async () => {
  const slow = ['slow-0', 'slow-1', 'slow-2'];
  const gate = Promise.withResolvers<void>();
  const served: string[] = [];
  const queue = queueOf(
    async (key) => {
      served.push(key);
      if (slow.includes(key)) await gate.promise;
      return key === 'failing' ? { type: 'backoff', atMostMs: 1 } : NONE;
    },
    { concurrency: 4 },
  );
  const others = Array.from({ length: 50 }, (_item, n) => `calm-${n}`);
  for (const key of [...slow, 'failing', ...others]) queue.add(key);
  while (others.some((key) => !served.includes(key))) await sleep(1);
  assert.deepEqual(
    served.filter((key) => others.includes(key)),
    others,
  );
  assert.equal(queue.stats().active, slow.length);
  gate.resolve();
  await queue.drain();
});

test('a key that is added all the time waits behind every key that was due before it', async () => {
  const served: string[] = [];
  const queue = queueOf(
    async (key) => {
      served.push(key);
      queue.add('greedy');
      await sleep(0);
      return NONE;
    },
    { concurrency: 1 },
  );
  const others = Array.from({ length: 20 }, (_item, n) => `calm-${n}`);
  for (const key of ['greedy', ...others]) queue.add(key);
  while (others.some((key) => !served.includes(key))) await sleep(1);
  await queue.drain();
  assert.ok(served.filter((key) => key === 'greedy').length <= 2);
});

test('a key that is added in a tight loop is served at a bounded rate, and the last add is followed by a pass', async () => {
  const passesPerSecond = 20;
  let passes = 0;
  const queue = queueOf(
    async () => {
      passes++;
      return NONE;
    },
    { passesPerSecond },
  );
  const startedMs = performance.now();
  while (performance.now() - startedMs < 500) {
    queue.add('a');
    await sleep(0);
  }
  const mostNow = (): number => 2 * passesPerSecond + ((performance.now() - startedMs) / 1000) * passesPerSecond + 1;
  assert.ok(passes <= mostNow(), `${passes} passes`);
  const before = passes;
  assert.ok(before >= 2 * passesPerSecond, 'a burst is served at once');
  queue.add('a');
  while (passes === before) await sleep(1);
  await sleep(100);
  assert.ok(passes <= mostNow());
  await queue.drain();
});

test('a key that is slowed down delays no other key, and forgetting it does not reset its rate', async () => {
  const passes: string[] = [];
  const queue = queueOf(
    async (key) => {
      passes.push(key);
      return NONE;
    },
    { passesPerSecond: 1 },
  );
  for (let n = 0; n < 5; n++) {
    queue.add('greedy');
    await sleep(2);
    queue.forget('greedy');
  }
  queue.add('calm');
  await sleep(5);
  assert.deepEqual(passes, ['greedy', 'greedy', 'greedy', 'calm']);
  await queue.drain();
});

test('forgetting a key aborts its pass under way, and neither that of another key nor the next one of its own', async () => {
  const aborted: string[] = [];
  const passes: string[] = [];
  const queue = queueOf(async (key, signal) => {
    passes.push(key);
    signal.addEventListener('abort', () => aborted.push(key));
    if (passes.length <= 2) await sleep(10);
    return { type: 'after', delayMs: 3_600_000 };
  });
  queue.add('a');
  queue.add('b');
  queue.forget('a');
  assert.deepEqual(aborted, ['a']);
  queue.add('a');
  while (queue.stats().active > 0) await sleep(1);
  assert.deepEqual(passes, ['a', 'b', 'a']);
  queue.forget('a');
  assert.deepEqual(aborted, ['a']);
  await queue.drain();
});

test('a forgotten key gets no pass that its pass under way asks for', async () => {
  const passes: string[] = [];
  const queue = queueOf(async (key) => {
    passes.push(key);
    await sleep(5);
    return { type: 'after', delayMs: 1 };
  });
  queue.add('a');
  queue.forget('a');
  while (queue.stats().active > 0) await sleep(1);
  await sleep(10);
  assert.deepEqual(passes, ['a']);
  await queue.drain();
});
