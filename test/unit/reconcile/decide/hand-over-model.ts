/**
 * A model of Applications of one repository, for the property of hand-over: the cluster is a map of objects with an
 * owner and a uid, Git is a list of commits, and a pass goes through the real announcements, claims, hand-over, diff of
 * ownership and plan, one effect at a time.
 */
import { planChanges } from '../../../../src/plan/plan.ts';
import type { Change } from '../../../../src/diff/changes.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import { claimObjects, hasGivenUp, keepClaims, type Claimant } from '../../../../src/reconcile/decide/claim-objects.ts';
import { handOver } from '../../../../src/reconcile/decide/hand-over.ts';
import { reasonToAwaitNeighbours, wishElsewhere } from '../../../../src/reconcile/deletion/await-neighbours.ts';
import type { Deletion } from '../../../../src/reconcile/deletion/deletion.ts';
import { createRecord, type ApplicationRecord } from '../../../../src/reconcile/memory.ts';
import { Claims } from '../../../../src/reconcile/neighbours/claims.ts';
import { createRegistry, type Registry } from '../../../../src/reconcile/neighbours/neighbours.ts';
import { applicationManifest } from '../../../support/objects.ts';

export const HAND_OVER_WAIT_MS = 60_000;

/** By path: the names of its objects, or `broken`. A path that is not in the map does not exist. */
export type Tree = ReadonlyMap<string, ReadonlySet<string> | 'broken'>;

export interface Commit {
  readonly name: string;
  readonly tree: Tree;
}

interface LiveModel {
  uid: number;
  /** Key of the Application whose marks it carries; '' for none. */
  owner: string;
}

/** The part that survives a kill. */
interface StoredModel {
  readonly name: string;
  path: string;
  generation: number;
  isDeleted: boolean;
  inventory: Map<string, ObjectId>;
}

interface Running {
  readonly record: ApplicationRecord;
  commit: Commit | undefined;
  poll: { begunMs: number; endedMs: number };
  pollsSeen: number;
  steps: AsyncGenerator<void>;
}

export class Model {
  readonly cluster = new Map<string, LiveModel>();
  readonly stored = new Map<string, StoredModel>();
  head: Commit;
  nowMs = 1_000;
  readonly log: string[] = [];
  readonly #chance: () => number;
  #registry: Registry;
  #claims = new Claims();
  readonly #running = new Map<string, Running>();
  #uid = 0;

  constructor(head: Commit, chance: () => number) {
    this.head = head;
    this.#chance = chance;
    this.#registry = this.#createRegistry();
  }

  declare(name: string, path: string): void {
    const key = `apps/${name}`;
    this.stored.set(key, { name, path, generation: 1, isDeleted: false, inventory: new Map() });
    this.#start(key);
  }

  edit(key: string, path: string): void {
    const stored = this.#storedOf(key);
    Object.assign(stored, { path, generation: stored.generation + 1 });
    this.#note(key);
  }

  remove(key: string): void {
    this.#storedOf(key).isDeleted = true;
    this.#note(key);
  }

  /** The agent dies and starts again: memory is gone, and passes end where they are. */
  kill(): void {
    this.#running.clear();
    this.#claims = new Claims();
    this.#registry = this.#createRegistry();
    for (const key of this.stored.keys()) this.#start(key);
  }

