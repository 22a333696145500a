/**
 * Another client changes, replaces or deletes an object whenever it is as in Git. The agent slows down, says Contested,
 * and heals the object in the end when the other client stops.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { newChance } from '../../support/chance.ts';
import { configMap } from '../../support/objects.ts';
import { at, configMapPath } from '../../support/scene.ts';
import { conditionOf } from '../../support/world.ts';
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
  type Outcome,
  type Stage,
} from '../stage.ts';
import type { Trial, Verdict } from '../trial.ts';

const NAME = 'fight';
const PREFIX = `/${NAME}.git/`;
const OTHERS = ['a', 'b', 'c'];
const FIGHT_MS = 60_000;
/** The fight goes on for so long after the status has said Contested; without a brake it sees dozens of blows. */
const CONTESTED_MS = 3_000;

/** The pauses are 2 s, 6 s and 18 s. An agent that starts begins with the first one. */
const MOST_BLOWS_OF_AGENT = 5;

const BLOWS = ['patch', 'replace', 'delete'] as const;

export async function prepareFight(stage: Stage): Promise<Ground> {
  const wanted = new Map([...OTHERS, 'fought'].map((name) => [name, 'first']));
  const books = await openBooks(stage.world, NAME, { wanted });
  return { untilReady: () => books.application.untilReady(), play: (trial) => play(stage, books, trial) };
}

async function play(stage: Stage, books: Books, trial: Trial): Promise<Verdict> {
  const { gitHooks } = stage;
  const blow = newChance(trial.seed).pick(BLOWS);
  // A new name, so that the agent does not remember the fight before. The old object leaves Git.
  const fought = `fought-${stage.next()}`;
  for (const name of books.wanted.keys()) if (!OTHERS.includes(name)) books.wanted.delete(name);
  books.wanted.set(fought, 'git');
  const kept = await protect(stage, NAME, new Set([...OTHERS, ...BYSTANDER]));
  if (trial.git) gitHooks.set(PREFIX, gitHook(trial.git, PREFIX));
  await commitBooks(books);
  await askForRefresh(books);
  const begun = await untilEqual(stage, endOf(books));
  const fight = begun.isConverged ? await fightFor(stage, books, { fought, blow }) : begun;
  const end = await untilEqual(stage, { ...endOf(books), isDisturbed: true });
  gitHooks.delete(PREFIX);
  const outcome: Outcome = {
    isConverged: begun.isConverged && fight.isConverged && end.isConverged,
    orphans: end.orphans,
    untrueStatus: [...begun.untrueStatus, ...fight.untrueStatus, ...end.untrueStatus],
    findings: [...begun.findings, ...fight.findings, ...end.findings],
  };
  return verdictOf(outcome, { unintendedDeletes: await lossesOf(stage, NAME, kept) });
}

interface Fight {
  readonly fought: string;
  readonly blow: (typeof BLOWS)[number];
}

/** Strikes until some time after the status has called the object contested. */
async function fightFor({ world, starts }: Stage, { application }: Books, { fought, blow }: Fight): Promise<Outcome> {
  const path = configMapPath(NAME, fought);
  let endMs = performance.now() + FIGHT_MS;
  const startsBefore = starts();
  const mostBlows = (): number => MOST_BLOWS_OF_AGENT * (1 + starts() - startsBefore);
  let blows = 0;
  let isContested = false;
  while (performance.now() < endMs && blows <= mostBlows()) {
    const live = await world.read(path);
    if (at(live, 'data', 'value') === 'git') {
      blows++;
      await strike(blow);
    }
    const contested = isContested ? undefined : conditionOf(await application.read(), 'Contested');
    if (String(contested?.['message']).includes(`/${fought}`)) {
      isContested = true;
      endMs = performance.now() + CONTESTED_MS;
    }
    await sleep(50);
  }
  const told = `${blow} of ${fought}, ${blows} times`;
  const hasBrake = blows <= mostBlows();
  return {
    isConverged: hasBrake,
    orphans: [],
    untrueStatus: isContested ? [] : [`not Contested after ${told}`],
    findings: hasBrake ? [] : [`no brake: ${told}`],
  };

  async function strike(kind: Fight['blow']): Promise<void> {
    if (kind === 'patch') await world.plane.request('PATCH', path, { data: { value: 'other' } });
    else if (kind === 'replace')
      await world.plane.request('PUT', path, configMap(fought, { value: 'other' }, { namespace: NAME }));
    else await world.plane.request('DELETE', path);
  }
}
