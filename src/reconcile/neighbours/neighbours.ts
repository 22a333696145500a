/**
 * The only way from one Application to another: it shows what is stored of each and what each has announced, and lets
 * one ask another for a poll or a pass.
 *
 * Invariant: no other file reads or writes the record of an Application that its pass is not about.
 */
import { decodeInventory, unionIds, type DecodedInventory } from '../../application/inventory.ts';
import { parseApplication, type ParsedApplication } from '../../application/parse.ts';
import { canonicalRepository } from '../../application/repository.ts';
import type { Application } from '../../application/schema.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { listAt, stringAt, valueAt, type KubeObject } from '../../object/value.ts';
import { isLengthened } from '../../source/poll-pace.ts';
import { nameOfRevision } from '../../source/revision.ts';
import type { Clock } from '../../telemetry/ports.ts';
import { dropMemory, type ApplicationRecord } from '../memory.ts';
import { Announcements, type Announcement, type Statement } from './announcements.ts';
import { createIndex, type KeyIndex } from './key-index.ts';
import { dependenciesOf } from './readiness.ts';
import { sumRendered, type RenderedSizes } from './rendered-sizes.ts';

/** One Application as the others see it. */
export interface Neighbour {
  /** `namespace/name`. */
  readonly key: string;
  readonly stored: KubeObject;
  /** undefined: its spec cannot be read. */
  readonly application: Application | undefined;
  readonly isDeleted: boolean;
  /** The branch or tag that its revision was resolved to last: `main` for `HEAD`. */
  readonly followedRef: string | undefined;
  /** Its last poll or fetch failed. */
  readonly isSourceFailing: boolean;
  /** Its newest announcement. */
  readonly announced: Announcement | undefined;
  /** Its newest announcement of a complete set. */
  readonly announcedWhole: Announcement | undefined;
  /** Whether `spec.dependsOn` names an Application. */
  dependsOn(key: string): boolean;
  /** Whether its inventory holds the object. undefined: its inventory has not been read yet. */
  holds(id: ObjectId): boolean | undefined;
  /** Whether its stored inventory names the object. Its memory may be ahead of that, and ends with the process. */
  stores(id: ObjectId): boolean;
  /** Whether the API server has shown or accepted the object with its marks, and nothing has shown otherwise since. */
  hasWritten(id: ObjectId): boolean;
  /** The objects that it would finish with if it were deleted now, as `deletion/finalise.ts` reads them. */
  inventory(): DecodedInventory;
}

export interface Neighbours {
  get(key: string): Neighbour | undefined;
  /** Every Application that the agent knows. */
  all(): Iterable<Neighbour>;
  /**
   * Every Application whose `spec.source` or `spec.sources` names the same repository, in whichever way it is written.
   */
  ofRepository(repoUrl: string): Iterable<Neighbour>;
  /** Every Application that has announced to desire the object. */
  desiredBy(id: ObjectId): Iterable<Neighbour>;
  /** The sizes of the renders that all Applications but one keep in memory. */
  renderedSizes(exceptKey: string): RenderedSizes;
  /** Asks for a pass of an Application. */
  wake(key: string): void;
  /** Asks an Application to take an object into its inventory that a deleted one hands over to it. */
  entrust(key: string, id: ObjectId): void;
  /** Asks for a pass that polls the source, whatever the interval. */
  askToPoll(key: string): void;
  /** Brings a poll forward, since a webhook told of a push. */
  hearPush(key: string): void;
  /** Webhooks were refused that may have been genuine: no Application relies on them until its next poll. */
  doubtHooks(): void;
  /**
   * Announces what an Application desires, and wakes the Applications that wait for it. `isNewSpec`: its spec has
   * changed since its last status. An Application that is gone announces nothing.
   */
  announce(key: string, statement: Statement, isNewSpec: boolean): void;
  /**
   * Begins to wait for the announcements of others at a commit, or at another state that a text names. Returns since
   * when (monotonic).
   */
  awaitAnnouncements(key: string, state: string): number;
  /** Monotonic, by `idKey`: since when each of the given objects waits. Others have stopped waiting. */
  waitSince(key: string, ids: Iterable<string>): ReadonlyMap<string, number>;
  stopAwaiting(key: string): void;
  /** Asks another Application for its announcement, unless it was asked a moment ago. */
  askToAnnounce(key: string, other: string): void;
  /** The same for many others of the source, together with all Applications of it that wait at the same commit. */
  askAllToAnnounce(key: string, others: Iterable<string>): void;
}

/** The records of all Applications, as the controller keeps them. */
export interface Registry {
  readonly neighbours: Neighbours;
  get(key: string): ApplicationRecord | undefined;
  has(key: string): boolean;
  records(): Iterable<ApplicationRecord>;
  readonly size: number;
  /** Adds a record, or takes note that `stored` of a known one has changed. */
  note(record: ApplicationRecord): void;
  remove(key: string): void;
  /** The parsed form of what is stored, made once for each stored version. */
  parsedOf(stored: KubeObject): ParsedApplication;
  /** Drops the memory of an Application, before its pass begins. */
  forget(record: ApplicationRecord): void;
}