  /** One step of a pass of a random Application. */
  async step(): Promise<void> {
    this.nowMs += Math.floor(this.#chance() * 200);
    const keys = [...this.#running.keys()];
    const key = keys[Math.floor(this.#chance() * keys.length)];
    const running = key === undefined ? undefined : this.#running.get(key);
    if (key === undefined || !running) return;
    const { done } = await running.steps.next();
    if (done && this.#running.get(key) === running) running.steps = this.#pass(key, running);
  }

  /** Objects that a living Application desires at the newest commit. */
  desired(): Set<string> {
    const names = new Set<string>();
    for (const { path, isDeleted } of this.stored.values()) {
      const found = isDeleted ? undefined : this.head.tree.get(path);
      if (found instanceof Set) for (const name of found) names.add(name);
    }
    return names;
  }

  isSettled(): boolean {
    const desired = this.desired();
    const isHeadRead = [...this.#running.values()].every(({ commit }) => commit === this.head);
    const areAllOwned = [...desired].every((name) => (this.cluster.get(name)?.owner ?? '') !== '');
    return isHeadRead && areAllOwned && [...this.cluster.keys()].every((name) => desired.has(name));
  }

  #createRegistry(): Registry {
    const clock = { monotonicMs: () => this.nowMs, now: () => this.nowMs };
    return createRegistry({ clock, wake: () => undefined });
  }

  #storedOf(key: string): StoredModel {
    const stored = this.stored.get(key);
    if (!stored) throw new Error(`no Application ${key}`);
    return stored;
  }

  #manifestOf(key: string) {
    const { name, path, generation, isDeleted } = this.#storedOf(key);
    const deletion = isDeleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {};
    return applicationManifest(
      name,
      { source: { repoURL: 'https://git.example.com/mono.git', path } },
      { generation, uid: key, resourceVersion: '1', ...deletion },
    );
  }

  #note(key: string): void {
    const running = this.#running.get(key);
    if (!running) return;
    running.record.stored = this.#manifestOf(key);
    this.#registry.note(running.record);
  }

  #start(key: string): void {
    const record = createRecord(key, this.#manifestOf(key));
    record.memory.inventory.ids = this.#storedOf(key).inventory;
    this.#registry.note(record);
    for (const id of this.#storedOf(key).inventory.values()) this.#claims.claim('c', id, key);
    const running: Running = {
      record,
      commit: undefined,
      poll: { begunMs: 0, endedMs: 0 },
      pollsSeen: 0,
      steps: emptySteps(),
    };
    running.steps = this.#pass(key, running);
    this.#running.set(key, running);
  }

  async *#pass(key: string, running: Running): AsyncGenerator<void> {
    if (this.#storedOf(key).isDeleted) return yield* this.#finish(key, running);
    const { generation, path, inventory } = this.#storedOf(key);
    yield* this.#pollOnce(running);
    const { commit } = running;
    if (!commit || this.#storedOf(key).generation !== generation) return;
    const found = commit.tree.get(path);
    const ids = found instanceof Set ? [...found].map(idOf) : [];
    const isComplete = found !== 'broken';
    const keys = new Set(ids.map(idKey));
    const { neighbours } = this.#registry;
    const statement = { commit: commit.name, generation, ids: keys, isComplete, poll: running.poll };
    neighbours.announce(key, statement, generation > 1);
    yield;
    if (!(found instanceof Set)) return;
    const claimant = this.#claimantOf(key);
    const { claimants } = claimObjects(claimant, { desired: ids, inventory }, () => true);
    const changes = this.#diff({ key, ids, inventory, claimants, claimant });
    this.#noteSeen(key, running, changes);
    yield;
    const handed = await handOver({
      key,
      state: { commit: commit.name, readByMs: neighbours.get(key)?.announced?.readByMs ?? Infinity },
      changes,
      isActing: true,
      isPinned: false,
      nowMs: this.nowMs,
      handOverWaitMs: HAND_OVER_WAIT_MS,
      neighbours,
      ownerOf: (id) => this.#claims.ownerOf('c', id),
      readForSuspended: () => Promise.resolve(),
      reviewStanding: () => Promise.resolve(() => true),
      reviewSay: () => Promise.resolve(() => true),
    });
    const plan = planChanges({
      changes: handed.changes,
      postponed: handed.waits,
      mode: 'auto',
      mayPrune: true,
      isComplete: true,
      objectsBefore: inventory.size,
      guard: { maxShare: 1, maxObjects: 1_000 },
      isConfirmed: true,
    });
    const sends = plan.waves.flatMap((wave) => wave.changes);
    for (const { change } of sends) inventory.set(idKey(change.id), change.id);
    // A newer spec ends the pass between two objects.
    const isOutdated = (): boolean => this.#storedOf(key).generation !== generation;
    for (const { change } of sends) {
      yield;
      if (isOutdated()) return;
      this.#send(key, change);
      this.#noteSeen(key, running, [change]);
    }
    for (const change of plan.releases) {
      yield;
      if (isOutdated()) return;
      this.#release(key, change.id);
    }
    for (const { change } of plan.prunes.flatMap((wave) => wave.changes)) {
      yield;
      if (isOutdated()) return;
      this.#prune(key, change.id);
    }
    keepClaims(claimant, ids, inventory);
  }

  /** A poll takes time, and a commit that comes meanwhile may be missing in its answer. */
  async *#pollOnce(running: Running): AsyncGenerator<void> {
    const { pollsAsked } = running.record.signals;
    if (running.commit && pollsAsked === running.pollsSeen && this.#chance() < 0.7) return;
    running.pollsSeen = pollsAsked;
    const begunMs = this.nowMs;
    const early = this.head;
    yield;
    running.commit = this.#chance() < 0.5 ? early : this.head;
    running.poll = { begunMs, endedMs: this.nowMs };
  }

  async *#finish(key: string, running: Running): AsyncGenerator<void> {
    const stored = this.#storedOf(key);
    const deletion = this.#deletionOf(running);
    // A deleted Application reads no commit.
    running.commit = this.head;
    if (reasonToAwaitNeighbours(deletion) !== undefined) return;
    yield;
    const isAwaiting = reasonToAwaitNeighbours(deletion) !== undefined;
    const wishes = [...stored.inventory.values()].map((id) => [id, wishElsewhere(deletion, id, () => true)] as const);
    for (const [id, wish] of wishes) {
      yield;
      if (this.cluster.get(id.name)?.owner !== key) stored.inventory.delete(idKey(id));
      else if (wish === 'released') this.#release(key, id);
      else if (wish === 'none' && !isAwaiting) this.#prune(key, id);
    }
    if (stored.inventory.size > 0) return;
    this.stored.delete(key);
    this.#running.delete(key);
    this.#registry.remove(key);
    this.#claims.drop(key);
  }

  #deletionOf({ record }: Running): Deletion {
    const parsed = this.#registry.parsedOf(record.stored);
    if (!parsed.ok) throw new Error(parsed.problems.join());
    const clock = { monotonicMs: () => this.nowMs, now: () => this.nowMs };
    return {
      deleted: parsed.application,
      record,
      target: { clusterId: 'c' },
      context: {
        clock,
        claims: this.#claims,
        neighbours: this.#registry.neighbours,
        settings: { handOverWaitMs: HAND_OVER_WAIT_MS },
      },
    } as unknown as Deletion;
  }

  #claimantOf(key: string): Claimant {
    return {
      key,
      clusterId: 'c',
      isReporting: false,
      isActing: true,
      claims: this.#claims,
      neighbours: this.#registry.neighbours,
      settings: { defaultServiceAccount: undefined },
    };
  }

  #diff({ key, ids, inventory, claimants, claimant }: DiffInput): Change[] {
    const wanted = new Set(ids.map(idKey));
    const desired = ids.map((id): Change => {
      const base = { id, kind: undefined, fields: [] };
      const live = this.cluster.get(id.name);
      if (claimants.has(idKey(id))) return { ...base, type: 'conflict' };
      if (!live) return { ...base, type: 'create' };
      if (live.owner === key) return { ...base, type: 'none' };
      if (live.owner === '') return { ...base, type: 'adopt' };
      const isGiven = hasGivenUp(claimant, live.owner, id);
      return isGiven ? { ...base, type: 'adopt', takenFrom: live.owner } : { ...base, type: 'conflict' };
    });
    const left = [...inventory].filter(([id]) => !wanted.has(id));
    return [
      ...desired,
      ...left.map(([, id]): Change => {
        const isOurs = this.cluster.get(id.name)?.owner === key && !claimants.has(idKey(id));
        return { id, kind: undefined, fields: [], type: isOurs ? 'prune' : 'release' };
      }),
    ];
  }

