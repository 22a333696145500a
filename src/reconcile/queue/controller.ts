/**
 * The controller: puts Applications on the queue when their own watch, the drift watch, a webhook, a poll or a retry
 * asks for a pass, and keeps their records. Events only enqueue a key: a pass reads everything itself.
 */
import { decodeInventory } from '../../application/inventory.ts';
import { applicationKey, namespaceOf } from '../../application/keys.ts';
import type { ParsedApplication } from '../../application/parse.ts';
import type { RepositoryPush } from '../../application/repository.ts';
import { requestsOf, wishOf } from '../../application/wish.ts';
import type { LiveStoreEvents } from '../../cluster/ports.ts';
import type { DesiredObject } from '../../bind/desired.ts';
import { parseOwner } from '../../object/applyset.ts';
import { idKey, type ObjectId } from '../../object/identity.ts';
import { isEqualValue, stringAt, valueAt, type KubeObject } from '../../object/value.ts';
import type { ReconcileContext } from '../context.ts';
import { createRecord, isNewer, type ApplicationRecord, type ApplicationView, type DryRunView } from '../memory.ts';
import { createDependents, type Dependents } from '../neighbours/dependents.ts';
import { hearPush } from '../neighbours/hear-push.ts';
import { createRegistry, type Registry } from '../neighbours/neighbours.ts';
import type { NextPass } from '../pass.ts';
import { reconcile } from '../reconcile.ts';
import { Admission, type Moved } from './admission.ts';
import { createDefinitionWatch, type DefinitionWatch } from './definition-watch.ts';
import { inFairOrder } from './fair-order.ts';
import { KeyedQueue, type QueueStats } from './keyed-queue.ts';
import { contextOfPass, type SharedContext } from './pass-context.ts';

export interface ControllerOptions {
  readonly context: Omit<SharedContext, 'neighbours'>;
  /** Passes that are worked on at once. */
  readonly concurrency: number;
  /** Over one Application, on average. */
  readonly passesPerSecond: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly maxApplications: number;
  readonly maxApplicationsPerNamespace: number;
  /** Between two looks at definitions while an Application waits for one. */
  readonly definitionCheckMs: number;
}

/** An Application as the agent knows it, valid or not; shared, never to be written to. */
export interface KnownApplication {
  readonly key: string;
  readonly stored: KubeObject;
  /** The parsed form of `stored`. */
  readonly parsed: ParsedApplication;
  readonly view: ApplicationView | undefined;
  readonly trial: DryRunView | undefined;
  /** The desired object of that id in the last usable render; its values may be secret. */
  desiredOf(id: ObjectId): DesiredObject | undefined;
}

export interface Controller {
  /** Watches the Applications; resolves when the first list is complete and all inventories are claimed. */
  start(): Promise<void>;
  /** Takes no new work and resolves when the passes under way have ended. */
  drain(): Promise<void>;
  /** To be called for every change of an object that carries our label. */
  readonly onObjectChange: LiveStoreEvents['onChange'];
  /** To be called when a ConfigMap or Secret that an Application depends on may have changed. */
  readonly onDataChange: (application: string) => void;
  /** To be called for every authenticated webhook; returns how many Applications it concerns. */
  readonly onPush: (push: RepositoryPush) => number;
  /** To be called after webhooks were refused that may have been genuine. */
  readonly onHooksLost: () => void;
  list(): readonly KnownApplication[];
  get(namespace: string, name: string): KnownApplication | undefined;
  stats(): QueueStats;
  /** Drops the memory of every Application before its next pass: a test shows that this costs requests only. */
  forget(): void;
}

