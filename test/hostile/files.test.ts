/** Commits that are made to do harm, one after the other, against one agent with low limits. */
import { test, type TestContext } from 'node:test';
import { useStarted } from '../support/use-world.ts';
import { startArena, type Arena } from './arena.ts';
import type { Attack } from './attack.ts';
import { expectWithstood } from './battle.ts';
import { pathAttacks } from './path-attacks.ts';
import { SPOKEN_ATTACKS, TEXT_ATTACKS } from './text-attacks.ts';

const arena = useStarted('the arena', startArena);

const TABLES: Readonly<Record<string, (places: Arena) => readonly Attack[]>> = {
  'texts that unfold, nest or lie are told with their reason': () => TEXT_ATTACKS,
  'words that a terminal would obey are told without harm': () => SPOKEN_ATTACKS,
  'paths, links and fields lead nowhere but into the repository': pathAttacks,
};

for (const [name, attacks] of Object.entries(TABLES)) {
  test(name, (t: TestContext) => expectWithstood(t, arena, attacks(arena)));
}

test('nothing that was said of all this would harm a terminal or tells of other files', () => arena.expectCleanWords());