  /** Notes which objects carry the marks of the Application, as compare-live.ts and record-result.ts do. */
  #noteSeen(key: string, { record }: Running, changes: readonly Change[]): void {
    const { written } = record.memory.inventory;
    for (const { id } of changes) {
      if (this.cluster.get(id.name)?.owner === key) written.add(idKey(id));
      else written.delete(idKey(id));
    }
  }

  #send(key: string, { id, takenFrom }: Change): void {
    const live = this.cluster.get(id.name);
    if (!live) this.cluster.set(id.name, { uid: ++this.#uid, owner: key });
    else if (live.owner === '' || live.owner === takenFrom) live.owner = key;
    this.log.push(`${key} sends ${id.name}`);
  }

  #release(key: string, id: ObjectId): void {
    const live = this.cluster.get(id.name);
    if (live?.owner === key) live.owner = '';
    this.#storedOf(key).inventory.delete(idKey(id));
    this.log.push(`${key} releases ${id.name}`);
  }

  #prune(key: string, id: ObjectId): void {
    if (this.cluster.get(id.name)?.owner === key) this.cluster.delete(id.name);
    this.#storedOf(key).inventory.delete(idKey(id));
    this.log.push(`${key} prunes ${id.name}`);
  }
}

interface DiffInput {
  readonly key: string;
  readonly ids: readonly ObjectId[];
  readonly inventory: ReadonlyMap<string, ObjectId>;
  readonly claimants: ReadonlyMap<string, string>;
  readonly claimant: Claimant;
}

async function* emptySteps(): AsyncGenerator<void> {}

export function idOf(name: string): ObjectId {
  return { group: '', kind: 'ConfigMap', namespace: 'pool', name };
}
