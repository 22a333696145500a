/**
 * Situations of one Application that follows a repository: commits with hand edits, and the end of the Application.
 * Objects that are in Git before and after a commit keep their uids, and so does a bystander.
 */
import { newChance } from '../../support/chance.ts';
import { configMap, type Manifest } from '../../support/objects.ts';
import { configMapPath, untilGone } from '../../support/scene.ts';
import { gitHook } from '../faults.ts';
import {
  askForRefresh,
  BYSTANDER,
  commitBooks,
  endOf,
  failed,
  liveConfigMaps,
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

/** Objects that can be in Git. A commit removes one only while more than `LEAST_OBJECTS` are there. */
export const OBJECTS = 24;
const LEAST_OBJECTS = 16;

/** One object more: an immutable ConfigMap that the agent may delete and create again to change it. */
const SEALED = 'sealed';

export async function prepareCommits(stage: Stage, name: string): Promise<Ground> {
  const names = Array.from({ length: OBJECTS }, (_, index) => nameOf(index));
  const wanted = new Map([...names, SEALED].map((object) => [object, 'first']));
  const spec = { health: { wait: true } };
  const books = await openBooks(stage.world, name, { wanted: new Map(), spec });
  for (const [object, value] of wanted) books.wanted.set(object, value);
  await commitBooks(books, { manifestOf });
  const played: Played = { ...books, unmarked: new Set() };
  return {
    untilReady: () => books.application.untilReady(),
    play: (trial) => (trial.situation === 'removal' ? playRemoval(stage, played) : playCommits(stage, played, trial)),
  };
}

interface Played extends Books {
  /** Objects that lost the marks by hand, perhaps right when they left Git: those are not deleted. */
  readonly unmarked: Set<string>;
}

async function playCommits(stage: Stage, books: Played, trial: Trial): Promise<Verdict> {
  const { gitHooks } = stage;
  const before = new Set(books.wanted.keys());
  const round = stage.next();
  changeWanted(books, trial, round);
  const deleted = trial.handEdits.filter(({ action }) => action === 'delete').map(({ index }) => nameOf(index));
  const mayGo = new Set([...deleted, ...(trial.isRecreation === true ? [SEALED] : [])]);
  const stays = new Set([...books.wanted.keys()].filter((name) => before.has(name) && !mayGo.has(name)));
  const kept = await protect(stage, books.namespace, stays.union(BYSTANDER));
  if (trial.git) gitHooks.set(`/${books.name}.git/`, gitHook(trial.git, `/${books.name}.git/`));
  await Promise.all([
    commitBooks(books, { manifestOf }),
    ...trial.handEdits.map((edit) => editByHand(stage, books, edit, round)),
  ]);
  await askForRefresh(books);
  for (const { index, action } of trial.handEdits) if (action === 'unlabel') books.unmarked.add(nameOf(index));
  const outcome = await untilEqual(stage, {
    ...endOf(books),
    isDisturbed: trial.handEdits.length > 0,
    strangers: BYSTANDER.union(books.unmarked),
  });
  for (const name of books.wanted.keys()) books.unmarked.delete(name);
  gitHooks.delete(`/${books.name}.git/`);
  return verdictOf(outcome, { unintendedDeletes: await lossesOf(stage, books.namespace, kept) });
}

/** The Application is deleted with its objects, and declared again afterwards. */
async function playRemoval(stage: Stage, books: Played): Promise<Verdict> {
  const { world } = stage;
  const { name, namespace, application, repository, wanted } = books;
  const kept = await protect(stage, namespace, BYSTANDER);
  await application.remove();
  const isGone = await untilGone(world, application.path).then(
    () => true,
    () => false,
  );
  const live = await liveConfigMaps(world, namespace);
  const orphans = [...wanted.keys()].filter((object) => live.has(object)).map((object) => `${object} is left`);
  const unintendedDeletes = await lossesOf(stage, namespace, kept);
  if (!isGone) return verdictOf(failed('the Application is still there'), { orphans, unintendedDeletes });
  const spec = { source: { repoURL: repository.url }, destination: { namespace }, health: { wait: true } };
  await world.declare(name, spec);
  const again: Outcome = await untilEqual(stage, { ...endOf(books), strangers: BYSTANDER.union(books.unmarked) });
  return verdictOf(again, { orphans: [...orphans, ...again.orphans], unintendedDeletes });
}

/** Enough objects stay in Git that the prune guard does not stop the sync. */
function changeWanted({ wanted }: Books, { commit, isRecreation = false, seed }: Trial, round: number): void {
  const chance = newChance(seed);
  const value = `round ${round}, ${chance.int(1000)}`;
  if (isRecreation) wanted.set(SEALED, value);
  for (const { index, action } of commit) {
    const name = nameOf(index);
    if (action === 'toggle' && wanted.has(name)) {
      if (wanted.size > LEAST_OBJECTS) wanted.delete(name);
    } else wanted.set(name, value);
  }
}

async function editByHand(
  { world }: Stage,
  { namespace }: Books,
  { index, action }: Trial['handEdits'][number],
  round: number,
): Promise<void> {
  const path = configMapPath(namespace, nameOf(index));
  if (action === 'delete') return void (await world.plane.request('DELETE', path));
  const live = await world.read(path);
  if (!live) return;
  const edited = structuredClone(live) as unknown as { data: object; metadata: { labels: object } };
  if (action === 'change') edited.data = { value: `by hand ${round}` };
  else edited.metadata.labels = {};
  // The answer is not checked, since a conflict with the agent's own write is part of the trial.
  await world.plane.request('PUT', path, edited);
}

function nameOf(index: number): string {
  return `object-${String(index % OBJECTS).padStart(2, '0')}`;
}

function manifestOf(name: string, value: string): Manifest {
  if (name !== SEALED) return configMap(name, { value });
  const metadata = { annotations: { 'argocd.argoproj.io/sync-options': 'Force=true' } };
  return { ...configMap(name, { value }, metadata), immutable: true };
}
