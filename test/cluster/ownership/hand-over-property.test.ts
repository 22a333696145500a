/**
 * The property of hand-over against a real API server: three Applications of one repository, random moves, duplicates,
 * broken folders, renames, exchanged specs and kills. An object that a living Application desires all the time keeps
 * its uid, and an object that none desires is deleted.
 *
 * TAUTLINE_HAND_OVER_SECONDS sets the length, TAUTLINE_HAND_OVER_SEED the series.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningAgent } from '../../support/agent.ts';
import type { TestRepository } from '../../support/git-repository.ts';
import { configMap, text } from '../../support/objects.ts';
import { at, makeNamespace, OWNER } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { eventually, type ApplicationHandle, type Json } from '../../support/world.ts';

const SECONDS = Number(process.env['TAUTLINE_HAND_OVER_SECONDS'] ?? 60);
const SEED = Number(process.env['TAUTLINE_HAND_OVER_SEED'] ?? 1);
const NAMESPACE = 'pool';
const FOLDERS = ['a', 'b', 'c'];
const OBJECTS = Array.from({ length: 9 }, (_, index) => `o${index}`);
// A loaded machine must not let the wait end: then objects are deleted by design.
const FLAGS = ['--hand-over-wait', '10m', '--progress-check', '500ms', '--max-backoff', '1s'];

const { world } = useWorld();

test(`objects that stay desired live on, and others are deleted, in random rounds of seed ${SEED}`, async (t) => {
  await using game = await Game.start();
  const endMs = Date.now() + SECONDS * 1_000;
  let round = 0;
  do await game.play(++round);
  while (Date.now() < endMs);
  t.diagnostic(`${round} rounds`);
});

interface Declared {
  readonly handle: ApplicationHandle;
  folder: string;
}

class Game {
  readonly #chance = chanceOf(SEED);
  readonly #where = new Map(OBJECTS.map((name, index) => [name, new Set([FOLDERS[index % 3] ?? 'a'])]));
  readonly #repository: TestRepository;
  #agent: RunningAgent;
  #applications: Declared[] = [];
  #broken: string | undefined;
  #head = '';
  #serial = 0;

  private constructor(repository: TestRepository, agent: RunningAgent) {
    this.#repository = repository;
    this.#agent = agent;
  }

  static async start(): Promise<Game> {
    const repository = await world.repository('property');
    await makeNamespace(world, NAMESPACE);
    const game = new Game(repository, await world.agent({ flags: FLAGS }));
    await game.#commit();
    for (const folder of FOLDERS) await game.#declare(folder);
    await game.#settle('the first commit');
    return game;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.stop();
  }

  async play(round: number): Promise<void> {
    const before = await uids();
    let kept = this.#desired();
    const told: string[] = [];
    for (let count = 1 + Math.floor(this.#chance() * 3); count > 0; count--) {
      told.push(await this.#change());
      kept = kept.intersection(this.#desired());
      this.#refreshAll();
      await sleep(this.#chance() * 1_500);
    }
    await this.#mend();
    kept = kept.intersection(this.#desired());
    const what = `seed ${SEED}, round ${round}: ${told.join('; ')}`;
    this.#refreshAll();
    await this.#settle(what);
    const after = await uids();
    const lost = [...kept].filter((name) => before.has(name) && before.get(name) !== after.get(name));
    assert.deepEqual(lost, [], `${what}: objects were deleted and created again`);
  }

  async #change(): Promise<string> {
    const draw = this.#chance();
    if (draw < 0.5) return this.#move();
    if (draw < 0.6) {
      this.#broken = this.#pick(FOLDERS);
      await this.#commit();
      return `${this.#broken} is broken`;
    }
    if (draw < 0.75) {
      await this.#agent.kill();
      this.#agent = await world.agent({ flags: FLAGS });
      return 'kill';
    }
    const one = this.#pick(this.#applications);
    if (draw < 0.87) {
      await this.#declare(one.folder);
      await one.handle.remove();
      this.#applications = this.#applications.filter((other) => other !== one);
      return `rename ${one.handle.path}`;
    }
    const other = this.#pick(this.#applications);
    [one.folder, other.folder] = [other.folder, one.folder];
    await Promise.all([one, other].map(({ handle, folder }) => handle.patch({ source: { path: folder } })));
    return `exchange ${one.handle.path} and ${other.handle.path}`;
  }

  async #move(): Promise<string> {
    const told: string[] = [];
    for (let count = 1 + Math.floor(this.#chance() * 4); count > 0; count--) {
      const name = this.#pick(OBJECTS);
      const draw = this.#chance();
      const to = this.#pick(FOLDERS);
      if (draw < 0.6) this.#where.set(name, new Set([to]));
      else if (draw < 0.8) this.#where.set(name, new Set());
      else this.#where.get(name)?.add(to);
      told.push(`${name}→${[...(this.#where.get(name) ?? [])].join('+')}`);
    }
    await this.#commit();
    return told.join(' ');
  }

  /** Ends broken folders and duplicates: while an object is in conflict, its Application prunes nothing. */
  async #mend(): Promise<void> {
    this.#broken = undefined;
    for (const [name, folders] of this.#where) this.#where.set(name, new Set([...folders].slice(0, 1)));
    await this.#commit();
  }

  async #commit(): Promise<void> {
    const files = FOLDERS.map((folder) => {
      const names = OBJECTS.filter((name) => this.#where.get(name)?.has(folder));
      const objects = [configMap(`base-${folder}`), ...names.map((name) => configMap(name))];
      return [`${folder}/all.yaml`, folder === this.#broken ? 'kind: [' : text(...objects)];
    });
    this.#head = await this.#repository.commit({
      ...(Object.fromEntries(files) as Record<string, string>),
      'serial.md': `${this.#serial++}`,
    });
  }

  async #declare(folder: string): Promise<void> {
    const handle = await world.declare(`property-${this.#serial++}`, {
      source: { repoURL: this.#repository.url, path: folder, interval: '10s' },
      destination: { namespace: NAMESPACE },
    });
    this.#applications.push({ handle, folder });
  }

  #refreshAll(): void {
    // An Application that is renamed meanwhile does not answer.
    for (const { handle } of this.#applications) void handle.refresh().catch(() => undefined);
  }

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

  /** Says what is missing; '' once every Application is Ready at the newest commit and the objects are as desired. */
  async #unsettled(): Promise<string> {
    for (const { handle } of this.#applications) {
      const found = await handle.read();
      const isAtHead = String(at(found, 'status', 'sync', 'revision')).endsWith(this.#head);
      if (!isAtHead)
        return `${handle.path} is not at ${this.#head}: ${JSON.stringify(at(found, 'status', 'conditions'))}`;
    }
    const desired = this.#desired();
    const items = await liveObjects();
    const names = new Set(items.map((item) => String(at(item, 'metadata', 'name'))));
    const missing = [...desired.difference(names)];
    const extra = OBJECTS.filter((name) => names.has(name) && !desired.has(name));
    const unmarked = items.filter((item) => at(item, 'metadata', 'annotations', OWNER) === undefined);
    const isWrong = missing.length + extra.length + unmarked.length > 0;
    return isWrong ? JSON.stringify({ missing, extra, unmarked }) : '';
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#chance() * items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }
}

async function liveObjects(): Promise<Json[]> {
  const list = await world.read(`/api/v1/namespaces/${NAMESPACE}/configmaps`);
  const items = (at(list, 'items') ?? []) as Json[];
  return items.filter((item) => OBJECTS.includes(String(at(item, 'metadata', 'name'))));
}

async function uids(): Promise<Map<string, unknown>> {
  const items = await liveObjects();
  return new Map(items.map((item) => [String(at(item, 'metadata', 'name')), at(item, 'metadata', 'uid')]));
}

/** Mulberry32: a number from 0 to 1 for each call, the same series for the same seed. */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
