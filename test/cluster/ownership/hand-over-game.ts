/**
 * Random rounds of hand-over: three Applications of one repository, with moves, duplicates, broken folders, renames,
 * exchanged specs, modes that write nothing, syncs of givers in mode manual, Applications that come and never held
 * anything, and kills of the agent.
 *
 * Invariant: the expectations come from the game's own books: an object that a living Application desires all the time
 * keeps its uid, and an object that none desires is deleted once every Application acts again.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningAgent } from '../../support/agent.ts';
import { newChance, type Chance } from '../../support/chance.ts';
import type { TestRepository } from '../../support/git-repository.ts';
import { configMap, text } from '../../support/objects.ts';
import { at, makeNamespace, OWNER } from '../../support/scene.ts';
import { eventually, type ApplicationHandle, type Json, type World } from '../../support/world.ts';

const FOLDERS = ['a', 'b', 'c'];
/** The folder of an Application that comes later, paused, and has never held an object. */
const NEW_FOLDER = 'd';
const OBJECTS = Array.from({ length: 9 }, (_, index) => `o${index}`);
const MODES = ['auto', 'manual', 'detect', 'suspend'] as const;
type Mode = (typeof MODES)[number];

/** Longest pause between two changes of a round. */
const MAX_PAUSE_MS = 300;

// A loaded machine must not let the wait end: then objects are deleted by design.
const FLAGS = [
  '--hand-over-wait',
  '10m',
  '--progress-check',
  '300ms',
  '--min-backoff',
  '100ms',
  '--max-backoff',
  '500ms',
];

/** The one agent of all games. A kill by one game hits the others too. */
export class SharedAgent implements AsyncDisposable {
  readonly #world: World;
  #running: Promise<RunningAgent>;
  kills = 0;

  constructor(world: World) {
    this.#world = world;
    this.#running = world.agent({ flags: FLAGS });
  }

  /** Kills the agent, and starts the next one. Games that ask at the same time get one kill after the other. */
  async kill(): Promise<void> {
    this.kills++;
    const before = this.#running;
    this.#running = before.then(async (agent) => {
      await agent.kill();
      return this.#world.agent({ flags: FLAGS });
    });
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#running).stop();
  }
}

interface Declared {
  readonly handle: ApplicationHandle;
  folder: string;
  mode: Mode;
}

export interface GameOptions {
  readonly world: World;
  readonly agent: SharedAgent;
  readonly seed: number;
}

export class Game {
  readonly #options: GameOptions;
  readonly #namespace: string;
  readonly #chance: Chance;
  readonly #where = new Map(OBJECTS.map((name, index) => [name, new Set([FOLDERS[index % 3] ?? 'a'])]));
  readonly #repository: TestRepository;
  #applications: Declared[] = [];
  #broken: string | undefined;
  #head = '';
  #serial = 0;

  private constructor(options: GameOptions, repository: TestRepository) {
    this.#options = options;
    this.#namespace = `pool-${options.seed}`;
    this.#chance = newChance(options.seed);
    this.#repository = repository;
  }

