/**
 * The property of hand-over: over random commits, spec edits, renames and kills, no object that a living Application
 * desires all the time is deleted, and no object that none desires stays.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Model, type Commit } from './hand-over-model.ts';

const PATHS = ['a', 'b', 'c'];
const OBJECTS = Array.from({ length: 6 }, (_, index) => `o${index}`);

/** TAUTLINE_HAND_OVER_SEEDS=500 and TAUTLINE_HAND_OVER_ROUNDS=500 for more. */
const SEEDS = Number(process.env['TAUTLINE_HAND_OVER_SEEDS'] ?? 20);
const ROUNDS = Number(process.env['TAUTLINE_HAND_OVER_ROUNDS'] ?? 25);

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`objects that stay desired live on, and others are deleted, in ${ROUNDS} random rounds of seed ${seed}`, async () => {
    const chance = chanceOf(seed);
    const game = new Game(chance);
    await game.settle('the first commit');
    for (let round = 0; round < ROUNDS; round++) await game.play(round);
  });
}

class Game {
  readonly #chance: () => number;
  readonly #where = new Map<string, Set<string>>();
  readonly #model: Model;
  #broken: string | undefined;
  #absent: string | undefined;
  #serial = 0;

  constructor(chance: () => number) {
    this.#chance = chance;
    OBJECTS.forEach((name, index) => this.#where.set(name, new Set([PATHS[index % 3] ?? 'a'])));
    this.#model = new Model(this.#commit(), chance);
    for (const path of PATHS) this.#model.declare(`app-${this.#serial++}`, path);
  }

  /** A few changes without a pause between them; then everything is mended, and the Applications come to rest. */
  async play(round: number): Promise<void> {
    const model = this.#model;
    const before = new Map([...model.cluster].map(([name, { uid }]) => [name, uid]));
    let kept = model.desired();
    const told: string[] = [];
    const changes = 1 + Math.floor(this.#chance() * 4);
    for (let count = 0; count < changes; count++) {
      told.push(this.#change());
      kept = kept.intersection(model.desired());
      const steps = Math.floor(this.#chance() * 60);
      for (let step = 0; step < steps; step++) await model.step();
    }
    this.#mend();
    kept = kept.intersection(model.desired());
    const what = `round ${round}: ${told.join(', ')}`;
    await this.settle(what);
    for (const name of kept) {
      const uid = before.get(name);
      if (uid !== undefined) assert.equal(model.cluster.get(name)?.uid, uid, `${what}: ${name} was deleted`);
    }
  }

  async settle(what: string): Promise<void> {
    const model = this.#model;
    for (let step = 0; step < 5_000 && !model.isSettled(); step++) await model.step();
    const state = JSON.stringify([[...model.cluster], [...model.stored], [...model.desired()]]);
    assert.ok(model.isSettled(), `${what}: not settled: ${state}\n${model.log.slice(-20).join('\n')}`);
  }

  #change(): string {
    const model = this.#model;
    const draw = this.#chance();
    const path = this.#pick(PATHS);
    if (draw < 0.5) return this.#move();
    if (draw < 0.6) {
      this.#broken = path;
      model.head = this.#commit();
      return `${path} broken`;
    }
    if (draw < 0.65) {
      this.#absent = path;
      model.head = this.#commit();
      return `${path} absent`;
    }
    if (draw < 0.75) {
      model.kill();
      return 'kill';
    }
    const living = [...model.stored].filter(([, { isDeleted }]) => !isDeleted);
    const [key, old] = this.#pick(living);
    if (draw < 0.9) {
      model.declare(`app-${this.#serial++}`, old.path);
      model.remove(key);
      return `rename ${key}`;
    }
    // Two specs are exchanged in one go.
    const [other, otherOld] = this.#pick(living);
    const paths = [otherOld.path, old.path] as const;
    if (key === other) return 'nothing';
    model.edit(key, paths[0]);
    model.edit(other, paths[1]);
    return `exchange ${key} ${other}`;
  }

  #move(): string {
    const told: string[] = [];
    for (let count = 1 + Math.floor(this.#chance() * 3); count > 0; count--) {
      const name = this.#pick(OBJECTS);
      const draw = this.#chance();
      const to = this.#pick(PATHS);
      if (draw < 0.6) this.#where.set(name, new Set([to]));
      else if (draw < 0.8) this.#where.set(name, new Set());
      else this.#where.get(name)?.add(to);
      told.push(`${name}→${[...(this.#where.get(name) ?? [])].join('+')}`);
    }
    this.#model.head = this.#commit();
    return told.join(' ');
  }

  /** Ends broken folders and duplicates: while an object is in conflict, its Application prunes nothing. */
  #mend(): void {
    this.#broken = undefined;
    this.#absent = undefined;
    for (const [name, paths] of this.#where) {
      const [first] = paths;
      if (first !== undefined) this.#where.set(name, new Set([first]));
    }
    this.#model.head = this.#commit();
  }

  #commit(): Commit {
    const tree = new Map<string, Set<string> | 'broken'>();
    for (const path of PATHS) {
      if (path === this.#absent) continue;
      const names = OBJECTS.filter((name) => this.#where.get(name)?.has(path));
      tree.set(path, path === this.#broken ? 'broken' : new Set(names));
    }
    return { name: `commit-${this.#serial++}`, tree };
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#chance() * items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }
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
