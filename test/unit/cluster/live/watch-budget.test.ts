import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentIdentity, serviceAccountIdentity } from '../../../../src/cluster/identity.ts';
import { createWatchBudget } from '../../../../src/cluster/live/watch-budget.ts';

const account = (namespace: string, name = 'a'): ReturnType<typeof serviceAccountIdentity> =>
  serviceAccountIdentity(namespace, name);

test('at most maxWatches are taken, and one that is given back can be taken again', () => {
  const budget = createWatchBudget(2);
  assert.deepEqual(
    [budget.take(agentIdentity), budget.take(agentIdentity), budget.take(agentIdentity)],
    [true, true, false],
  );
  budget.giveBack(agentIdentity);
  assert.equal(budget.count(), 1);
  assert.equal(budget.take(account('shop')), true);
});

test('all accounts of one namespace together have at most half of the watches', () => {
  const budget = createWatchBudget(5);
  assert.equal(budget.take(account('greedy')), true);
  assert.equal(budget.take(account('greedy', 'b')), true);
  assert.equal(budget.take(account('greedy')), true);
  assert.equal(budget.take(account('greedy', 'b')), false);
  budget.giveBack(account('greedy'));
  assert.equal(budget.take(account('greedy', 'b')), true);
});

test('several namespaces that take all they can leave watches to a namespace that has none', () => {
  const budget = createWatchBudget(64);
  for (const namespace of ['a', 'b', 'c']) while (budget.take(account(namespace)));
  for (let n = 0; n < 4; n++) assert.equal(budget.take(account('shop')), true, `watch ${n}`);
});

test('the agent itself may have all watches', () => {
  const budget = createWatchBudget(3);
  for (let n = 0; n < 3; n++) assert.equal(budget.take(agentIdentity), true);
  assert.equal(budget.take(account('shop')), false);
});