export interface RegistryOptions {
  readonly clock: Clock;
  /** Puts a key on the queue. */
  readonly wake: (key: string) => void;
}

export function createRegistry({ clock, wake }: RegistryOptions): Registry {
  const records = new Map<string, ApplicationRecord>();
  const byRepository = createIndex();
  const announcements = new Announcements();
  const parsedOf = createParser();
  return {
    neighbours: createNeighbours({ records, byRepository, announcements, parsedOf, clock, wake }),
    get: (key) => records.get(key),
    has: (key) => records.has(key),
    records: () => records.values(),
    get size() {
      return records.size;
    },
    note(record) {
      records.set(record.key, record);
      byRepository.set(record.key, repositoriesOf(record.stored));
    },
    remove(key) {
      records.delete(key);
      byRepository.delete(key);
      announcements.drop(key);
    },
    parsedOf,
    forget(record) {
      dropMemory(record.memory);
      announcements.drop(record.key);
      record.signals.isForgetAsked = false;
    },
  };
}

interface NeighbourParts extends RegistryOptions {
  readonly records: ReadonlyMap<string, ApplicationRecord>;
  readonly byRepository: Pick<KeyIndex, 'keysOf'>;
  readonly announcements: Announcements;
  readonly parsedOf: Registry['parsedOf'];
}

function createNeighbours({ records, byRepository, announcements, parsedOf, clock, wake }: NeighbourParts): Neighbours {
  const { show, showAll } = createViews({ records, announcements, parsedOf });
  const askToPoll = (key: string): void => {
    const record = records.get(key);
    if (!record) return;
    record.signals.pollsAsked++;
    record.signals.askedMs = clock.monotonicMs();
    wake(key);
  };
  return {
    get: (key) => {
      const record = records.get(key);
      return record && show(record);
    },
    all: () => showAll(records.keys()),
    ofRepository: (repoUrl) => showAll(byRepository.keysOf(repositoryKey(repoUrl))),
    desiredBy: (id) => showAll(announcements.desiredBy(idKey(id))),
    renderedSizes: (exceptKey) => sumRendered(records.values(), exceptKey),
    wake,
    entrust(key, id) {
      records.get(key)?.signals.entrusted.set(idKey(id), id);
      wake(key);
    },
    askToPoll,
    hearPush(key) {
      const record = records.get(key);
      if (!record) return;
      const isComing = isHookPending(record);
      const nowMs = clock.monotonicMs();
      Object.assign(record.signals, { hookHeardMs: nowMs, askedMs: nowMs });
      if (!isComing) wake(key);
    },
    doubtHooks() {
      const nowMs = clock.monotonicMs();
      for (const { key, signals, memory } of records.values()) {
        signals.hooksDoubtedMs = nowMs;
        if (memory.desired.source && isLengthened(memory.desired.source.pace)) wake(key);
      }
    },
    announce(key, statement, isNewSpec) {
      if (!records.has(key)) return;
      for (const told of announcements.announce(key, statement, { nowMs: clock.monotonicMs(), isNewSpec })) {
        if (told.isAtOtherCommit) askToPoll(told.key);
        else wake(told.key);
      }
    },
    awaitAnnouncements: (key, state) => announcements.await(key, state, clock.monotonicMs()),
    waitSince: (key, ids) => announcements.waitSince(key, ids, clock.monotonicMs()),
    stopAwaiting: (key) => announcements.stopAwaiting(key),
    askToAnnounce(key, other) {
      if (announcements.ask(key, other, clock.monotonicMs())) askToPoll(other);
    },
    askAllToAnnounce(key, others) {
      const stored = records.get(key)?.stored;
      if (!stored) return;
      const nowMs = clock.monotonicMs();
      for (const other of announcements.askAll(key, sourceOf(stored), { others, nowMs })) askToPoll(other);
    },
  };
}

interface ShownNeighbours {
  readonly show: (record: ApplicationRecord) => Neighbour;
  readonly showAll: (keys: Iterable<string>) => Iterable<Neighbour>;
}

/** One view for each record. */
function createViews({
  records,
  announcements,
  parsedOf,
}: Pick<NeighbourParts, 'records' | 'announcements' | 'parsedOf'>): ShownNeighbours {
  const views = new WeakMap<ApplicationRecord, NeighbourView>();
  const show = (record: ApplicationRecord): Neighbour => {
    const known = views.get(record);
    if (known) return known;
    const view = new NeighbourView(record, { announcements, parsedOf });
    views.set(record, view);
    return view;
  };
  const showAll = function* (keys: Iterable<string>): Iterable<Neighbour> {
    for (const key of keys) {
      const record = records.get(key);
      if (record) yield show(record);
    }
  };
  return { show, showAll };
}

