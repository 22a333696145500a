/**
 * An Application whose inventory is so large that its status stores it compressed. Commits add, change and remove some
 * of its objects, and a kill comes in the middle of them.
 */
import { newChance } from '../../support/chance.ts';
import { gitHook } from '../faults.ts';
import {
  askForRefresh,
  BYSTANDER,
  commitBooks,
  endOf,
  lossesOf,
  openBooks,
  protect,
  untilEqual,
  verdictOf,
  type Books,
  type Ground,
  type Stage,
} from '../stage.ts';
import type { Trial, Verdict } from '../trial.ts';

const NAME = 'large';
const PREFIX = `/${NAME}.git/`;
const OBJECTS = 620;
/** With names of this length the inventory is longer than 128 KiB. */
const NAME_CHARS = 220;

export async function prepareLarge(stage: Stage): Promise<Ground> {
  const wanted = new Map(Array.from({ length: OBJECTS }, (_, index) => [nameOf(index), 'first']));
  const books = await openBooks(stage.world, NAME, { wanted });
  return { untilReady: () => books.application.untilReady(), play: (trial) => play(stage, books, trial) };
}

async function play(stage: Stage, books: Books, trial: Trial): Promise<Verdict> {
  const chance = newChance(trial.seed);
  const { wanted } = books;
  const before = new Set(wanted.keys());
  const round = stage.next();
  const size = 10 + chance.int(80);
  const names = [...wanted.keys()];
  // Far below the share that the guard holds.
  for (let count = 0; count < size; count++) {
    const name = chance.pick(names);
    if (chance.may(0.4) && wanted.size > OBJECTS - 100) wanted.delete(name);
    else if (chance.may(0.5)) wanted.set(name, `round ${round}`);
    else if (wanted.size < OBJECTS + 100) wanted.set(nameOf(stage.next() + OBJECTS), `round ${round}`);
  }
  const stays = new Set([...wanted.keys()].filter((name) => before.has(name)));
  const kept = await protect(stage, NAME, stays.union(BYSTANDER));
  if (trial.git) stage.gitHooks.set(PREFIX, gitHook(trial.git, PREFIX));
  await commitBooks(books);
  await askForRefresh(books);
  const outcome = await untilEqual(stage, endOf(books));
  stage.gitHooks.delete(PREFIX);
  return verdictOf(outcome, { unintendedDeletes: await lossesOf(stage, NAME, kept) });
}

function nameOf(index: number): string {
  return `object-${index}-`.padEnd(NAME_CHARS, 'x');
}
