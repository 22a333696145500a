/**
 * Three Applications of one repository whose specs are edited together: folders are exchanged, rotated through a free
 * folder, moved by a commit at the same moment, or taken over by an Application of another name.
 *
 * An object of a folder that some Application has before and after keeps its uid; the others are deleted.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { newChance, type Chance } from '../../support/chance.ts';
import type { TestRepository } from '../../support/git-repository.ts';
import { configMap, text } from '../../support/objects.ts';
import { at, makeNamespace } from '../../support/scene.ts';
import type { ApplicationHandle, Json } from '../../support/world.ts';
import { gitHook } from '../faults.ts';
import { lossesOf, protect, untilEqual, verdictOf, type Expectation, type Ground, type Stage } from '../stage.ts';
import type { Trial, Verdict } from '../trial.ts';
import type { Values } from '../truth.ts';

const NAME = 'specs';
const FOLDERS = ['one', 'two', 'three', 'four'];
/** Milliseconds between two edits; an agent takes edits for one change that are at most three seconds apart. */
const GAPS_MS = [0, 0, 30, 100, 300];

interface Declared {
  readonly handle: ApplicationHandle;
  path: string;
}

interface Group {
  readonly stage: Stage;
  readonly repository: TestRepository;
  readonly applications: Declared[];
  /** Objects by folder. */
  readonly folders: Map<string, Map<string, string>>;
  readonly pages: Map<string, ReadonlyMap<string, Values>>;
  head: string;
}

export async function prepareSpecs(stage: Stage): Promise<Ground> {
  const repository = await stage.world.repository(NAME);
  const folders = new Map(
    FOLDERS.map((folder) => [folder, new Map(['x', 'y', 'z'].map((name) => [`${folder}-${name}`, 'first']))]),
  );
  const group: Group = { stage, repository, applications: [], folders, pages: new Map(), head: '' };
  await commit(group);
  await makeNamespace(stage.world, NAME);
  for (const path of FOLDERS.slice(0, 3)) await declare(group, path);
  return {
    untilReady: () => Promise.all(group.applications.map(({ handle }) => handle.untilReady())),
    play: (trial) => play(group, trial),
  };
}

async function play(group: Group, trial: Trial): Promise<Verdict> {
  const { stage } = group;
  const chance = newChance(trial.seed);
  const edits = chance.pick([exchange, rotate, moveAndExchange, rename])(group, chance);
  const before = desiredOf(group);
  await edits.commit?.();
  const after = edits.pathsAfter.flatMap((path) => [...(group.folders.get(path)?.keys() ?? [])]);
  const kept = await protect(stage, NAME, before.intersection(new Set(after)));
  if (trial.git) stage.gitHooks.set(`/${NAME}.git/`, gitHook(trial.git, `/${NAME}.git/`));
  await edits.run();
  await Promise.all(group.applications.map(({ handle }) => handle.request({ action: 'refresh' })));
  const outcome = await untilEqual(stage, endOfGroup(group));
  stage.gitHooks.delete(`/${NAME}.git/`);
  return verdictOf(outcome, { unintendedDeletes: await lossesOf(stage, NAME, kept) });
}

interface Edits {
  readonly pathsAfter: readonly string[];
  /** Moves objects in Git right before the edits. */
  readonly commit?: () => Promise<void>;
  readonly run: () => Promise<void>;
}

function exchange(group: Group, chance: Chance): Edits {
  const [one, two] = shuffled(group.applications, chance) as [Declared, Declared];
  const paths = new Map([
    [one, two.path],
    [two, one.path],
  ]);
  return edit(group, paths, chance);
}

/** One folder is left, and the one that no Application had is taken. */
function rotate(group: Group, chance: Chance): Edits {
  const free = FOLDERS.find((folder) => group.applications.every(({ path }) => path !== folder)) ?? 'four';
  const order = shuffled(group.applications, chance);
  return edit(group, new Map(order.map((declared, index) => [declared, order[index + 1]?.path ?? free])), chance);
}

function moveAndExchange(group: Group, chance: Chance): Edits {
  const [from, to] = shuffled(group.applications, chance).map(({ path }) => path) as [string, string];
  const run = async (): Promise<void> => {
    const moved = [...(group.folders.get(from) ?? [])].at(-1);
    // A folder keeps one object, so that it does not vanish from Git.
    if (moved && (group.folders.get(from)?.size ?? 0) > 1) {
      group.folders.get(from)?.delete(moved[0]);
      group.folders.get(to)?.set(moved[0], moved[1]);
    }
    await commit(group);
  };
  return { ...exchange(group, chance), commit: run };
}

/** The same folder under another name of the Application; the old one is deleted. */
function rename(group: Group, chance: Chance): Edits {
  const old = chance.pick(group.applications);
  const run = async (): Promise<void> => {
    await declare(group, old.path);
    await sleep(chance.pick(GAPS_MS));
    await old.handle.remove();
    group.applications.splice(group.applications.indexOf(old), 1);
  };
  return { pathsAfter: group.applications.map(({ path }) => path), run };
}

function edit(group: Group, paths: ReadonlyMap<Declared, string>, chance: Chance): Edits {
  const gapMs = chance.pick(GAPS_MS);
  const run = async (): Promise<void> => {
    const written: Promise<void>[] = [];
    for (const [declared, path] of paths) {
      declared.path = path;
      written.push(declared.handle.patch({ source: { path } }));
      if (gapMs > 0) await written.at(-1)?.then(() => sleep(gapMs));
    }
    await Promise.all(written);
  };
  return { pathsAfter: group.applications.map((declared) => paths.get(declared) ?? declared.path), run };
}

async function declare(group: Group, path: string): Promise<void> {
  const { stage, repository, applications } = group;
  const spec = { source: { repoURL: repository.url, path }, destination: { namespace: NAME } };
  applications.push({ handle: await stage.world.declare(`${NAME}-${stage.next()}`, spec), path });
}

async function commit(group: Group): Promise<void> {
  const { folders, repository, stage, pages } = group;
  const files = [...folders].map(([folder, values]) => {
    const manifests = [...values].map(([name, value]) => configMap(name, { value }));
    return [`${folder}/all.yaml`, text(...manifests)] as const;
  });
  const all = { ...Object.fromEntries(files), 'serial.md': String(stage.next()) };
  group.head = await repository.commit(all, { replaceAll: true });
  pages.set(group.head, new Map([...folders].map(([folder, values]) => [folder, new Map(values)])));
}

function desiredOf({ applications, folders }: Group): Set<string> {
  return new Set(applications.flatMap(({ path }) => [...(folders.get(path)?.keys() ?? [])]));
}

function endOfGroup({ applications, head, folders, pages }: Group): Expectation {
  const wantedAt = (at_: string, application: Json): Values | undefined =>
    pages.get(at_)?.get(String(at(application, 'spec', 'source', 'path')));
  const parts = applications.map(({ handle, path }) => {
    return { application: handle, commit: head, wanted: new Map(folders.get(path)), wantedAt };
  });
  return { namespace: NAME, parts };
}

function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(chance.int(left.length), 1));
}
