/** Work that callers share: who gets the answer of which work, and when work is aborted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFlights } from '../../../src/source/single-flight.ts';
import { createClock } from '../../support/clock.ts';

interface Work {
  readonly begunMs: number;
  readonly signal: AbortSignal;
  readonly end: (answer: number) => void;
}

function scene() {
  const clock = createClock();
  const flights = createFlights<number>(clock);
  const begun: Work[] = [];
  const join = (more: { notBeforeMs?: number; signal?: AbortSignal } = {}): Promise<number> =>
    flights.join({
      key: 'k',
      signal: undefined,
      work: (signal) => {
        const { promise, resolve } = Promise.withResolvers<number>();
        begun.push({ begunMs: clock.monotonicMs(), signal, end: resolve });
        return promise;
      },
      onAbort: () => new Error('aborted'),
      ...more,
    });
  return { clock, flights, begun, join };
}

test('callers at the same time share one answer', async () => {
  const { begun, join } = scene();
  const both = [join(), join()];
  begun[0]?.end(1);
  assert.deepEqual(await Promise.all(both), [1, 1]);
  assert.equal(begun.length, 1);
});

test('a caller does not join work that began before the time that it names', async () => {
  const { clock, begun, join } = scene();
  clock.nowMs += 10;
  const early = join();
  clock.nowMs += 10;
  const late = join({ notBeforeMs: 15 });
  const later = join({ notBeforeMs: 20 });
  const any = join();
  assert.deepEqual(
    begun.map(({ begunMs }) => begunMs),
    [10, 20],
  );
  begun[0]?.end(1);
  begun[1]?.end(2);
  assert.deepEqual(await Promise.all([early, late, later, any]), [1, 2, 2, 2]);
});

test('work that was replaced by later work is aborted with its last caller, and by close', async () => {
  const { clock, flights, begun, join } = scene();
  const controller = new AbortController();
  const first = assert.rejects(join({ signal: controller.signal }), /aborted/);
  clock.nowMs += 1;
  const second = join({ notBeforeMs: 1 });
  clock.nowMs += 1;
  const third = join({ notBeforeMs: 2 });
  controller.abort();
  await first;
  assert.deepEqual(
    begun.map(({ signal }) => signal.aborted),
    [true, false, false],
  );
  flights.close();
  assert.deepEqual(
    begun.map(({ signal }) => signal.aborted),
    [true, true, true],
  );
  for (const { end } of begun) end(0);
  await Promise.all([second, third]);
});

test('no caller gets the answer of work that began too early, in any order of callers and answers', async () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('join' as const), backMs: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ type: fc.constant('end' as const), index: fc.nat(5) }),
    fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 5 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (steps) => {
      const { clock, begun, join } = scene();
      const calls: { readonly notBeforeMs: number; readonly answer: Promise<number> }[] = [];
      for (const one of steps) {
        if (one.type === 'wait') clock.nowMs += one.ms;
        if (one.type === 'end') begun[one.index]?.end(begun[one.index]?.begunMs ?? 0);
        if (one.type !== 'join') continue;
        const notBeforeMs = clock.monotonicMs() - one.backMs;
        calls.push({ notBeforeMs, answer: join({ notBeforeMs }) });
      }
      for (const { begunMs, end } of begun) end(begunMs);
      for (const { notBeforeMs, answer } of calls) assert.ok((await answer) >= notBeforeMs);
    }),
    { numRuns: 300 },
  );
});
