/** Commits that are made to do harm, one after the other, against one agent with low limits. */
import { test, type TestContext } from 'node:test';
import { useStarted } from '../support/use-world.ts';
import { startArena, type Arena } from './arena.ts';
import type { Attack } from './attack.ts';
import { expectWithstood } from './battle.ts';
import { pathAttacks } from './path-attacks.ts';
import { SPOKEN_ATTACKS, TEXT_ATTACKS } from './text-attacks.ts';

const arena = useStarted('the arena', startArena);

const TABLES: Readonly<Record<string, (arena: Arena) => readonly Attack[]>> = {
  'YAML that expands, nests or is malformed is reported with its reason': () => TEXT_ATTACKS,
  'names and fields with terminal control sequences are reported without them': () => SPOKEN_ATTACKS,
  'paths, links and fields of a kustomization never lead out of the repository': pathAttacks,
};

for (const [name, attacks] of Object.entries(TABLES)) {
  test(name, (t: TestContext) => expectWithstood(t, arena, attacks(arena)));
}

test('log, status and Events contain no terminal control characters and no text from outside the repository', () =>
  arena.expectCleanOutput());
