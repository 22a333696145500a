/**
 * Jobs that end and are removed, as the controllers for Jobs and for their time to live do it: at once, later while
 * the agent may be away, or never; then further commits, among them one that is broken. Each manifest runs once.
 */
import { newChance, type Chance } from '../../support/chance.ts';
import { job, text, type Manifest } from '../../support/objects.ts';
import { at, endJob, jobPath } from '../../support/scene.ts';
import { eventually } from '../../support/world.ts';
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
  type Stage,
} from '../stage.ts';
import type { Trial, Verdict } from '../trial.ts';
import { MANIFEST_ANNOTATION } from '../witness.ts';

const NAME = 'jobs';
const PREFIX = `/${NAME}.git/`;

export async function prepareJobs(stage: Stage): Promise<Ground> {
  const wanted = new Map(['a', 'b', 'c'].map((name) => [name, 'first']));
  const books = await openBooks(stage.world, NAME, { wanted });
  return { untilReady: () => books.application.untilReady(), play: (trial) => play(stage, books, trial) };
}

async function play(stage: Stage, books: Books, trial: Trial): Promise<Verdict> {
  const { witness, gitHooks } = stage;
  const chance = newChance(trial.seed);
  const name = `job-${stage.next()}`;
  const file = text(drawJob(name, chance));
  const kept = await protect(stage, NAME, new Set([...books.wanted.keys(), ...BYSTANDER]));
  if (trial.git) gitHooks.set(PREFIX, gitHook(trial.git, PREFIX));
  books.wanted.set('a', name);
  await commitBooks(books, { files: { 'job.yaml': file } });
  await askForRefresh(books);
  const isDisturbed = trial.kill !== undefined || trial.api !== undefined || trial.isPaired;
  const isRun = await endAsControllers({ stage, books, name, chance, isSteady: !isDisturbed });
  if (!isRun) return verdictOf(failed('the Job was not created'), { unintendedDeletes: witness.endProtection(NAME) });
  const outcomes = [await untilEqual(stage, endOf(books, { others: 1 }))];
  if (chance.may(0.4)) {
    await commitBooks(books, { files: { 'job.yaml': `${file}\n---\n: : broken: [\n` } });
    await books.application.refresh().catch(() => undefined);
  }
  books.wanted.set('b', name);
  await commitBooks(books, { files: { 'job.yaml': file } });
  await askForRefresh(books);
  outcomes.push(await untilEqual(stage, endOf(books, { others: 1 })));
  gitHooks.delete(PREFIX);
  const runs = witness.jobRuns.get(`${NAME}/${name} ${name}`)?.size ?? 0;
  return verdictOf(joinOutcomes(...outcomes), {
    jobsRunTwice: runs > 1 ? [`${name} ran ${runs} times`] : [],
    unintendedDeletes: await lossesOf(stage, NAME, kept),
  });
}

function drawJob(name: string, chance: Chance): Manifest {
  const ttl = chance.pick([undefined, 0, 3]);
  const annotations = {
    [MANIFEST_ANNOTATION]: name,
    ...(chance.may(0.5) ? { 'argocd.argoproj.io/hook': 'PreSync' } : {}),
  };
  return job(name, { metadata: { annotations }, spec: ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl } });
}

interface Ending {
  readonly stage: Stage;
  readonly books: Books;
  readonly name: string;
  readonly chance: Chance;
  /** Whether no fault keeps the agent from seeing the Job before it is removed. */
  readonly isSteady: boolean;
}

/** Ends the Job and removes it by its time to live. Resolves to whether there was one. */
async function endAsControllers({ stage, books, name, chance, isSteady }: Ending): Promise<boolean> {
  const { world, witness } = stage;
  const path = jobPath(NAME, name);
  const live = await eventually(() => world.read(path));
  if (!live) return false;
  const uid = String(at(live, 'metadata', 'uid'));
  witness.protect(NAME, uid, name);
  const isRecorded = async (): Promise<true | undefined> => {
    const { started, finished } = (await books.application.read())?.['status'] ?? {};
    return JSON.stringify({ started, finished }).includes(`/${name}"`) ? true : undefined;
  };
  // A Job that comes and goes between a kill and the next start leaves no trace that it was there.
  if (!isSteady || chance.may(0.5)) await eventually(isRecorded);
  await endJob(world, path);
  witness.release(NAME, name);
  const ttl = at(live, 'spec', 'ttlSecondsAfterFinished');
  if (ttl === undefined) return true;
  const options = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background', preconditions: { uid } };
  await world.send('DELETE', path, options);
  return true;
}
