/** A deleted Application `apps/shop` with its edges scripted, for the tests of this folder. */
import { parseApplication } from '../../../../src/application/parse.ts';
import type { ApplicationStatus } from '../../../../src/application/status-schema.ts';
import type { DesiredObject } from '../../../../src/bind/desired.ts';
import { agentIdentity, type Identity } from '../../../../src/cluster/identity.ts';
import type { Kinds } from '../../../../src/cluster/kinds.ts';
import type { LiveEntry, LiveObject } from '../../../../src/cluster/live.ts';
import type { ApplicationAnswer, ReadAnswer } from '../../../../src/cluster/ports.ts';
import { idKey, type ObjectId } from '../../../../src/object/identity.ts';
import type { StageError } from '../../../../src/object/stage-error.ts';
import type { KubeObject, ValueMap } from '../../../../src/object/value.ts';
import type { DeletedApplication, Deletion, DeletionContext } from '../../../../src/reconcile/deletion/deletion.ts';
import { Claims } from '../../../../src/reconcile/neighbours/claims.ts';
import type { PassEvent } from '../../../../src/status/event.ts';
import {
  createNeighbourhood,
  inventoryOf,
  type Neighbourhood,
  type StoredOptions,
} from '../../../support/applications.ts';
import { createClock, type SetClock } from '../../../support/clock.ts';
import { found, idOf, liveOf } from '../../../support/changes.ts';
import { kindsOf } from '../../../support/reading.ts';
import { recordLog, recordMetrics, type RecordedLog, type RecordedMetrics } from '../../../support/recorders.ts';
import { scriptClient, type ScriptedAnswer, type ScriptedClient } from '../../../support/scripted-client.ts';

export const PRUNE_FINALIZER = 'finalizers.tautline.dev/prune';

const CRD = idOf('applications.tautline.dev', {
  group: 'apiextensions.k8s.io',
  kind: 'CustomResourceDefinition',
  namespace: '',
});
const NAMESPACE = idOf('apps', { kind: 'Namespace', namespace: '' });
const ACCOUNT = idOf('deployer', { kind: 'ServiceAccount', namespace: 'apps' });

export interface DeletionScript {
  readonly own?: StoredOptions;
  readonly identity?: Identity;
  /** The inventory in memory; undefined: not read. */
  readonly known?: readonly ObjectId[];
  /** The answers of the target to requests, in order. */
  readonly requests?: readonly ScriptedAnswer[];
  /** The live objects of the watches; others are unseen. */
  readonly live?: readonly LiveObject[];
  /** Entries of the watches for single objects, by `idKey`. */
  readonly entries?: Readonly<Record<string, LiveEntry>>;
  /** The kinds that the target serves. Default: ConfigMap. */
  readonly targetKinds?: Kinds;
  /** The kinds that the hub serves. Default: CustomResourceDefinition, Namespace and ServiceAccount. */
  readonly hubKinds?: Kinds;
  /** The answers of the hub to reads, by kind. Default: the object exists. */
  readonly hubReads?: Readonly<Record<string, ReadAnswer>>;
  /** The answer to the removal of the finalizer. Default: the Application without it. */
  readonly removal?: ApplicationAnswer;
  /** The objects of the revision that was applied last, or the error that keeps them from being read. Default: none. */
  readonly applied?: readonly DesiredObject[] | StageError;
  readonly allowCrossNamespace?: boolean;
  /** Whether the accounts of all Applications may write objects of the target. Default: true. */
  readonly mayWrite?: boolean;
}

export interface DeletionScene extends Neighbourhood {
  readonly deletion: Deletion;
  readonly context: DeletionContext & { readonly cluster: Deletion['target'] };
  readonly clock: SetClock;
  readonly claims: Claims;
  readonly client: ScriptedClient;
  /** The statuses that were written, in order. */
  readonly statuses: ApplicationStatus[];
  /** Writes of the Application and fault points, in order: `status`, `removeFinalizer`, or the name of the point. */
  readonly steps: string[];
  readonly log: RecordedLog;
  readonly metrics: RecordedMetrics;
  readonly events: PassEvent[];
}

