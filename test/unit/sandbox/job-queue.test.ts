import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createJobQueue, type JobQueue, type QueuedWork } from '../../../src/sandbox/job-queue.ts';

interface Numbered extends QueuedWork {
  readonly id: number;
}

function createQueue(): { queue: JobQueue<Numbered>; clock: { nowMs: number } } {
  const clock = { nowMs: 0 };
  return { queue: createJobQueue<Numbered>(() => clock.nowMs), clock };
}

let lastId = 0;

function work(tenant: string, { folder = 'f', isLong = false } = {}): Numbered {
  lastId += 1;
  return { id: lastId, tenant, affinity: `${tenant}\n${folder}`, isLong };
}

test('the tenant that used the least time lately comes first, and its jobs keep their order', () => {
  const { queue, clock } = createQueue();
  const [a1, b1, b2] = [work('a'), work('b'), work('b')];
  queue.charge('a', 5_000);
  for (const one of [a1, b1, b2]) queue.push(one);
  assert.deepEqual([queue.take('long', undefined), queue.take('long', undefined)], [b1, b2]);
  queue.push(b1);
  queue.charge('b', 1_000);
  clock.nowMs += 60 * 60_000;
  assert.equal(queue.take('long', undefined), a1, 'an hour later both have used nothing, and a waited longer');
});

test('a running child goes on with its own folder for a short burst only', () => {
  const { queue, clock } = createQueue();
  queue.charge('a', 1_000);
  const [other, same] = [work('b'), work('a')];
  for (const one of [other, same]) queue.push(one);
  const burst = { affinity: same.affinity, sinceMs: 0 };
  assert.equal(queue.take('short', burst), same);
  queue.push(same);
  clock.nowMs = 1_000;
  assert.equal(queue.take('short', burst), other);
});

test('a job that is known to take long is never given to the short lane', () => {
  const { queue } = createQueue();
  const [long, short] = [work('a', { isLong: true }), work('b')];
  for (const one of [long, short]) queue.push(one);
  queue.charge('b', 9_000);
  assert.equal(queue.take('short', undefined), short);
  assert.equal(queue.take('short', undefined), undefined);
  assert.equal(queue.take('long', undefined), long);
  assert.equal(queue.size, 0);
});

test('every job that is not removed is taken exactly once, and no tenant waits for more time than others used', () => {
  const tenants = ['a', 'b', 'c', 'd'];
  const job = fc.record({
    tenant: fc.constantFrom(...tenants),
    isLong: fc.boolean(),
    ms: fc.integer({ min: 1, max: 90 }),
  });
  fc.assert(
    fc.property(
      fc.array(job, { maxLength: 60, size: 'max' }),
      fc.array(fc.nat(), { maxLength: 5 }),
      (jobs, dropped) => {
        const { queue } = createQueue();
        const all = jobs.map(({ tenant, isLong, ms }) => ({ ...work(tenant, { isLong }), ms }));
        for (const one of all) queue.push(one);
        const removed = new Set(
          dropped.map((at) => all[at % Math.max(1, all.length)]).filter((one) => one !== undefined),
        );
        for (const one of removed) assert.equal(queue.remove(one), true);
        const used = new Map(tenants.map((tenant) => [tenant, 0]));
        const left = all.filter((one) => !removed.has(one));
        const taken: Numbered[] = [];
        for (let next = queue.take('long', undefined); next; next = queue.take('long', undefined)) {
          const { tenant, ms } = next as (typeof all)[number];
          const waiting = left.filter((one) => !taken.includes(one)).map((one) => one.tenant);
          assert.ok(waiting.every((other) => (used.get(tenant) ?? 0) <= (used.get(other) ?? 0)));
          used.set(tenant, (used.get(tenant) ?? 0) + ms);
          queue.charge(tenant, ms);
          taken.push(next);
        }
        assert.deepEqual(taken.map(({ id }) => id).sort(), left.map(({ id }) => id).sort());
        assert.equal(queue.size, 0);
      },
    ),
  );
});
