/** Runs a table of attacks, reports how long they took, and asserts that memory stays within the agent's limits. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { LIMITS, type Arena } from './arena.ts';
import type { Attack } from './attack.ts';

/** Memory of a process outside its heap: code, stacks, buffers of answers. */
const OUTSIDE_HEAP_MIB = 192;
/** Memory that a child can take between two checks by its parent. */
const BETWEEN_CHECKS_MIB = 96;

export async function expectWithstood(t: TestContext, arena: Arena, attacks: readonly Attack[]): Promise<void> {
  let slowest = { name: '', reportedMs: 0 };
  for (const attack of attacks) {
    await t.test(attack.name, async (inner) => {
      const withstood = await arena.withstand(attack);
      inner.diagnostic(`${withstood.reason} in ${withstood.reportedMs} ms, neighbour ${withstood.neighbourMs} ms`);
      if (withstood.reportedMs > slowest.reportedMs) slowest = withstood;
    });
  }
  const { ownMib, childMib } = arena.peak();
  t.diagnostic(`${attacks.length} attacks; slowest: ${slowest.name}, ${slowest.reportedMs} ms`);
  t.diagnostic(`most memory so far: agent ${ownMib} MiB, child ${childMib} MiB`);
  assert.ok(ownMib < LIMITS.agentHeapMib + OUTSIDE_HEAP_MIB, `the agent took ${ownMib} MiB`);
  assert.ok(childMib < LIMITS.childRssMib + BETWEEN_CHECKS_MIB, `a child took ${childMib} MiB`);
}
