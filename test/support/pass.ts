/** A pass over the Application `apps/shop` with scripted edges, for unit tests of steps that take a whole Pass. */
import type { ApplicationAnswer, ClusterClient, LiveStore, WatchScope } from '../../src/cluster/ports.ts';
import { agentIdentity } from '../../src/cluster/identity.ts';
import type { Kinds } from '../../src/cluster/kinds.ts';
import type { LiveEntry } from '../../src/cluster/live.ts';
import { ownerOf } from '../../src/object/applyset.ts';
import { idKey, type ObjectId } from '../../src/object/identity.ts';
import { mapAt, stringAt, type KubeObject, type ValueMap } from '../../src/object/value.ts';
import type { ReconcileContext } from '../../src/reconcile/context.ts';
import { createRecord, emptyMemory } from '../../src/reconcile/memory.ts';
import { Claims } from '../../src/reconcile/neighbours/claims.ts';
import type { Pass } from '../../src/reconcile/pass.ts';
import { applicationOf, createNeighbourhood, storedOf, type StoredOptions } from './applications.ts';
import { createClock } from './clock.ts';
import { kindsOf } from './reading.ts';
import { recordLog, recordMetrics } from './recorders.ts';

export interface PassScript {
  readonly stored?: StoredOptions;
  /** The objects as the watches show them, by `idKey`; any other object is unseen. */
  readonly live?: ReadonlyMap<string, LiveEntry>;
  /** Requests to the cluster. Default: each fails the test. */
  readonly client?: Partial<ClusterClient>;
  readonly kinds?: Kinds;
  readonly goal?: Partial<Pass['goal']>;
  /** The answer of the API server to every write of the status. Default: it is stored. */
  readonly refuseStatus?: ApplicationAnswer & { readonly ok: false };
}

export interface ScriptedPass {
  readonly pass: Pass;
  /** Writes and reads of the Application, points and Events, in order. */
  readonly journal: string[];
  /** The Application as the API server stores it. */
  stored: KubeObject;
  readonly clock: ReturnType<typeof createClock>;
  /** Changes what the watches show of an object. */
  readonly show: (id: ObjectId, entry: LiveEntry) => void;
  /** undefined: a watch is not open. */
  liveVersion: number | undefined;
  /** The scopes that were kept watched last. */
  scopes: readonly WatchScope[];
  /** Called at each fault point. */
  atPoint: (point: string) => void;
}

/** Every prune waits 1,000 ms for neighbours, and answers are believed for as long. */
const SETTINGS: Partial<ReconcileContext['settings']> = {
  ...{ version: '1.0.0', applyConcurrency: 4, pruneGuard: { maxShare: 1, maxObjects: 100 } },
  ...{ defaultServiceAccount: undefined, allowCrossNamespace: true, pollJitter: 0 },
  ...{ answerAgeMs: 1_000, handOverWaitMs: 1_000, discoveryRetryMs: 1_000, maxReadBytes: 1_000_000 },
};

export function scriptPass(script: PassScript = {}): ScriptedPass {
  const clock = createClock(1_000_000);
  const { registry, neighbours, add } = createNeighbourhood(clock);
  const journal: string[] = [];
  const application = applicationOf(script.stored);
  const record = createRecord('apps/shop', storedOf(script.stored));
  if (!registry.has('apps/shop')) add(script.stored);
  const store = (object: KubeObject): ApplicationAnswer => {
    const resourceVersion = String(Number(it.stored.metadata['resourceVersion']) + 1);
    it.stored = { ...object, metadata: { ...object.metadata, resourceVersion } };
    return { ok: true, object: it.stored };
  };
  const applications = {
    async read(): Promise<ApplicationAnswer> {
      journal.push('read');
      return { ok: true, object: it.stored };
    },
    async putStatus(base: KubeObject, status: ValueMap): Promise<ApplicationAnswer> {
      journal.push(`status ${stringAt(status, 'sync', 'status') ?? ''}`.trimEnd());
      return script.refuseStatus ?? store({ ...base, status });
    },
    async applyMetadata(base: KubeObject, marks: ValueMap & object): Promise<ApplicationAnswer> {
      journal.push('marks');
      return store({ ...base, metadata: { ...base.metadata, ...marks } });
    },
  };
  const live: LiveStore = {
    async keepWatched(_application, _identity, scopes) {
      it.scopes = scopes;
    },
    release: () => undefined,
    look: (_identity, _kind, id) => entries.get(idKey(id)) ?? { state: 'unseen' },
    versionFor: () => it.liveVersion,
    pollingReasons: () => [],
    record: (_identity, _kind, id, object) => it.show(id, object ? { state: 'present', object } : { state: 'absent' }),
  };
  const entries = new Map<string, LiveEntry>(script.live);
  const context = {
    hub: { hubId: 'hub', applications },
    ...{ claims: new Claims(), neighbours, clock, chance: () => 0.5, log: recordLog(), metrics: recordMetrics() },
    healthChecks: { common: [] },
    settings: SETTINGS,
    notify: ({ reason }: { reason: string }) => void journal.push(`event ${reason}`),
    onFaultPoint(point: string) {
      journal.push(`point ${point}`);
      it.atPoint(point);
    },
  } as unknown as ReconcileContext;
  const kinds = script.kinds ?? kindsOf();
  const target = {
    clusterId: 'cluster',
    as: () => script.client as ClusterClient,
    kinds: async () => kinds,
    capabilities: async () => ({ kubeVersion: 'v1.36.3', apiVersions: [], digest: 'one' }),
    definitions: async () => undefined,
    live,
    writableNames: async () => 'all' as const,
    mayWriteName: async () => true,
  };
  const pass: Pass = {
    ...{ application, record, context, target, identity: agentIdentity, memory: emptyMemory() },
    owner: ownerOf({ hubId: 'hub', namespace: 'apps', name: 'shop' }),
    ...{ signal: new AbortController().signal, signals: record.signals },
    goal: {
      ...{ isForced: false, request: undefined, reconcileAt: undefined, confirmation: undefined, takesOver: false },
      ...{ intent: { mode: 'auto', prune: true, objects: undefined }, commit: undefined, isDryRun: false },
      ...script.goal,
    },
    ...{ base: record.stored, failures: [], isCutShort: false },
  };
  const it: ScriptedPass = {
    ...{ pass, journal, stored: record.stored, clock, scopes: [], atPoint: () => undefined, liveVersion: 1 },
    show(id, entry) {
      entries.set(idKey(id), entry);
      if (it.liveVersion !== undefined) it.liveVersion++;
    },
  };
  return it;
}

/** By `idKey`, of one object. */
export function entryOf(id: ObjectId, entry: LiveEntry): ReadonlyMap<string, LiveEntry> {
  return new Map([[idKey(id), entry]]);
}

/** The status of the Application as it is stored. */
export function statusIn({ stored }: Pick<ScriptedPass, 'stored'>): ValueMap {
  return mapAt(stored, 'status') ?? {};
}
