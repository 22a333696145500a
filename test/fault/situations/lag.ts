/**
 * A Git server of two replicas, one of which lags behind: after a commit, polls see the new and the old state in turns.
 * Objects of the new commit stay, once they are there.
 */
import { newChance } from '../../support/chance.ts';
import { readyReason } from '../../support/scene.ts';
import { gitHook } from '../faults.ts';
import {
  askForRefresh,
  BYSTANDER,
  commitBooks,
  endOf,
  joinOutcomes,
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

const NAME = 'lag';
const PREFIX = `/${NAME}.git/`;

export async function prepareLag(stage: Stage): Promise<Ground> {
  const wanted = new Map(Array.from({ length: 12 }, (_, index) => [`first-${index}`, 'first']));
  const spec = { source: { repoURL: `${stage.world.git.url}/${NAME}.git`, interval: '10s' } };
  const books = await openBooks(stage.world, NAME, { wanted, spec });
  return { untilReady: () => books.application.untilReady(), play: (trial) => play(stage, books, trial) };
}

async function play(stage: Stage, books: Books, trial: Trial): Promise<Verdict> {
  const chance = newChance(trial.seed);
  const { gitHooks } = stage;
  const old = books.head;
  const round = stage.next();
  // At most two of more than ten objects leave at once: the guard does not hold that.
  const leaving = [...books.wanted.keys()].slice(0, Math.max(0, books.wanted.size - 12)).slice(0, 2);
  for (const name of leaving) books.wanted.delete(name);
  for (let index = 0; index <= chance.int(2); index++) books.wanted.set(`added-${round}-${index}`, `round ${round}`);
  const stays = new Set([...books.wanted.keys(), ...BYSTANDER]);
  await protect(stage, books.namespace, stays);
  const head = await commitBooks(books);
  await askForRefresh(books);
  const reached = await untilEqual(stage, endOf(books));
  const kept = await protect(stage, books.namespace, stays);
  const faults = trial.git ? gitHook(trial.git, PREFIX) : undefined;
  let answers = 0;
  // A fetch takes up at most one answer after an old state, so a poll sees the new state before the next old one.
  gitHooks.set(PREFIX, async (request) => {
    const shown = answers++ % 3 === 0 ? old : head;
    await books.repository.git(['update-ref', 'refs/heads/main', shown]);
    return faults?.(request);
  });
  for (let count = 3 + chance.int(3); count > 0; count--) await refreshed(books);
  gitHooks.delete(PREFIX);
  await books.repository.git(['update-ref', 'refs/heads/main', head]);
  await askForRefresh(books);
  const outcome = joinOutcomes(reached, await untilEqual(stage, endOf(books)));
  return verdictOf(outcome, { unintendedDeletes: await lossesOf(stage, books.namespace, kept) });
}

/** Resolves once a refresh is answered and the pass after it has ended, or after the patience of a test. */
async function refreshed({ application }: Books): Promise<void> {
  const isAtRest = (found: Parameters<typeof readyReason>[0]): boolean => !/Reconciling/.test(readyReason(found));
  await application
    .refresh()
    .then(() => application.until('at rest', isAtRest))
    .catch(() => undefined);
}
