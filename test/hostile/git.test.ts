/** Repositories and Git servers that are made to do harm, one after the other, against one agent with low limits. */
import { test, type TestContext } from 'node:test';
import { useStarted } from '../support/use-world.ts';
import { startArena } from './arena.ts';
import type { Attack } from './attack.ts';
import { expectWithstood } from './battle.ts';
import { ANSWER_ATTACKS, PACK_ATTACKS, TREE_ATTACKS } from './git-attacks.ts';

const arena = useStarted('the arena', startArena);

const TABLES: Readonly<Record<string, readonly Attack[]>> = {
  'trees that git would not check out are refused': TREE_ATTACKS,
  'packs that are false, enormous or malformed are refused within the limits': PACK_ATTACKS,
  'answers that are malformed, endless or slow are refused in time': ANSWER_ATTACKS,
};

for (const [name, attacks] of Object.entries(TABLES)) {
  test(name, (t: TestContext) => expectWithstood(t, arena, attacks));
}

test('log, status and Events contain no terminal control characters and no text from outside the repository', () =>
  arena.expectCleanOutput());
