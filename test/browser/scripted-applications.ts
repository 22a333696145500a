/**
 * Applications for the tests of the page, as the memory of the agent holds them: a fleet of a thousand, and one with
 * thousands of objects. The real routes of the status API serve them.
 */
import { parseApplication } from '../../src/application/parse.ts';
import type { DryRunView } from '../../src/reconcile/memory.ts';
import type { KnownApplication } from '../../src/server/api/views.ts';
import type { ObjectStatus } from '../../src/status/object-status.ts';
import type { KubeObject } from '../../src/object/value.ts';

type Meta = KubeObject['metadata'];

export interface Scripted {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly suspend?: boolean;
  readonly sync?: 'Synced' | 'OutOfSync' | 'Unknown';
  readonly health?: 'Healthy' | 'Progressing' | 'Degraded' | 'Missing' | 'Unknown';
  readonly healthMessage?: string;
  readonly ready?: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly objects?: readonly ObjectStatus[];
  readonly problems?: NonNullable<KnownApplication['view']>['problems'];
  /** Merged into the status. */
  readonly status?: Meta;
  readonly trial?: DryRunView;
  readonly desired?: KubeObject;
}

const COMMITS = ['6da4527c0f1b', '91c0e5d2aa34', 'e2b7731f9c05', '0b9c4ad81e67'].map((head) => head.padEnd(40, '3f9a'));
const SUBJECTS = [
  'Bump the image of the shop to 1.30',
  'Raise the memory of the cart',
  'Add a rule for payments',
  'Tidy',
];
const AUTHORS = ['Ann Okoro', 'Bea Lindqvist', 'Chen Wei'];

const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

export function scripted(application: Scripted): KnownApplication {
  const { namespace, name, objects = [], problems = [], desired } = application;
  return {
    parsed: parseApplication(storedOf(application)),
    view: { objects, problems },
    trial: application.trial,
    desiredOf: ({ kind, name: wanted }) =>
      desired && kind === desired.kind && wanted === desired.metadata['name'] && namespace && name
        ? { body: desired }
        : undefined,
  };
}

function storedOf(application: Scripted): KubeObject {
  const { namespace, name, labels = {}, suspend = false, sync = 'Synced', health = 'Healthy' } = application;
  const { ready = 'True', reason = 'Succeeded', message, healthMessage, status = {}, objects = [] } = application;
  const at = (name.length * 7) % COMMITS.length;
  const revision = `main@sha1:${COMMITS[at] ?? ''}`;
  const total = objects.length === 0 ? 3 + (name.length % 20) : objects.length;
  const outOfSync = objects.filter((object) => object.sync !== 'Synced').length;
  const condition = {
    type: 'Ready',
    status: ready,
    reason,
    message: message ?? `${total} objects in sync`,
    lastTransitionTime: minutesAgo(12),
  };
  const history = [0, 1, 2].map((step) => {
    const index = (at + step) % COMMITS.length;
    return {
      revision: `main@sha1:${COMMITS[index] ?? ''}`,
      commit: (COMMITS[index] ?? '').slice(0, 12),
      subject: SUBJECTS[index] ?? '',
      author: AUTHORS[index % AUTHORS.length] ?? '',
      committedAt: minutesAgo(14 + step * 90),
      startedAt: minutesAgo(12 + step * 90),
      finishedAt: minutesAgo(11.6 + step * 90),
      outcome: step === 1 ? 'Failed' : 'Succeeded',
      message: step === 1 ? 'Deployment shop/web: admission refused the image' : `${total} applied`,
    };
  });
  return {
    apiVersion: 'tautline.dev/v1alpha1',
    kind: 'Application',
    metadata: { namespace, name, uid: 'u', resourceVersion: '1', generation: 1, labels: { ...labels } },
    spec: { source: { repoURL: 'https://git.example.com/platform/fleet.git', path: `${namespace}/${name}` }, suspend },
    status: {
      conditions: [condition],
      sync: { status: sync, revision, commit: (COMMITS[at] ?? '').slice(0, 12), lastSyncedAt: minutesAgo(12) },
      health: { status: health, ...(healthMessage === undefined ? {} : { message: healthMessage }) },
      counts: {
        ...{ total, synced: total - outOfSync, outOfSync, healthy: total, progressing: 0, degraded: 0 },
        ...{ suspended: 0, missing: 0, unknown: 0, pruning: 0, problems: application.problems?.length ?? 0 },
      },
      history,
      ...status,
    },
  };
}