/** Whether a webhook has arrived that no poll knows of yet. */
export function isHookPending({ signals, memory }: Pick<ApplicationRecord, 'signals' | 'memory'>): boolean {
  const { hookHeardMs } = signals;
  return hookHeardMs !== undefined && hookHeardMs !== memory.desired.source?.pace.heardMs;
}

interface Views {
  readonly announcements: Announcements;
  readonly parsedOf: (stored: KubeObject) => ParsedApplication;
}

interface StoredFacts {
  readonly stored: KubeObject;
  readonly application: Application | undefined;
  readonly isDeleted: boolean;
  /** By `idKey`: the stored inventory, once it was asked for. */
  storedKeys?: ReadonlySet<string>;
}

function storedKeysOf(stored: KubeObject): ReadonlySet<string> {
  const decoded = decodeInventory(valueAt(stored, 'status', 'inventory'));
  return new Set(decoded.ok ? decoded.ids.map(idKey) : []);
}

/** Reads the record when it is asked: a pass that waits in between sees the newest state. */
class NeighbourView implements Neighbour {
  readonly #record: ApplicationRecord;
  readonly #views: Views;
  /** The facts of one stored form, since a pass may look at thousands of neighbours. */
  #facts: StoredFacts | undefined;

  constructor(record: ApplicationRecord, views: Views) {
    this.#record = record;
    this.#views = views;
  }

  get key(): string {
    return this.#record.key;
  }

  get stored(): KubeObject {
    return this.#record.stored;
  }

  get application(): Application | undefined {
    return this.#known().application;
  }

  get isDeleted(): boolean {
    return this.#known().isDeleted;
  }

  #known(): StoredFacts {
    const { stored } = this.#record;
    if (this.#facts?.stored === stored) return this.#facts;
    const parsed = this.#views.parsedOf(stored);
    this.#facts = {
      stored,
      application: parsed.ok ? parsed.application : undefined,
      isDeleted: stringAt(stored.metadata, 'deletionTimestamp') !== undefined,
    };
    return this.#facts;
  }

  get followedRef(): string | undefined {
    const { memory, stored } = this.#record;
    const { source } = memory.desired;
    if (source?.isOfEarlierSpec) return undefined;
    const revision = source?.snapshot?.revision ?? observedRevision(stored);
    return revision === undefined ? undefined : nameOfRevision(revision);
  }

  get isSourceFailing(): boolean {
    return this.#record.memory.desired.source?.error !== undefined;
  }

  get announced(): Announcement | undefined {
    return this.#views.announcements.of(this.#record.key);
  }

  get announcedWhole(): Announcement | undefined {
    return this.#views.announcements.wholeOf(this.#record.key);
  }

  dependsOn(key: string): boolean {
    return dependenciesOf(this.#record.stored).includes(key);
  }

  holds(id: ObjectId): boolean | undefined {
    return this.#record.memory.inventory.ids?.has(idKey(id));
  }

  stores(id: ObjectId): boolean {
    const facts = this.#known();
    facts.storedKeys ??= storedKeysOf(facts.stored);
    return facts.storedKeys.has(idKey(id));
  }

  hasWritten(id: ObjectId): boolean {
    return this.#record.memory.inventory.written.has(idKey(id));
  }

  inventory(): DecodedInventory {
    const stored = decodeInventory(valueAt(this.#record.stored, 'status', 'inventory'));
    const { ids } = this.#record.memory.inventory;
    if (!ids) return stored;
    return { ok: true, ids: unionIds([...ids.values()], stored.ok ? stored.ids : []) };
  }
}

function createParser(): (stored: KubeObject) => ParsedApplication {
  const known = new WeakMap<KubeObject, ParsedApplication>();
  return (stored) => {
    const before = known.get(stored);
    if (before) return before;
    const parsed = parseApplication(stored);
    known.set(stored, parsed);
    return parsed;
  };
}

/** The revision in status, if it is that of the present spec: the agent may have started since. */
function observedRevision(stored: KubeObject): string | undefined {
  const isObserved = valueAt(stored, 'status', 'observedGeneration') === stored.metadata['generation'];
  return isObserved ? stringAt(stored, 'status', 'sync', 'revision') : undefined;
}

/** One text for all Applications that name the same revision of a repository, or of a chart in it. */
function sourceOf(stored: KubeObject): string {
  const read = (field: string): string => stringAt(stored, 'spec', 'source', field) ?? '';
  return [repositoryKey(read('repoURL')), read('chart'), read('revision')].join(' ');
}

/** One text for each repository that an Application names. */
function repositoriesOf(stored: KubeObject): ReadonlySet<string> {
  const others = listAt(stored, 'spec', 'sources').map((source) => stringAt(source, 'repoURL') ?? '');
  return new Set([stringAt(stored, 'spec', 'source', 'repoURL') ?? '', ...others].map(repositoryKey));
}

/** One text for all ways to write the address of a repository. */
function repositoryKey(repoUrl: string): string {
  return canonicalRepository(repoUrl) ?? repoUrl;
}
