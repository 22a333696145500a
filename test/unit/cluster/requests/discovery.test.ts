import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDiscovery, type Discovery } from '../../../../src/cluster/requests/discovery.ts';
import type { HttpAnswer, HttpRequest } from '../../../../src/cluster/transport/transport.ts';
import { deployments, namespaces } from '../sample-kinds.ts';

type Answer = Partial<HttpAnswer>;

const json = (value: object, etag?: string): Answer => ({
  text: JSON.stringify(value),
  headers: etag === undefined ? {} : { etag },
});
const away: Answer = { status: 0, failure: 'nothing listens there' };

/** Resources of the aggregated discovery in one group. */
function aggregated(group: string, ...versions: object[]): object {
  return { kind: 'APIGroupDiscoveryList', items: [{ metadata: { name: group }, versions }] };
}

const namespaceResource = {
  resource: 'namespaces',
  responseKind: { kind: 'Namespace' },
  scope: 'Cluster',
  verbs: ['get', 'list', 'watch'],
  subresources: [{ subresource: 'status' }],
};
const deploymentResource = {
  ...namespaceResource,
  resource: 'deployments',
  responseKind: { kind: 'Deployment' },
  scope: 'Namespaced',
};
const core = aggregated('', { version: 'v1', resources: [namespaceResource] });
const apps = aggregated('apps', { version: 'v1', resources: [deploymentResource] });

interface Scene {
  readonly discovery: Discovery;
  readonly sent: HttpRequest[];
  /** Answers by path. */
  readonly answers: Record<string, Answer>;
  readonly passTime: (ms: number) => void;
}

function play(answers: Record<string, Answer>, isLegacy = false): Scene {
  const sent: HttpRequest[] = [];
  let nowMs = 0;
  const transport = {
    server: 'https://api.example.com',
    send(request: HttpRequest): Promise<HttpAnswer> {
      sent.push(request);
      return Promise.resolve({ status: 200, headers: {}, text: '', ...(answers[request.path] ?? { status: 404 }) });
    },
  };
  const limits = { discoveryDoubtMs: 1_000 };
  const clock = { monotonicMs: () => nowMs };
  const discovery = createDiscovery({ transport, limits, clock, isLegacy });
  return { discovery, sent, answers, passTime: (ms) => void (nowMs += ms) };
}

test('aggregated discovery finds the kinds of both roots in two requests, and keeps them', async () => {
  const { discovery, sent } = play({ '/api': json(core), '/apis': json(apps) });
  const kinds = await discovery.kinds();
  assert.deepEqual(kinds.served.get('v1/Namespace'), namespaces);
  assert.deepEqual(kinds.served.get('apps/v1/Deployment'), deployments);
  assert.deepEqual(
    [...kinds.preferred],
    [
      ['', 'v1'],
      ['apps', 'v1'],
    ],
  );
  assert.equal(await discovery.kinds(), kinds);
  assert.equal(sent.length, 2);
});

test('concurrent calls share one discovery', async () => {
  const { discovery, sent } = play({ '/api': json(core), '/apis': json(apps) });
  const [first, second] = await Promise.all([discovery.kinds(), discovery.kinds({ refresh: true })]);
  assert.equal(first, second);
  assert.equal(sent.length, 2);
});

test('a refresh that the server answers with 304 returns the same value', async () => {
  const { discovery, sent, answers } = play({ '/api': json(core, '"a"'), '/apis': json(apps, '"b"') });
  const kinds = await discovery.kinds();
  answers['/api'] = { status: 304 };
  answers['/apis'] = { status: 304 };
  assert.equal(await discovery.kinds({ refresh: true }), kinds);
  assert.deepEqual(
    sent.slice(2).map(({ ifNoneMatch }) => ifNoneMatch),
    ['"a"', '"b"'],
  );
  answers['/apis'] = json(aggregated('apps'), '"c"');
  assert.equal((await discovery.kinds({ refresh: true })).served.has('apps/v1/Deployment'), false);
});

test('a stale version is marked as such', async () => {
  const stale = aggregated('metrics.k8s.io', { version: 'v1beta1', freshness: 'Stale', resources: [] });
  const { discovery } = play({ '/api': json(core), '/apis': json(stale) });
  assert.deepEqual([...(await discovery.kinds()).stale], ['metrics.k8s.io/v1beta1']);
});

test('the first of two resources of one kind counts, and a resource without a kind is left out', async () => {
  const twice = [deploymentResource, { ...deploymentResource, resource: 'others' }, { resource: 'nameless' }];
  const { discovery } = play({
    '/api': json(core),
    '/apis': json(aggregated('apps', { version: 'v1', resources: twice })),
  });
  const { served } = await discovery.kinds();
  assert.equal(served.get('apps/v1/Deployment')?.plural, 'deployments');
  assert.equal(served.size, 2);
});

test('doubt causes one new discovery, but not before discoveryDoubtMs have passed', async () => {
  const { discovery, sent, passTime } = play({ '/api': json(core), '/apis': json(apps) });
  await discovery.kinds();
  discovery.doubt();
  passTime(999);
  await discovery.kinds();
  assert.equal(sent.length, 2);
  passTime(1);
  await discovery.kinds();
  await discovery.kinds();
  assert.equal(sent.length, 4);
});

test('known kinds serve through an outage, and a refresh rejects', async () => {
  const { discovery, answers, passTime } = play({ '/api': json(core), '/apis': json(apps) });
  const kinds = await discovery.kinds();
  answers['/apis'] = away;
  discovery.doubt();
  passTime(1_000);
  assert.equal(await discovery.kinds(), kinds);
  await assert.rejects(discovery.kinds({ refresh: true }), {
    code: 'DiscoveryFailed',
    message: 'cannot ask https://api.example.com which kinds it serves: nothing listens there',
  });
});

test('an answer that is not JSON fails the discovery', async () => {
  const { discovery } = play({ '/api': { text: '<html>' }, '/apis': json(apps) });
  await assert.rejects(discovery.kinds(), { code: 'DiscoveryFailed', message: /the answer is not JSON$/ });
});

test('without aggregated discovery each version is read by itself, and one without an answer is stale', async () => {
  const resources = [
    { name: 'namespaces', kind: 'Namespace', namespaced: false, verbs: ['list', 'watch'] },
    { name: 'namespaces/status', kind: 'Namespace', namespaced: false, verbs: ['get'] },
  ];
  const { discovery, sent } = play(
    {
      '/api': json({ kind: 'APIVersions', versions: ['v1'] }),
      '/apis': json({
        kind: 'APIGroupList',
        groups: [{ name: 'apps', versions: [{ version: 'v1' }], preferredVersion: { version: 'v1' } }],
      }),
      '/api/v1': json({ kind: 'APIResourceList', resources }),
      '/apis/apps/v1': { status: 503 },
    },
    true,
  );
  const kinds = await discovery.kinds();
  assert.deepEqual([...kinds.served.values()], [namespaces]);
  assert.deepEqual([...kinds.stale], ['apps/v1']);
  assert.equal(kinds.preferred.get('apps'), 'v1');
  assert.equal(sent.length, 4);
});