export interface ScriptedObject {
  readonly group?: string;
  readonly kind: string;
  readonly name: string;
  readonly sync?: ObjectStatus['sync'];
  readonly health?: ObjectStatus['health'];
  readonly more?: Partial<ObjectStatus>;
}

export function object(namespace: string, scriptedObject: ScriptedObject): ObjectStatus {
  const { group = '', kind, name, sync = 'Synced', health = { status: 'Healthy', message: '' }, more } = scriptedObject;
  return { id: { group, kind, namespace, name }, sync, health, fields: [], isPruning: false, ...more };
}

/** A thousand Applications in twenty namespaces, of which a few are not well. */
export function fleet(size = 1_000): KnownApplication[] {
  const teams = ['shop', 'pay', 'search', 'mail', 'media', 'edge', 'data', 'auth', 'maps', 'chat'];
  const parts = ['web', 'api', 'worker', 'cache', 'gateway', 'index', 'store', 'queue', 'jobs', 'admin'];
  return Array.from({ length: size }, (_, index) => {
    const team = teams[index % teams.length] ?? '';
    const stage = index % 3 === 0 ? 'prod' : 'test';
    const name = `${parts[Math.floor(index / 10) % parts.length] ?? ''}-${String(index).padStart(4, '0')}`;
    const state = STATES.find(({ every }) => index % every === every - 1);
    return scripted({ namespace: `${team}-${stage}`, name, labels: { team, stage }, ...state?.state });
  });
}

const STATES: readonly { readonly every: number; readonly state: Partial<Scripted> }[] = [
  {
    every: 331,
    state: {
      health: 'Degraded',
      healthMessage: 'Deployment web: Pod web-7f9c6d: ImagePullBackOff nginx:1.30',
      ready: 'False',
      reason: 'Unhealthy',
      message: '13 of 14 objects are well',
    },
  },
  {
    every: 199,
    state: {
      ready: 'False',
      reason: 'PruneHeld',
      sync: 'OutOfSync',
      message: '12 of 20 objects would be deleted: confirm it, or bring the manifests back',
    },
  },
  {
    every: 167,
    state: {
      ready: 'False',
      reason: 'OutOfSync',
      sync: 'OutOfSync',
      message: 'Deployment web differs at /spec/replicas',
    },
  },
  {
    every: 97,
    state: { health: 'Progressing', ready: 'False', reason: 'Progressing', message: '2 of 3 replicas are ready' },
  },
  { every: 71, state: { suspend: true, message: 'suspended by its spec' } },
];

/** An Application of thousands of objects, two of which are not well. */
export function large(size = 5_000): KnownApplication {
  const objects = Array.from({ length: size }, (_, index) =>
    object('bulk', { kind: index % 5 === 0 ? 'Secret' : 'ConfigMap', name: `item-${String(index).padStart(4, '0')}` }),
  );
  const differing: ObjectStatus[] = ['a', 'b'].map((name) =>
    object('bulk', {
      kind: 'Service',
      name,
      sync: 'OutOfSync',
      more: {
        message: 'differs at /spec/ports/0/port',
        fields: [{ path: '/spec/ports/0/port', live: 80, desired: 8080 }],
      },
    }),
  );
  return scripted({
    namespace: 'bulk',
    name: 'large',
    sync: 'OutOfSync',
    ready: 'False',
    reason: 'OutOfSync',
    message: '2 objects differ',
    objects: [...objects, ...differing],
  });
}
