/** The commands that show one Application closely: history, tree, events and why. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectsOf, readTree } from '../../../src/cli/application-tree.ts';
import { eventTable, readEvents, readEventsOf } from '../../../src/cli/events.ts';
import { failingPod, logQuestionOf } from '../../../src/cli/failing-pod.ts';
import { findApplication } from '../../../src/cli/find-application.ts';
import { historyTable } from '../../../src/cli/history.ts';
import { treeTable } from '../../../src/cli/tree.ts';
import { whyText } from '../../../src/cli/why.ts';
import { idOf } from '../../../src/object/identity.ts';
import type { ValueMap } from '../../../src/object/value.ts';
import { accessTo, application, event, object } from './fake-cluster.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const COMMIT = '6dcb09b5b57875f334f61aebed695e2e4193db5e';
const REVISION = `main@sha1:${COMMIT}`;

const ENTRY = {
  ...{ revision: REVISION, commit: COMMIT.slice(0, 12), subject: 'Bump nginx', author: 'Ann' },
  ...{ committedAt: '2026-03-01T11:00:00Z', startedAt: '2026-03-01T11:56:00Z', finishedAt: '2026-03-01T11:57:00Z' },
} as const;
const FAILED = { ...ENTRY, commit: 'aaaaaaaaaaaa', outcome: 'Failed', message: 'web.yaml:3\nsecond line' } as const;

test('the history is a table of revision, outcome, time, author and subject, with the reason of a failure', () => {
  const history = [{ ...ENTRY, outcome: 'Succeeded', message: '2 objects in sync' } as const, FAILED];
  const table = historyTable(history, { now: NOW, isWide: false, hasHeaders: true });
  assert.equal(
    table,
    'REVISION       OUTCOME     WHEN     AUTHOR   SUBJECT      MESSAGE\n' +
      '6dcb09b5b578   Succeeded   3m ago   Ann      Bump nginx   -\n' +
      'aaaaaaaaaaaa   Failed      3m ago   Ann      Bump nginx   web.yaml:3\n',
  );
  const wide = historyTable(history, { now: NOW, isWide: true, hasHeaders: false });
  assert.match(wide, new RegExp(`^${REVISION} +Succeeded +3m ago +Ann +Bump nginx +2 objects in sync +-\n`));
});

test('a text of a commit is printed as text, and a long one is cut in the narrow table', () => {
  const hostile = { ...ENTRY, outcome: 'Succeeded', subject: `\u001b[2J${'x'.repeat(200)}` } as const;
  const table = historyTable([hostile], { now: NOW, isWide: false, hasHeaders: false });
  assert.doesNotMatch(table, /\u001b/);
  assert.match(table, /\\u001b\[2Jx+… /);
  assert.ok(table.length < 150);
});

test('a name that does not exist gets the nearest one of the namespace', async () => {
  const found = await findApplication(accessTo([application()]), 'shpo');
  assert.match(found.ok ? '' : found.problem, /no Application shpo in namespace apps.*did you mean shop\?$/);
  const far = await findApplication(accessTo([application()]), 'billing');
  assert.doesNotMatch(far.ok ? '' : far.problem, /did you mean/);
});

const inventory = { objects: { 'apps/Deployment': { shop: 'api web' } } };
const resource = {
  ...{ group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web', sync: 'OutOfSync', health: 'Degraded' },
  message: 'differs at /spec/replicas',
};
const DEGRADED: ValueMap = {
  inventory,
  resources: [resource],
  sync: { status: 'OutOfSync', revision: REVISION, commit: COMMIT.slice(0, 12) },
  health: { status: 'Degraded', message: 'Deployment.apps shop/web: 0 of 1 replicas available' },
  history: [{ ...ENTRY, outcome: 'Succeeded' }],
  conditions: [
    {
      ...{ type: 'Ready', status: 'False', reason: 'HealthCheckFailed', observedGeneration: 1 },
      ...{ message: '1 object is not healthy', lastTransitionTime: '2026-03-01T11:58:00Z' },
    },
  ],
};

const web = object('apps/Deployment', 'web');
const replicas = object('apps/ReplicaSet', 'web-1', { spec: { replicas: 1 } }, web);
const crashing = {
  containerStatuses: [
    { name: 'proxy', ready: true, restartCount: 0, state: { running: {} } },
    { name: 'app', ready: false, restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } } },
  ],
};
const pod = object('Pod', 'web-1-x', { status: crashing, spec: { containers: [{ name: 'proxy' }] } }, replicas);

test('the tree shows each object with its state, and what it owns down to Pods', async () => {
  const shop = application(DEGRADED);
  const tree = await readTree(accessTo([shop, web, replicas, pod]), objectsOf(shop));
  assert.deepEqual(
    treeTable(shop, tree, false)
      .split('\n')
      .map((line) => line.split(/ {3,}/).slice(0, 3).join('|')),
    [
      'Application.tautline.dev apps/shop|OutOfSync|Degraded',
      '├─ Deployment.apps shop/api|Synced|Healthy',
      '└─ Deployment.apps shop/web|OutOfSync|Degraded',
      // Three blanks of the tree are as wide as the space between columns.
      `|└─ ReplicaSet.apps shop/web-1|-`,
      '|' + '   └─ Pod shop/web-1-x|-'.trimStart(),
      '',
    ],
  );
});

test('an object that a full status does not name is Unknown, and not Healthy', () => {
  const resources = Array.from({ length: 50 }, (_, index) => ({ ...resource, name: `w${index}` }));
  const states = objectsOf(application({ inventory, resources })).map(({ sync, health }) => [sync, health.status]);
  assert.deepEqual(states[0], ['Unknown', 'Unknown']);
  assert.equal(states.length, 52);
});

const other = object('Pod', 'other');
const EVENTS = [
  event(pod, 'BackOff', '2026-03-01T11:59:00Z', { count: 7 }),
  event(web, 'ScalingReplicaSet', '2026-03-01T11:50:00Z'),
  event(other, 'Pulled', '2026-03-01T11:59:30Z'),
];

test('Events of the objects are shown with the newest last, and those of other objects are not', async () => {
  const { client } = accessTo([...EVENTS]).cluster;
  const found = await readEvents(client, [web, replicas, pod].map(idOf));
  assert.equal(
    eventTable(found.events, { now: NOW, hasHeaders: true }),
    'LAST SEEN   TYPE      REASON              OBJECT                     MESSAGE\n' +
      '10m         Warning   ScalingReplicaSet   Deployment.apps shop/web   ScalingReplicaSet of web\n' +
      '60s (x7)    Warning   BackOff             Pod shop/web-1-x           BackOff of web-1-x\n',
  );
  assert.deepEqual(found.notes, []);
  assert.equal((await readEventsOf(client, [idOf(pod)])).events.length, 1);
});

test('Events that may not be read are named, and those of other namespaces are still shown', async () => {
  const { client } = accessTo([...EVENTS]).cluster;
  const refusal = { code: 'Forbidden', status: 403, message: 'events is forbidden', retry: 'never' } as const;
  const partly = {
    listBySelector: (...[info, selection]: Parameters<typeof client.listBySelector>) =>
      selection.namespace === 'apps'
        ? Promise.resolve({ ok: false as const, refusal })
        : client.listBySelector(info, selection),
  };
  const found = await readEvents(partly, [idOf(application()), idOf(web)]);
  assert.deepEqual(found.notes, ['Events in apps are not shown: events is forbidden']);
  assert.equal(found.events.length, 1);
});

test('the log is that of the container that failed, before its last restart', async () => {
  const { nodes } = await readTree(accessTo([web, replicas, pod]), objectsOf(application(DEGRADED)));
  assert.equal(failingPod(nodes)?.name, 'web-1-x');
  const expected = { namespace: 'shop', pod: 'web-1-x', container: 'app', isPrevious: true, lines: 10 };
  assert.deepEqual(logQuestionOf(pod, 10), expected);
  const running = object('Pod', 'a', { spec: { containers: [{ name: 'only' }] } });
  assert.deepEqual(logQuestionOf(running, 5), {
    ...{ namespace: 'shop', pod: 'a', container: 'only', isPrevious: false, lines: 5 },
  });
});

test('why says on one screen what is wrong, where, since which commit, and what the log says', async () => {
  const shop = application(DEGRADED);
  const { client } = accessTo([...EVENTS]).cluster;
  const { events } = await readEventsOf(client, [idOf(pod)]);
  const { nodes } = await readTree(accessTo([web, replicas, pod]), objectsOf(shop));
  const log = { pod: 'Pod shop/web-1-x', container: 'app', isPrevious: true, lines: ['\u001b[31mpanic', 'no config'] };
  const found = {
    objects: objectsOf(shop).slice(1),
    events,
    pods: nodes.filter(({ kind }) => kind === 'Pod'),
    log,
  };
  const text = whyText(shop, found, NOW);
  assert.match(text, /^apps\/shop: OutOfSync, Degraded, not Ready \(HealthCheckFailed\) since 2m ago\n/);
  assert.match(text, /\n {2}Degraded: Deployment\.apps shop\/web: 0 of 1 replicas available\n/);
  assert.match(text, /\n {2}Commit 6dcb09b5b578 "Bump nginx" by Ann, 60m ago\n/);
  assert.match(text, /\n {2}Deployment\.apps shop\/web OutOfSync, Degraded: differs at \/spec\/replicas\n/);
  assert.match(text, /\nPods\n {2}Pod shop\/web-1-x Degraded: /);
  assert.match(text, /\nLast Events\n {2}60s \(x7\) .*BackOff/);
  assert.match(text, /\nLog of Pod shop\/web-1-x, container app, before its last restart\n {2}\\u001b\[31mpanic\n/);
  assert.match(text, /\nSee also\n {2}tautline diff shop -n apps\n$/);
});

test('why fits on one screen, however much is wrong', () => {
  const resources = Array.from({ length: 50 }, (_, index) => ({ ...resource, name: `w${index}` }));
  const conditions = [{ ...(DEGRADED['conditions'] as ValueMap[])[0], message: 'line\n'.repeat(100) }];
  const shop = application({ ...DEGRADED, resources, conditions });
  const text = whyText(shop, { objects: objectsOf(shop), events: [], pods: [], log: undefined }, NOW);
  assert.ok(text.split('\n').length < 30, text);
  assert.match(text, /… and 94 lines more/);
  assert.match(text, /… and 47 more\n/);
});

test('why says so if nothing is wrong', () => {
  const conditions = [
    { ...(DEGRADED['conditions'] as ValueMap[])[0], status: 'True', reason: 'ReconciliationSucceeded' },
  ];
  const well = { ...DEGRADED, conditions, sync: { status: 'Synced' }, health: { status: 'Healthy' }, resources: [] };
  const text = whyText(application(well), { objects: [], events: [], pods: [], log: undefined }, NOW);
  assert.equal(text, 'apps/shop: Synced, Healthy, Ready since 2m ago\n  Nothing is wrong.\n');
});
