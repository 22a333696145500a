/** Runs a table of attacks, tells what they took, and holds memory to the limits that the agent was given. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { LIMITS, type Arena } from './arena.ts';
import type { Attack } from './attack.ts';

/** What a process holds beside its heap: code, stacks, buffers of answers. */
const BESIDE_HEAP_MIB = 192;
/** How far a child gets until its parent looks again. */
const BETWEEN_LOOKS_MIB = 96;

export async function expectWithstood(t: TestContext, arena: Arena, attacks: readonly Attack[]): Promise<void> {
  let slowest = { name: '', toldMs: 0, neighbourMs: 0 };
  for (const attack of attacks) {
    await t.test(attack.name, async (inner) => {
      const withstood = await arena.withstand(attack);
      inner.diagnostic(`${withstood.reason} in ${withstood.toldMs} ms, neighbour ${withstood.neighbourMs} ms`);
      if (withstood.toldMs > slowest.toldMs) slowest = withstood;
    });
  }
  const { ownMib, childMib } = arena.peak();
  t.diagnostic(`${attacks.length} attacks; slowest: ${slowest.name}, ${slowest.toldMs} ms`);
  t.diagnostic(`most memory so far: agent ${ownMib} MiB, child ${childMib} MiB`);
  assert.ok(ownMib < LIMITS.agentHeapMib + BESIDE_HEAP_MIB, `the agent took ${ownMib} MiB`);
  assert.ok(childMib < LIMITS.childRssMib + BETWEEN_LOOKS_MIB, `a child took ${childMib} MiB`);
}