function readDeleted(stored: KubeObject): DeletedApplication {
  const parsed = parseApplication(stored);
  return parsed.ok ? parsed.application : { ...parsed, spec: undefined };
}

export function scriptDeletion(script: DeletionScript = {}): DeletionScene {
  const { own = {}, identity = agentIdentity, known, requests = [], live = [], entries = {} } = script;
  const { targetKinds = kindsOf(idOf('a')), hubKinds = kindsOf(CRD, NAMESPACE, ACCOUNT), hubReads = {} } = script;
  const clock = createClock(Date.parse('2026-03-01T10:00:00Z'));
  const neighbourhood = createNeighbourhood(clock);
  const { neighbours } = neighbourhood;
  const metadata = { deletionTimestamp: '2026-03-01T09:59:00Z', finalizers: [PRUNE_FINALIZER], ...own.metadata };
  const record = neighbourhood.add({ ...own, metadata });
  record.memory.inventory.ids = known && inventoryOf(...known);
  const client = scriptClient(requests);
  const [log, metrics, claims] = [recordLog(), recordMetrics(), new Claims()];
  const statuses: ApplicationStatus[] = [];
  const steps: string[] = [];
  const events: PassEvent[] = [];
  const byKey = new Map<string, LiveEntry>(live.map((object) => [idKey(object.id), { state: 'present', object }]));
  const target: Deletion['target'] = {
    clusterId: 'cluster',
    as: () => client.client,
    kinds: () => Promise.resolve(targetKinds),
    writableNames: () => Promise.resolve((script.mayWrite ?? true) ? 'all' : 'none'),
    mayWriteName: () => Promise.reject(new Error('all or none may be written')),
    live: {
      keepWatched: () => Promise.resolve(),
      look: (_identity, _kind, id) => entries[idKey(id)] ?? byKey.get(idKey(id)) ?? { state: 'unseen' },
      record: () => undefined,
    },
  };
  const context: DeletionScene['context'] = {
    clock,
    claims,
    neighbours,
    log,
    metrics,
    cluster: target,
    readApplied: async () => {
      if (script.applied instanceof Error) throw script.applied;
      return script.applied && { objects: script.applied, problems: [], digest: '' };
    },
    hub: {
      hubId: 'hub',
      kinds: () => Promise.resolve(hubKinds),
      as: () => ({
        get: (_kind, id) => Promise.resolve(hubReads[id.kind] ?? found(liveOf({ id }))),
      }),
      applications: {
        // Another client has changed the spec meanwhile.
        read: async (object) => ({ ok: true, object: { ...object, metadata: { ...object.metadata, generation: 99 } } }),
        async putStatus(object, status: ValueMap) {
          steps.push('status');
          statuses.push(status);
          return { ok: true, object: { ...object, status } };
        },
        async removeFinalizer(object, finalizer) {
          steps.push('removeFinalizer');
          const finalizers = [PRUNE_FINALIZER].filter((name) => name !== finalizer);
          const metadata = { ...object.metadata, finalizers, resourceVersion: '9' };
          return script.removal ?? { ok: true, object: { ...object, metadata } };
        },
      },
    },
    notify: (event) => void events.push(event),
    onFaultPoint: (point) => void steps.push(point),
    settings: {
      allowCrossNamespace: script.allowCrossNamespace ?? true,
      applyConcurrency: 1,
      maxReadBytes: 1_000_000,
      defaultServiceAccount: undefined,
      discoveryRetryMs: 1_000,
      handOverWaitMs: 60_000,
      progressCheckMs: 10_000,
      pruneGuard: { maxShare: 0, maxObjects: 0 },
    },
  };
  const { signal } = new AbortController();
  const deletion: Deletion = {
    deleted: readDeleted(record.stored),
    identity,
    target,
    record,
    context,
    base: record.stored,
    signal,
  };
  return { ...neighbourhood, deletion, context, clock, claims, client, statuses, steps, log, metrics, events };
}
