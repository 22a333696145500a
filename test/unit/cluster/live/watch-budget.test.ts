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
  assert.equal(budget.take(account('shop')), true);
  budget.giveBack(account('greedy'));
  assert.equal(budget.take(account('greedy', 'b')), true);
});

test('the agent itself may have all watches', () => {
  const budget = createWatchBudget(3);
  for (let n = 0; n < 3; n++) assert.equal(budget.take(agentIdentity), true);
  assert.equal(budget.take(account('shop')), false);
});