  static async start(options: GameOptions): Promise<Game> {
    const game = new Game(options, await options.world.repository(`game-${options.seed}`));
    await makeNamespace(options.world, game.#namespace);
    await game.#commit();
    for (const folder of FOLDERS) await game.#declare(folder);
    await game.#settle('the first commit');
    return game;
  }

  /** A few changes; then most often everything is mended, and the Applications come to rest. */
  async play(round: number): Promise<void> {
    const before = await this.#uids();
    let kept = this.#desired();
    const told: string[] = [];
    for (let count = 1 + this.#chance.int(3); count > 0; count--) {
      told.push(await this.#change());
      kept = kept.intersection(this.#desired());
      await this.#refreshAll();
      if (this.#chance.may(0.7)) await sleep(this.#chance.int(MAX_PAUSE_MS));
    }
    told.push(await this.#mend());
    kept = kept.intersection(this.#desired());
    const what = `seed ${this.#options.seed}, round ${round}: ${told.join('; ')}`;
    await this.#refreshAll();
    await this.#settle(what);
    const after = await this.#uids();
    const lost = [...kept].filter((name) => before.has(name) && before.get(name) !== after.get(name));
    assert.deepEqual(lost, [], `${what}: objects were deleted and created again`);
  }

  async #change(): Promise<string> {
    const draw = this.#chance.int(100);
    if (draw < 50) return this.#move();
    if (draw < 60) {
      this.#broken = this.#chance.pick(FOLDERS);
      await this.#commit();
      return `${this.#broken} is broken`;
    }
    if (draw < 65) {
      await this.#options.agent.kill();
      return 'kill';
    }
    const one = this.#chance.pick(this.#applications);
    if (draw < 74) {
      await this.#setMode(one, this.#chance.pick(MODES));
      return `${one.handle.path} ${one.mode}`;
    }
    if (draw < 78) return this.#addOnlooker();
    if (draw < 82) return this.#syncManual();
    return draw < 91 ? this.#rename(one) : this.#exchange(one, this.#chance.pick(this.#applications));
  }

  /** Sometimes to an Application that is paused, and has to be given the objects. */
  async #rename(one: Declared): Promise<string> {
    await this.#declare(one.folder, this.#chance.may(0.25) ? 'manual' : 'auto');
    if (this.#chance.may(0.3)) await sleep(this.#chance.int(MAX_PAUSE_MS));
    await one.handle.remove();
    this.#applications = this.#applications.filter((other) => other !== one);
    return `rename ${one.handle.path}`;
  }

  /** At most one at a time: it is paused until everything is mended. */
  async #addOnlooker(): Promise<string> {
    if (this.#applications.some(({ folder }) => folder === NEW_FOLDER)) return this.#move();
    const mode = this.#chance.pick(['manual', 'suspend'] as const);
    await this.#declare(NEW_FOLDER, mode);
    return `onlooker ${mode}; ${await this.#move()}`;
  }

  async #syncManual(): Promise<string> {
    const manual = this.#applications.filter(({ mode }) => mode === 'manual');
    await Promise.all(manual.map(({ handle }) => handle.request({ action: 'sync', prune: true })));
    return `sync ${manual.map(({ handle }) => handle.path).join(' ')}`;
  }

  async #exchange(one: Declared, other: Declared): Promise<string> {
    [one.folder, other.folder] = [other.folder, one.folder];
    await Promise.all([one, other].map(({ handle, folder }) => handle.patch({ source: { path: folder } })));
    return `exchange ${one.handle.path} and ${other.handle.path}`;
  }

  async #setMode(declared: Declared, mode: Mode): Promise<void> {
    declared.mode = mode;
    const isSuspended = mode === 'suspend';
    await declared.handle.patch({ suspend: isSuspended, sync: { mode: isSuspended ? 'auto' : mode } });
  }

  async #move(): Promise<string> {
    const told: string[] = [];
    for (let count = 1 + this.#chance.int(4); count > 0; count--) {
      const name = this.#chance.pick(OBJECTS);
      const draw = this.#chance.int(10);
      const to = this.#chance.pick(this.#folders());
      if (draw < 6) this.#where.set(name, new Set([to]));
      else if (draw < 8) this.#where.set(name, new Set());
      else this.#where.get(name)?.add(to);
      told.push(`${name}→${[...(this.#where.get(name) ?? [])].join('+')}`);
    }
    await this.#commit();
    return told.join(' ');
  }

  /**
   * Ends broken folders, and mostly also modes and duplicates: an Application with an object in conflict, and one that
   * writes nothing, prune nothing.
   */
  async #mend(): Promise<string> {
    this.#broken = undefined;
    const isWhole = this.#chance.may(0.7);
    if (isWhole) {
      for (const [name, folders] of this.#where) this.#where.set(name, new Set([...folders].slice(0, 1)));
      for (const declared of this.#applications) if (declared.mode !== 'auto') await this.#setMode(declared, 'auto');
    }
    await this.#commit();
    return isWhole ? 'mended' : 'not mended';
  }

  #folders(): string[] {
    const hasNew = this.#applications.some(({ folder }) => folder === NEW_FOLDER);
    return hasNew ? [...FOLDERS, NEW_FOLDER] : FOLDERS;
  }

  async #commit(): Promise<void> {
    const files = [...FOLDERS, NEW_FOLDER].map((folder) => {
      const names = OBJECTS.filter((name) => this.#where.get(name)?.has(folder));
      const objects = [configMap(`base-${folder}`), ...names.map((name) => configMap(name))];
      return [`${folder}/all.yaml`, folder === this.#broken ? 'kind: [' : text(...objects)];
    });
    const all = Object.fromEntries(files) as Record<string, string>;
    this.#head = await this.#repository.commit({ ...all, 'serial.md': `${this.#serial++}` });
  }

  async #declare(folder: string, mode: 'auto' | 'manual' | 'suspend' = 'auto'): Promise<void> {
    const isPaused = mode !== 'auto';
    const handle = await this.#options.world.declare(`game-${this.#options.seed}-${this.#serial++}`, {
      source: { repoURL: this.#repository.url, path: folder, interval: '10s' },
      destination: { namespace: this.#namespace },
      ...(isPaused && (mode === 'suspend' ? { suspend: true } : { sync: { mode } })),
    });
    this.#applications.push({ handle, folder, mode });
  }

  /** Does not wait for the answers. */
  async #refreshAll(): Promise<void> {
    await Promise.all(this.#applications.map(({ handle }) => handle.request({ action: 'refresh' })));
  }

  /** Objects in any folder: each has an Application. */
  #desired(): Set<string> {
    return new Set(OBJECTS.filter((name) => this.#where.get(name)?.size));
  }

  async #settle(what: string): Promise<void> {
    let last = '';
    const isSettled = async (): Promise<true | undefined> => {
      last = await this.#unsettled();
      return last === '' ? true : undefined;
    };
    for (let tries = 0; tries < 3; tries++) if (await eventually(isSettled)) return;
    assert.fail(`${what}: not settled: ${last}`);
  }

  /** Says what is missing; '' once every Application has read the newest commit and the objects are as desired. */
  async #unsettled(): Promise<string> {
    const items = await this.#liveObjects();
    const names = new Set(items.map((item) => String(at(item, 'metadata', 'name'))));
    const missing = [...this.#desiredByActing().difference(names)];
    if (missing.length > 0) return `missing: ${missing.join(' ')}`;
    const isWhole = this.#applications.every(({ mode }) => mode === 'auto');
    const hasDuplicates = [...this.#where.values()].some(({ size }) => size > 1);
    if (isWhole && !hasDuplicates) {
      const extra = [...names.difference(this.#desired())];
      const unmarked = items.filter((item) => at(item, 'metadata', 'annotations', OWNER) === undefined);
      if (extra.length + unmarked.length > 0) return JSON.stringify({ extra, unmarked });
    }
    for (const { handle, mode } of this.#applications) {
      if (mode === 'suspend') continue;
      const found = await handle.read();
      if (!String(at(found, 'status', 'sync', 'revision')).endsWith(this.#head))
        return `${handle.path} is not at ${this.#head}: ${JSON.stringify(at(found, 'status', 'conditions'))}`;
    }
    return '';
  }

  #desiredByActing(): Set<string> {
    const folders = new Set(this.#applications.filter(({ mode }) => mode === 'auto').map(({ folder }) => folder));
    return new Set(OBJECTS.filter((name) => (this.#where.get(name) ?? new Set()).intersection(folders).size > 0));
  }

  async #liveObjects(): Promise<Json[]> {
    const list = await this.#options.world.read(`/api/v1/namespaces/${this.#namespace}/configmaps`);
    const items = (at(list, 'items') ?? []) as Json[];
    return items.filter((item) => OBJECTS.includes(String(at(item, 'metadata', 'name'))));
  }

  async #uids(): Promise<Map<string, unknown>> {
    const items = await this.#liveObjects();
    return new Map(items.map((item) => [String(at(item, 'metadata', 'name')), at(item, 'metadata', 'uid')]));
  }
}
