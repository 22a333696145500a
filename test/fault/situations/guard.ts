/**
 * A commit takes more objects out of Git than the guard lets go, often with new objects beside. Nothing is deleted
 * before a confirmation of exactly these objects; a commit that brings them back ends the wait.
 */
import { newChance, type Chance } from '../../support/chance.ts';
import { at, outcomeOf, readyReason } from '../../support/scene.ts';
import type { Json } from '../../support/world.ts';
import { gitHook } from '../faults.ts';
import {
  askForRefresh,
  BYSTANDER,
  commitBooks,
  endOf,
  failed,
  joinOutcomes,
  lossesOf,
  openBooks,
  protect,
  untilEqual,
  verdictOf,
  type Books,
  type Ground,
  type Outcome,
  type Stage,
} from '../stage.ts';
import type { Trial, Verdict } from '../trial.ts';

const NAME = 'guard';
const PREFIX = `/${NAME}.git/`;
const OBJECTS = 24;
/** More than 10 objects, and more than 30 % of all. */
const LEAST_LEFT = 11;

export async function prepareGuard(stage: Stage): Promise<Ground> {
  const wanted = new Map(Array.from({ length: OBJECTS }, (_, index) => [`first-${index}`, 'first']));
  const books = await openBooks(stage.world, NAME, { wanted });
  return { untilReady: () => books.application.untilReady(), play: (trial) => play(stage, books, trial) };
}

async function play(stage: Stage, books: Books, trial: Trial): Promise<Verdict> {
  const { witness, gitHooks } = stage;
  const chance = newChance(trial.seed);
  const filled = await fill(stage, books);
  const before = new Map(books.wanted);
  const kept = await protect(stage, NAME, new Set([...before.keys(), ...BYSTANDER]));
  if (trial.git) gitHooks.set(PREFIX, gitHook(trial.git, PREFIX));
  const left = takeOut(books, chance, stage.next());
  await commitBooks(books);
  await askForRefresh(books);
  const outcomes = [filled, await untilHeld(books, left.length)];
  if (chance.may(0.5)) {
    for (let index = 0; index < 40; index++) books.wanted.set(`grown-${stage.next()}`, 'grown');
    await commitBooks(books);
    await askForRefresh(books);
    outcomes.push(await untilHeld(books, left.length));
  }
  const mayDelete = chance.may(0.5);
  if (mayDelete) {
    for (const name of left) {
      witness.release(NAME, name);
      kept.delete(name);
    }
    outcomes.push(await confirm(books));
  } else {
    outcomes.push(await refuse(books));
    for (const [name, value] of before) books.wanted.set(name, value);
    await commitBooks(books);
    await askForRefresh(books);
  }
  outcomes.push(await untilEqual(stage, endOf(books)));
  gitHooks.delete(PREFIX);
  return verdictOf(joinOutcomes(...outcomes), { unintendedDeletes: await lossesOf(stage, NAME, kept) });
}

/** Brings the Application to at least as many objects as a trial needs. */
async function fill(stage: Stage, books: Books): Promise<Outcome> {
  while (books.wanted.size < OBJECTS) books.wanted.set(`filled-${stage.next()}`, 'filled');
  await commitBooks(books);
  await askForRefresh(books);
  return untilEqual(stage, endOf(books));
}

/** Takes objects out of Git, and adds as many others under new names, or more, or none. */
function takeOut({ wanted }: Books, chance: Chance, round: number): string[] {
  const least = Math.max(LEAST_LEFT, Math.floor(wanted.size * 0.3) + 1, wanted.size - OBJECTS);
  const left = [...wanted.keys()].slice(0, Math.min(wanted.size - 1, least + chance.int(8)));
  for (const name of left) wanted.delete(name);
  const added = chance.pick([0, left.length, 4 * left.length]);
  for (let index = 0; index < added; index++) wanted.set(`new-${round}-${index}`, 'new');
  return left;
}

function heldOf(application: Json | undefined): unknown {
  return at(application, 'status', 'pruneGuard', 'held');
}

/** Waits until the status shows that so many objects wait at the newest commit. */
async function untilHeld({ application, head }: Books, count: number): Promise<Outcome> {
  const isHeld = (found: Json): boolean => {
    const held = heldOf(found);
    const isThis = at(held, 'objects') === count && String(at(held, 'revision')).endsWith(head);
    return isThis && readyReason(found) === 'False PruneHeld';
  };
  try {
    const found = await application.until('held', isHeld);
    const sync = at(found, 'status', 'sync', 'status');
    const untrueStatus =
      sync === 'OutOfSync' ? [] : [`a prune of ${count} objects is held, and sync is ${String(sync)}`];
    return { isConverged: true, orphans: [], untrueStatus, findings: [] };
  } catch (error) {
    return failed(`not held: ${String(error).slice(0, 400)}`);
  }
}

const ACCEPTED: Outcome = { isConverged: true, orphans: [], untrueStatus: [], findings: [] };

/**
 * As a person would: reads the digest, confirms it, and reads it again when another set is held by now. A fault may
 * fail a confirmed prune half-way; the few objects that are left are then pruned by the next pass, and nothing is held.
 */
async function confirm({ application }: Books): Promise<Outcome> {
  for (let tries = 0; tries < 5; tries++) {
    const digest = at(heldOf(await application.read()), 'digest');
    if (digest === undefined && tries > 0) return ACCEPTED;
    const answered = await application.ask({ action: 'confirm-prune', digest }).catch(() => undefined);
    if (answered && outcomeOf(answered) === 'Succeeded') return ACCEPTED;
  }
  return failed('the confirmation was not accepted');
}

async function refuse({ application }: Books): Promise<Outcome> {
  const answered = await application.ask({ action: 'confirm-prune', digest: 'another' }).catch(() => undefined);
  const outcome = answered && outcomeOf(answered);
  const isRefused = outcome === 'Refused';
  if (isRefused) return { isConverged: true, orphans: [], untrueStatus: [], findings: [] };
  return failed(`a confirmation of another set was ${String(outcome)}`);
}