export function createController(options: ControllerOptions): Controller {
  const { claims, clock, cluster, hub, log } = options.context;
  const enqueue = (key: string): void => {
    if (registry.has(key) && admission.has(key)) queue.add(key);
  };
  const admission = new Admission({
    maxApplications: options.maxApplications,
    maxPerNamespace: options.maxApplicationsPerNamespace,
  });
  const registry = createRegistry({ clock, wake: enqueue });
  const context: SharedContext = { ...options.context, neighbours: registry.neighbours };
  const dependents = createDependents(enqueue);
  const definitions = createDefinitionWatch({
    read: () => cluster.definitions(),
    wake: enqueue,
    checkMs: options.definitionCheckMs,
  });
  const forgetKey = (key: string): void => queue.forget(key);
  const known: Tracks = { registry, admission, dependents, definitions, context, enqueue, forgetKey };
  const queue = new KeyedQueue({
    work: (key, signal, worker) => runPass(key, known, { context: contextOfPass(context, worker), signal }),
    concurrency: options.concurrency,
    maxUnderWay: options.concurrency * UNDER_WAY_PER_WORKER,
    passesPerSecond: options.passesPerSecond,
    tenantOf: namespaceOf,
    minBackoffMs: options.minBackoffMs,
    maxBackoffMs: options.maxBackoffMs,
    chance: context.chance,
    onError: (key, error) => logDefect(key, error, context),
  });
  let isStarted = false;
  return {
    async start() {
      await hub.applications.watch({
        onUpsert: (stored, isListed) => upsert(known, stored, { isListed, isStarted }),
        onDelete: (stored) => drop(known, keyOf(stored)),
      });
      isStarted = true;
      log.info('watching applications', { applications: registry.size });
      for (const record of inFairOrder(registry.records())) move(known, admission.add(record));
    },
    async drain() {
      definitions.stop();
      await queue.drain();
    },
    onObjectChange: ({ id, owner }) => {
      const key = applicationOf(id, owner, { claims, hubId: hub.hubId, clusterId: cluster.clusterId });
      if (key) enqueue(key);
    },
    onDataChange(key) {
      const record = registry.get(key);
      if (!record) return;
      record.signals.dataChangedMs = clock.monotonicMs();
      enqueue(key);
    },
    onPush: (push) => hearPush(push, registry.neighbours),
    onHooksLost: () => registry.neighbours.doubtHooks(),
    list: () => Array.from(registry.records(), (record) => show(record, registry)),
    get(namespace, name) {
      const record = registry.get(applicationKey(namespace, name));
      return record && show(record, registry);
    },
    stats: () => queue.stats(),
    forget: () => {
      for (const { signals } of registry.records()) signals.isForgetAsked = true;
    },
  };
}

/** Passes that have begun, for each worker: most of them wait for a Git server or a render. */
const UNDER_WAY_PER_WORKER = 16;

/** Everything that is kept of Applications, beside the queue. */
interface Tracks {
  readonly registry: Registry;
  readonly admission: Admission;
  readonly dependents: Dependents;
  readonly definitions: DefinitionWatch;
  readonly context: SharedContext;
  readonly enqueue: (key: string) => void;
  /** Takes a key off the queue. */
  readonly forgetKey: (key: string) => void;
}

interface PassInput {
  readonly context: ReconcileContext;
  readonly signal: AbortSignal;
}

async function runPass(key: string, tracks: Tracks, { context, signal }: PassInput): Promise<NextPass> {
  const { registry, admission, dependents, definitions } = tracks;
  const record = registry.get(key);
  if (!record) return { type: 'none' };
  if (record.signals.isForgetAsked) registry.forget(record);
  const [namespace = '', name = ''] = key.split('/');
  const startedMs = context.clock.monotonicMs();
  let result: 'success' | 'failure' = 'failure';
  try {
    const requests = requestsOf(record.stored);
    const next = await reconcile(record, registry.parsedOf(record.stored), context, signal);
    if (next.type !== 'backoff') result = 'success';
    // The answer to a write may show a request before the watch brings it, and its event is then no news.
    return requestsOf(record.stored) === requests ? next : { type: 'after', delayMs: 0 };
  } finally {
    if (registry.get(key) === record) {
      // The status that the pass wrote is known before the watch brings it.
      dependents.note(key, record.stored);
      definitions.note(key, record.awaitedGroups);
      const durationMs = context.clock.monotonicMs() - startedMs;
      context.metrics.onPass({ namespace, name, result, durationMs });
      // It lost its place while the pass was under way, which may have watched again.
      if (!admission.has(key)) stopWatching(key, tracks);
    } else {
      // The Application went while the pass was under way, which may have watched, claimed and counted again.
      dropTracks(key, tracks);
      const successor = registry.get(key);
      if (successor) claimInventory(successor, context);
    }
  }
}

