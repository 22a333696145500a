import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBodyBudget } from '../../../../src/cluster/live/body-budget.ts';
import { newChance } from '../../../support/chance.ts';

test('random objects of many namespaces never take more than the bounds, and all is given back', () => {
  const chance = newChance(11);
  const budget = createBodyBudget({ maxNamespaceLiveBytes: 100, maxTotalLiveBytes: 300 });
  const taken: [string, number][] = [];
  for (let step = 0; step < 20_000; step++) {
    const namespace = `n${chance.int(30)}`;
    const bytes = 1 + chance.int(50);
    if (chance.may(0.5) && budget.take(namespace, bytes)) taken.push([namespace, bytes]);
    const own = taken.filter(([other]) => other === namespace).reduce((sum, [, size]) => sum + size, 0);
    assert.ok(own <= 100 && budget.total() <= 600, `${own} ${budget.total()}`);
    const [returned] = chance.may(0.4) ? taken.splice(chance.int(taken.length + 1), 1) : [];
    if (returned) budget.giveBack(...returned);
  }
  for (const entry of taken) budget.giveBack(...entry);
  assert.equal(budget.total(), 0);
});

test('a namespace gets its share while others have used up the total', () => {
  const budget = createBodyBudget({ maxNamespaceLiveBytes: 100, maxTotalLiveBytes: 100 });
  assert.equal(budget.take('greedy', 100), true);
  assert.equal(budget.take('greedy', 1), false);
  assert.equal(budget.take('small', 50), true);
  assert.equal(budget.take('small', 1), false);
});
