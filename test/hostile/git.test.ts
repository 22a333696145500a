/** Hostile trees, packs and answers of a Git server, one after another, against one agent with low limits. */
import { after, before, test, type TestContext } from 'node:test';
import { startArena, type Arena } from './arena.ts';
import type { Attack } from './attack.ts';
import { expectWithstood } from './battle.ts';
import { ANSWER_ATTACKS, PACK_ATTACKS, TREE_ATTACKS } from './git-attacks.ts';

let arena: Arena;
before(async () => void (arena = await startArena()));
after(() => arena?.[Symbol.asyncDispose]());

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