function upsert(
  tracks: Tracks,
  stored: KubeObject,
  { isListed, isStarted }: { readonly isListed: boolean; readonly isStarted: boolean },
): void {
  const { registry, dependents, enqueue } = tracks;
  const key = keyOf(stored);
  const known = registry.get(key);
  if (known && known.stored.metadata['uid'] === stored.metadata['uid']) {
    if (!isNewer(stored, known.stored)) {
      if (!isListed || isEqualValue(stored, known.stored)) return;
      // A list is right even where it is older: etcd was restored, so everything seen since then may be wrong.
      known.signals.isForgetAsked = true;
    }
    const isSameWish = wishOf(known.stored) === wishOf(stored);
    known.stored = stored;
    if (!isSameWish) known.signals.askedMs = tracks.context.clock.monotonicMs();
    registry.note(known);
    dependents.note(key, stored);
    if (!isSameWish || known.signals.isForgetAsked) enqueue(key);
    return;
  }
  if (known) drop(tracks, key);
  const record = createRecord(key, stored);
  record.signals.askedMs = tracks.context.clock.monotonicMs();
  registry.note(record);
  claimInventory(record, tracks.context);
  dependents.note(key, stored);
  if (isStarted) move(tracks, tracks.admission.add(record));
}

/** Begins to work on some Applications, and stops to work on others. Their claims stay, so no other takes an object. */
function move(tracks: Tracks, { admitted, refused }: Moved): void {
  const { registry, context, enqueue, forgetKey } = tracks;
  for (const key of refused) {
    forgetKey(key);
    stopWatching(key, tracks);
    context.log.warn('refused an Application: there are too many', { application: key });
    const stored = registry.get(key)?.stored;
    if (stored) context.notify(REFUSED_EVENT, stored);
  }
  for (const key of admitted) enqueue(key);
}

const REFUSED_EVENT = {
  type: 'Warning',
  reason: 'TooManyApplications',
  action: 'Reconcile',
  note:
    'the agent does not work on this Application, because there are more than it allows: delete some, or raise ' +
    '--max-applications or --max-applications-per-namespace',
} as const;

/** An Application claims the objects of its inventory before any pass binds: a restart must not shuffle owners. */
function claimInventory({ key, stored }: ApplicationRecord, { claims, cluster }: SharedContext): void {
  const inventory = decodeInventory(valueAt(stored, 'status', 'inventory'));
  if (inventory.ok) for (const id of inventory.ids) claims.claim(cluster.clusterId, id, key);
}

function drop(tracks: Tracks, key: string): void {
  tracks.registry.remove(key);
  tracks.forgetKey(key);
  move(tracks, tracks.admission.remove(key));
  tracks.dependents.note(key, undefined);
  dropTracks(key, tracks);
}

/** Ends the watches of objects, data and definitions for an Application. */
function stopWatching(key: string, { context, definitions }: Tracks): void {
  context.cluster.live.release(key);
  context.hub.data.release(key);
  definitions.note(key, new Set());
}

/** Ends the watches, claims and metrics of an Application that is gone. */
function dropTracks(key: string, tracks: Tracks): void {
  const { context, enqueue } = tracks;
  const [namespace = '', name = ''] = key.split('/');
  stopWatching(key, tracks);
  for (const other of context.claims.drop(key)) enqueue(other);
  context.metrics.removeApplication({ namespace, name });
}

/** The Application of an object: by its claim, or by its owner annotation where no Application claims it. */
function applicationOf(
  id: ObjectId,
  owner: string | undefined,
  {
    claims,
    hubId,
    clusterId,
  }: Pick<ReconcileContext, 'claims'> & { readonly hubId: string; readonly clusterId: string },
): string | undefined {
  const claimed = claims.ownerOf(clusterId, id);
  if (claimed) return claimed;
  const named = owner === undefined ? undefined : parseOwner(owner);
  return named?.hubId === hubId ? applicationKey(named.namespace, named.name) : undefined;
}

function show(record: ApplicationRecord, registry: Registry): KnownApplication {
  const { key, memory, stored, trial, view } = record;
  return {
    key,
    stored,
    view,
    trial,
    desiredOf(id) {
      const wanted = idKey(id);
      return memory.desired.bound?.objects.find((object) => idKey(object.id) === wanted);
    },
    get parsed() {
      return registry.parsedOf(stored);
    },
  };
}

function keyOf(stored: KubeObject): string {
  return applicationKey(stringAt(stored.metadata, 'namespace') ?? '', stringAt(stored.metadata, 'name') ?? '');
}

/** An error that escapes a pass is a defect of Tautline: the log names it in full, without data of users. */
function logDefect(key: string, error: unknown, { log }: SharedContext): void {
  const name = error instanceof Error ? error.name : 'unknown';
  const stack = error instanceof Error ? error.stack : undefined;
  log.error('pass failed unexpectedly', { application: key, error: name, stack });
}
