/** One object, the tree, Events, logs and the plan: what the API server lets the caller read, without secret values. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { CallerClient, Selection } from '../../../../src/cluster/ports.ts';
import { kindKey, type KindInfo, type Kinds } from '../../../../src/cluster/kinds.ts';
import { toLiveObject } from '../../../../src/cluster/live-object.ts';
import type { ObjectId } from '../../../../src/object/identity.ts';
import type { KubeObject, ValueMap } from '../../../../src/object/value.ts';
import type { KnownApplication } from '../../../../src/server/api/views.ts';
import { listen } from '../../../../src/server/listener.ts';
import type { ObjectStatus } from '../../../../src/status/object-status.ts';
import { ADMIN, api, applicationNamed, indexOf, knownAs } from '../api-scene.ts';

const kindOf = (group: string, kind: string, plural: string): KindInfo => ({
  ...{ group, version: 'v1', kind, plural, isNamespaced: true, hasStatus: true, isWatchable: true },
});
const ALL = [
  kindOf('apps', 'Deployment', 'deployments'),
  kindOf('apps', 'ReplicaSet', 'replicasets'),
  kindOf('', 'Pod', 'pods'),
  kindOf('', 'Secret', 'secrets'),
  kindOf('', 'ConfigMap', 'configmaps'),
  kindOf('db.example.com', 'Database', 'databases'),
  kindOf('db.example.com', 'Backup', 'backups'),
];
const versionOf = ({ group, version }: KindInfo): string => (group === '' ? version : `${group}/${version}`);
const KINDS: Kinds = {
  served: new Map(ALL.map((info) => [kindKey(versionOf(info), info.kind), info])),
  stale: new Set(),
  preferred: new Map(ALL.map(({ group, version }) => [group, version])),
};

function statusOf(group: string, kind: string, name: string, more: Partial<ObjectStatus> = {}): ObjectStatus {
  const id = { group, kind, namespace: 'apps', name };
  return { id, sync: 'Synced', health: { status: 'Healthy', message: '' }, fields: [], isPruning: false, ...more };
}

function bodyOf(kind: string, name: string, more: ValueMap = {}, owner?: string): KubeObject {
  const info = ALL.find((one) => one.kind === kind) as KindInfo;
  const [ownerKind = '', ownerName = ''] = owner?.split('/') ?? [];
  const ownerInfo = ALL.find((one) => one.kind === ownerKind);
  const reference = ownerInfo && {
    apiVersion: versionOf(ownerInfo),
    kind: ownerKind,
    name: ownerName,
    controller: true,
  };
  const metadata = {
    namespace: 'apps',
    name,
    uid: `uid-${name}`,
    ...(reference ? { ownerReferences: [reference] } : {}),
  };
  return { apiVersion: versionOf(info), kind, metadata, ...more };
}

function clusterOf(...bodies: KubeObject[]): Partial<CallerClient> {
  const live = (info: KindInfo, body: KubeObject) => toLiveObject(info, body) ?? assert.fail('no object');
  return {
    get: async (info, id) => {
      const found = bodies.find((body) => body.kind === info.kind && body.metadata['name'] === id.name);
      return { ok: true, object: found && live(info, found) };
    },
    listBySelector: async (info) => {
      return { ok: true, objects: bodies.filter(({ kind }) => kind === info.kind).map((body) => live(info, body)) };
    },
  };
}

const REFUSED = {
  ok: false,
  refusal: { code: 'Forbidden', status: 403, message: 'pods is forbidden: <b>no</b> \u202e', retry: 'never' },
} as const;

type Scene = Partial<Pick<KnownApplication, 'desiredOf' | 'trial'>> & { readonly objects?: readonly ObjectStatus[] };

async function start(t: TestContext, { objects = [], ...more }: Scene, cluster: Partial<CallerClient> = {}) {
  const known = { ...knownAs(applicationNamed('a')), view: { objects, problems: [] }, ...more };
  const listener = await listen(api({ index: indexOf(known), cluster, kinds: KINDS }), { host: '127.0.0.1', port: 0 });
  t.after(() => listener.close());
  return async (path: string): Promise<{ status: number; text: string; body: Record<string, unknown> }> => {
    const answer = await fetch(`${listener.url}/api/v1/applications/apps/a/${path}`, { headers: ADMIN });
    const text = await answer.text();
    return { status: answer.status, text, body: JSON.parse(text) as Record<string, unknown> };
  };
}

const DIFFERS = {
  sync: 'OutOfSync',
  fields: [
    { path: '/data/n', desired: 'in Git', live: 'in the cluster', manager: 'kubectl' },
    { path: '/data/text', desired: 'a\nb\n', live: 'a\nc\n', hunks: '@@ -1,2 +1,2 @@\n a\n-c\n+b\n' },
  ],
  patch: { operations: [{ op: 'replace', path: '/data/n', value: 'in Git' }], isMasked: false },
} as const;

test('one object has its desired and live form, the fields that differ as a text, and a patch', async (t) => {
  const live = bodyOf('ConfigMap', 'c', { data: { n: 'in the cluster' } });
  live.metadata['managedFields'] = [{ manager: 'kubectl' }];
  const desired = bodyOf('ConfigMap', 'c', { data: { n: 'in Git' } });
  const get = await start(
    t,
    { objects: [statusOf('', 'ConfigMap', 'c', DIFFERS)], desiredOf: () => ({ body: desired }) },
    clusterOf(live),
  );
  const { body } = await get('object?kind=ConfigMap&namespace=apps&name=c');
  assert.equal(
    body['difference'],
    '/data/n: "in the cluster" → "in Git"   (by kubectl)\n/data/text:\n@@ -1,2 +1,2 @@\n a\n-c\n+b\n',
  );
  assert.deepEqual(body['desired'], desired);
  assert.deepEqual((body['live'] as KubeObject)['data'], { n: 'in the cluster' });
  assert.equal((body['live'] as KubeObject).metadata['managedFields'], undefined);
  assert.deepEqual(body['patch'], DIFFERS.patch.operations);
  assert.equal(body['uid'], 'uid-c');
});

test('where the API server refuses the object, the paths of its fields are shown and no value', async (t) => {
  const get = await start(
    t,
    {
      objects: [statusOf('', 'ConfigMap', 'c', DIFFERS)],
      desiredOf: () => ({ body: bodyOf('ConfigMap', 'c', { data: { n: 'in Git' } }) }),
    },
    { get: () => Promise.resolve(REFUSED) },
  );
  const { status, text, body } = await get('object?kind=ConfigMap&namespace=apps&name=c');
  assert.equal(status, 200);
  assert.doesNotMatch(text, /in Git|in the cluster|\u202e/);
  assert.deepEqual(body['fields'], [{ path: '/data/n' }, { path: '/data/text' }]);
  assert.match(String(body['liveRefusal']), /forbidden/);
});

test('values of Secrets and of sealed files are masked in the desired and the live form', async (t) => {
  const secret = bodyOf('Secret', 's', { data: { password: 'c2VjcmV0' }, stringData: { other: 'secret' } });
  const sealed = bodyOf('ConfigMap', 'c', { data: { password: 'secret' }, immutable: true });
  sealed.metadata['annotations'] = { note: 'secret' };
  const desiredOf = ({ kind }: ObjectId) =>
    kind === 'Secret' ? { body: secret } : { body: sealed, isSealed: true as const };
  const objects = [statusOf('', 'Secret', 's'), statusOf('', 'ConfigMap', 'c')];
  const get = await start(t, { objects, desiredOf }, clusterOf(secret, sealed));
  for (const name of ['kind=Secret&name=s', 'kind=ConfigMap&name=c']) {
    const { text, body } = await get(`object?namespace=apps&${name}`);
    assert.doesNotMatch(text, /c2VjcmV0|"secret"|sha256/, name);
    assert.equal((body['desired'] as KubeObject).metadata['namespace'], 'apps');
    const { password } = (body['live'] as KubeObject)['data'] as { password: string };
    assert.equal(password, '********');
  }
});

test('an object that is not of the Application is not read', async (t) => {
  const reads: ObjectId[] = [];
  const get = await start(t, { objects: [] }, { get: (_kind, id) => (reads.push(id), Promise.resolve(REFUSED)) });
  assert.equal((await get('object?kind=ConfigMap&namespace=apps&name=c')).status, 404);
  for (const query of [
    'kind=ConfigMap&name=a%2fb',
    'kind=ConfigMap&name=..',
    'kind=..&name=a',
    'kind=A&namespace=..&name=a',
  ]) {
    assert.equal((await get(`object?${query}`)).status, 400, query);
  }
  assert.deepEqual(reads, []);
});

test('the tree goes down to Pods, leaves out replaced ReplicaSets, and tells the health of each', async (t) => {
  const waiting = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } };
  const status = {
    phase: 'Running',
    containerStatuses: [{ name: 'c', ready: false, restartCount: 9, state: waiting }],
  };
  const get = await start(
    t,
    { objects: [statusOf('', 'ConfigMap', 'c'), statusOf('apps', 'Deployment', 'web')] },
    clusterOf(
      bodyOf('ReplicaSet', 'web-1', { spec: { replicas: 0 }, status: { replicas: 0 } }, 'Deployment/web'),
      bodyOf('ReplicaSet', 'web-2', { spec: { replicas: 1 }, status: { replicas: 1 } }, 'Deployment/web'),
      bodyOf('Pod', 'web-2-x', { status }, 'ReplicaSet/web-2'),
      bodyOf('Pod', 'stray', { status }, 'ReplicaSet/other'),
      bodyOf('Pod', 'loop', { status }, 'Pod/loop'),
    ),
  );
  const { nodes, notes } = (await get('tree')).body as unknown as {
    nodes: { kind: string; name: string; parent?: number; sync?: string; health: { status: string } }[];
    notes: string[];
  };
  assert.deepEqual(
    nodes.map(({ name, parent, sync }) => [name, parent, sync]),
    [
      ['c', undefined, 'Synced'],
      ['web', undefined, 'Synced'],
      ['web-2', 1, undefined],
      ['web-2-x', 2, undefined],
    ],
  );
  assert.equal(nodes[3]?.health.status, 'Degraded');
  assert.deepEqual(notes, []);
});

test('a custom resource shows objects of its own group, and an Application without owners lists nothing', async (t) => {
  const lists: string[] = [];
  const backup = bodyOf('Backup', 'nightly', {}, 'Database/db');
  const cluster = clusterOf(backup);
  const counted = {
    ...cluster,
    listBySelector: (kind: KindInfo, selection: Selection) => {
      lists.push(kind.plural);
      return cluster.listBySelector?.(kind, selection) ?? assert.fail();
    },
  };
  const get = await start(t, { objects: [statusOf('db.example.com', 'Database', 'db')] }, counted);
  const { nodes } = (await get('tree')).body as unknown as { nodes: { name: string }[] };
  assert.deepEqual(
    nodes.map(({ name }) => name),
    ['db', 'nightly'],
  );
  assert.ok(lists.includes('backups') && lists.length <= 9, lists.join());
  lists.length = 0;
  await (
    await start(t, { objects: [statusOf('', 'ConfigMap', 'c')] }, counted)
  )('tree');
  assert.deepEqual(lists, []);
});

test('a list that the API server refuses is told in a note, and the rest of the tree is shown', async (t) => {
  const get = await start(
    t,
    { objects: [statusOf('apps', 'Deployment', 'web')] },
    { listBySelector: () => Promise.resolve(REFUSED) },
  );
  const { status, text, body } = await get('tree');
  assert.equal(status, 200);
  assert.equal((body['nodes'] as unknown[]).length, 1);
  assert.match(String((body['notes'] as string[])[0]), /^pods in apps are not shown/);
  assert.doesNotMatch(text, /\u202e/);
});

test('Events are those of the very object, the newest first, and hostile messages stay text', async (t) => {
  const eventOf = (name: string, apiVersion: string, lastTimestamp: string): KubeObject => ({
    ...bodyOf('Pod', name, {
      type: 'Warning',
      reason: 'Failed',
      message: `<img> \u202e ${name}`,
      count: 3,
      lastTimestamp,
    }),
    kind: 'Event',
    involvedObject: { apiVersion, kind: 'Deployment', namespace: 'apps', name: 'web' },
  });
  const asked: Selection[] = [];
  const events = [
    eventOf('old', 'apps/v1', '2026-11-30T09:00:00Z'),
    eventOf('new', 'apps/v1', '2026-11-30T10:00:00Z'),
    eventOf('foreign', 'other/v1', '2026-11-30T10:00:00Z'),
  ];
  const get = await start(
    t,
    {},
    {
      listBySelector: async (kind, selection) => {
        asked.push(selection);
        return { ok: true, objects: events.flatMap((event) => toLiveObject(kind, event) ?? []) };
      },
    },
  );
  const { text, body } = await get('events?group=apps&kind=Deployment&namespace=apps&name=web');
  assert.deepEqual(
    (body['events'] as { message: string }[]).map(({ message }) => message),
    ['<img> \u202e new', '<img> \u202e old'],
  );
  assert.doesNotMatch(text, /\u202e/);
  assert.equal(asked[0]?.fieldSelector, 'involvedObject.kind=Deployment,involvedObject.name=web');
});

test('the last lines of a log are bounded, and a refusal of the API server is handed on', async (t) => {
  const log = Array.from({ length: 20 }, (_, n) => `line ${n} ${'x'.repeat(n === 19 ? 9_000 : 0)}`).join('\n');
  const get = await start(
    t,
    {},
    { readLog: async ({ pod }) => (pod === 'p' ? { ok: true, text: `${log}\n` } : REFUSED) },
  );
  const { body } = await get('log?namespace=apps&pod=p&lines=2');
  const lines = body['lines'] as string[];
  assert.deepEqual([lines.length, lines[0], lines[1]?.length], [2, 'line 18 ', 4_096]);
  const refused = await get('log?namespace=apps&pod=other');
  assert.deepEqual([refused.status, refused.body['code']], [403, 'Forbidden']);
  for (const query of [
    'pod=p',
    'namespace=apps&pod=p&lines=1001',
    'namespace=apps&pod=..',
    'namespace=apps&pod=a%2fb',
  ]) {
    assert.equal((await get(`log?${query}`)).status, 400, query);
  }
});

test('the plan is that of the last dry run, and another one is not found', async (t) => {
  const idOf = (name: string): ObjectId => ({ group: '', kind: 'ConfigMap', namespace: 'apps', name });
  const trial = {
    request: 'r1',
    revision: 'main@sha1:aa',
    outcome: 'Succeeded' as const,
    message: 'dry run',
    held: '5 of 6 objects would be deleted',
    objects: [
      { id: idOf('a'), word: 'created' as const, detail: 'would be created' },
      {
        id: idOf('b'),
        word: 'changed' as const,
        isRecreated: true as const,
        detail: 'would be deleted and created again',
      },
      { id: idOf('c'), word: 'unchanged' as const, detail: undefined },
      { id: idOf('d'), word: 'held' as const, detail: 'its prune would be held' },
    ],
  };
  const get = await start(t, { trial });
  const { body } = await get('plan?request=r1');
  assert.deepEqual(
    (body['objects'] as { action: string }[]).map(({ action }) => action),
    ['create', 'recreate', 'hold'],
  );
  assert.deepEqual([body['unchanged'], body['held']], [1, trial.held]);
  assert.equal((await get('plan?request=r2')).body['code'], 'NoPlan');
  assert.equal((await (await start(t, {}))('plan')).status, 404);
});
