/**
 * What puts Applications on the queue: their own watch, the drift watch, polls and retries; and the one place that
 * holds their states. Events only ever enqueue a key: a pass reads everything afresh.
 */
import { applicationKey } from '../../application/keys.ts';
import type { RepositoryPush } from '../../application/repository.ts';
import { decodeInventory } from '../../application/inventory.ts';
import { wishOf } from '../../application/wish.ts';
import { parseOwner } from '../../object/applyset.ts';
import type { ObjectId } from '../../object/identity.ts';
import { stringAt, valueAt, type KubeObject } from '../../object/value.ts';
import type { LiveStoreEvents } from '../../cluster/ports.ts';
import { bringForward } from '../neighbours/hear-push.ts';
import type { ReconcileContext } from '../context.ts';
import { createDependents } from '../neighbours/dependents.ts';
import { KeyedQueue, type Again, type QueueStats } from './keyed-queue.ts';
import { reconcile } from '../reconcile.ts';
import { emptyMemory, forgetMemory, isNewer, type ApplicationState } from '../memory.ts';

export interface ControllerOptions {
  readonly context: Omit<ReconcileContext, 'wake' | 'peers'>;
  readonly concurrency: number;
  /** Over one Application, on average. */
  readonly passesPerSecond: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly maxApplications: number;
}

export interface Controller {
  /** Watches the Applications; resolves when the first list is complete and all inventories are claimed. */
  start(): Promise<void>;
  /** Takes no new work and resolves when the passes under way have ended. */
  drain(): Promise<void>;
  /** To be called for every change of an object that carries our label. */
  readonly onObjectChange: LiveStoreEvents['onChange'];
  /** To be called for every genuine webhook; answers how many Applications it concerns. */
  readonly onPush: (push: RepositoryPush) => number;
  /** Every Application as the agent knows it, valid or not; shared, never written to. */
  list(): readonly ApplicationState[];
  get(namespace: string, name: string): ApplicationState | undefined;
  stats(): QueueStats;
  /** Drops all that may be dropped, of every Application: tests show that only requests are lost. */
  forget(): void;
}

export function createController(options: ControllerOptions): Controller {
  const states = new Map<string, ApplicationState>();
  const context: ReconcileContext = {
    ...options.context,
    wake: (key) => void queue.add(key),
    peers: () => states.values(),
  };
  const { claims, cluster, log, metrics } = context;
  const queue = new KeyedQueue({
    work: async (key, signal) => runOne(key, signal),
    concurrency: options.concurrency,
    passesPerSecond: options.passesPerSecond,
    tenantOf: (key) => key.split('/', 1)[0] ?? '',
    minBackoffMs: options.minBackoffMs,
    maxBackoffMs: options.maxBackoffMs,
    maxKeys: options.maxApplications,
    chance: context.chance,
    onError: (key, error) => logDefect(key, error, context),
  });
  const dependents = createDependents((key) => enqueue(key));
  let isStarted = false;

  async function runOne(key: string, signal: AbortSignal): Promise<Again> {
    const state = states.get(key);
    if (!state) return { type: 'none' };
    const [namespace = '', name = ''] = key.split('/');
    const startedMs = context.clock.monotonicMs();
    let result: 'success' | 'failure' = 'failure';
    try {
      const again = await reconcile(state, context, signal);
      if (again.type !== 'backoff') result = 'success';
      return again;
    } finally {
      // What the pass wrote is known before the watch brings it.
      if (states.has(key)) dependents.note(key, state.stored);
      if (states.has(key))
        metrics.onPass({ namespace, name, result, durationMs: context.clock.monotonicMs() - startedMs });
      // Gone while the pass was under way, which may have held, claimed and counted anew.
      else forgetTracks(key);
    }
  }

  function onUpsert(stored: KubeObject, isListed: boolean): void {
    const key = keyOf(stored);
    const known = states.get(key);
    if (known && known.stored.metadata['uid'] === stored.metadata['uid']) {
      if (!isListed && !isNewer(stored, known.stored)) return;
      if (isListed && !isNewer(stored, known.stored)) forgetMemory(known);
      const isOurs = wishOf(known.stored) === wishOf(stored);
      known.stored = stored;
      dependents.note(key, stored);
      if (!isOurs) enqueue(key);
      return;
    }
    if (known) drop(key);
    const state: ApplicationState = { key, stored, memory: emptyMemory(), view: undefined };
    states.set(key, state);
    claimInventory(state);
    dependents.note(key, stored);
    if (isStarted) enqueue(key);
  }

  /** What an Application already holds is its own before anybody binds: a restart must not shuffle owners. */
  function claimInventory({ key, stored }: ApplicationState): void {
    const inventory = decodeInventory(valueAt(stored, 'status', 'inventory'));
    if (inventory.ok) for (const id of inventory.ids) claims.claim(cluster.clusterId, id, key);
  }

  function drop(key: string): void {
    states.delete(key);
    queue.forget(key);
    dependents.note(key, undefined);
    forgetTracks(key);
  }

  function forgetTracks(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    letGo(key);
    metrics.removeApplication({ namespace, name });
  }

  function letGo(key: string): void {
    cluster.live.release(key);
    for (const other of claims.drop(key)) enqueue(other);
  }

  function enqueue(key: string): void {
    if (!states.has(key)) return;
    if (!queue.add(key) && isStarted) log.warn('queue refused a key', { application: key });
  }

  return {
    async start() {
      await cluster.applications.watch({ onUpsert, onDelete: (stored) => drop(keyOf(stored)) });
      isStarted = true;
      log.info('watching applications', { applications: states.size });
      for (const key of states.keys()) enqueue(key);
    },
    drain: () => queue.drain(),
    onObjectChange: ({ id, owner }) => {
      const key = ownerKey(id, owner, context);
      if (key) enqueue(key);
    },
    onPush: (push) => bringForward(push, context),
    list: () => [...states.values()],
    get: (namespace, name) => states.get(applicationKey(namespace, name)),
    stats: () => queue.stats(),
    forget: () => {
      for (const state of states.values()) forgetMemory(state);
    },
  };
}

/** The Application that an object belongs to: by its claim, or by its annotation where nobody claims it. */
function ownerKey(id: ObjectId, owner: string | undefined, { claims, cluster }: ReconcileContext): string | undefined {
  const claimed = claims.ownerOf(cluster.clusterId, id);
  if (claimed) return claimed;
  const named = owner === undefined ? undefined : parseOwner(owner);
  return named?.hubId === cluster.clusterId ? applicationKey(named.namespace, named.name) : undefined;
}

function keyOf(stored: KubeObject): string {
  return applicationKey(stringAt(stored.metadata, 'namespace') ?? '', stringAt(stored.metadata, 'name') ?? '');
}

/** What escapes a pass is a defect of ours: named in full in the log, where no user's data can be in the message. */
function logDefect(key: string, error: unknown, { log }: ReconcileContext): void {
  const name = error instanceof Error ? error.name : 'unknown';
  const stack = error instanceof Error ? error.stack : undefined;
  log.error('pass failed unexpectedly', { application: key, error: name, stack });
}
