/** The handles that `useWorld` and `useStarted` give to a test file, and the order of the steps of its set-up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepare, useStarted, useWorld } from './use-world.ts';

class Counter {
  #count = 0;
  step = 1;

  add(): number {
    return (this.#count += this.step);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

const order: string[] = [];
prepare(async () => {
  await sleep(20);
  order.push('first');
});
const { world, agent } = useWorld({ agent: true });
const counter = useStarted('the counter', async () => new Counter());
prepare(async () => order.push(`second, ${agent.probesUrl ? 'after the agent' : ''}`));

function readEarly(read: () => unknown): string {
  try {
    return `read ${String(read())}`;
  } catch (error) {
    return String(error);
  }
}

const early = [() => world.plane, () => agent.log, () => counter.add()].map(readEarly);

test('a handle that is read before its hook has run throws an error that names it and the property', () => {
  assert.match(early[0] ?? '', /the world has not started: read \.plane inside a test or a hook/);
  assert.match(early[1] ?? '', /the agent has not started: read \.log inside/);
  assert.match(early[2] ?? '', /the counter has not started: read \.add inside/);
});

test('inside a test the handles are the world and the agent that the hooks have started', async () => {
  assert.ok(await world.read('/api/v1/namespaces/default'));
  assert.equal((await fetch(`${agent.probesUrl}/healthz`)).status, 200);
});

test('methods of a handle act on the started value, and properties can be set through it', () => {
  assert.equal(counter.add(), 1);
  counter.step = 10;
  const unbound = Reflect.get(counter, 'add');
  assert.equal(unbound(), 11);
});

test('the steps of a set-up run one after the other, in the order in which they are registered', () => {
  assert.deepEqual(order, ['first', 'second, after the agent']);
});
