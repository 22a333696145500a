/** Callers of the status API and the metrics see what Kubernetes lets them see, and nothing without its answer. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { AccessQuestion, AccessReviews } from '../../../src/cluster/ports.ts';
import { StageError } from '../../../src/object/stage-error.ts';
import type { Value } from '../../../src/object/value.ts';
import { listen } from '../../../src/server/listener.ts';
import { metricsRoutes } from '../../../src/server/metrics.ts';
import type { KnownApplication } from '../../../src/server/api/views.ts';
import type { ObjectStatus } from '../../../src/status/object-status.ts';
import { api, applicationNamed, indexOf, knownAs, recordingLog, reviewsOf, type ApiScene } from './api-scene.ts';

const ANY_PORT = { host: '127.0.0.1', port: 0 };

function objectOf(kind: string): ObjectStatus {
  return {
    id: { group: '', kind, namespace: 'web', name: 'a' },
    sync: 'OutOfSync',
    health: { status: 'Healthy', message: '' },
    fields: [{ path: '/data/n', desired: 'in Git', live: 'in the cluster' }],
    patch: { operations: [{ op: 'replace', path: '/data/n', value: 'in Git' }], isMasked: false },
    isPruning: false,
  };
}

function applicationIn(namespace: string, name: string, objects: readonly ObjectStatus[] = []): KnownApplication {
  const metadata = { namespace, name, uid: 'u', resourceVersion: '1', generation: 1 };
  return { ...knownAs(applicationNamed(name, { metadata })), view: { objects, problems: [] } };
}

const INDEX = indexOf(
  applicationIn('shop', 'web', [objectOf('ConfigMap'), objectOf('Secret')]),
  applicationIn('other', 'db'),
  applicationIn('shop', 'api'),
);

/** `reader` may read Applications of shop and get ConfigMaps of web; `lister` may list Applications everywhere. */
function rights(user: string, question: AccessQuestion): boolean {
  const { verb, resource, namespace } = { resource: '', namespace: '', ...question };
  if (user === 'lister') return verb === 'list' && resource === 'applications';
  if (user !== 'reader') return false;
  return resource === 'applications' ? namespace === 'shop' : resource === 'configmaps' && namespace === 'web';
}

const USERS = ['reader', 'lister', 'stranger'];

async function start(t: TestContext, scene: ApiScene = {}) {
  const reviews = scene.reviews ?? reviewsOf(USERS, rights);
  const listener = await listen(api({ index: INDEX, ...scene, reviews }), ANY_PORT);
  t.after(() => listener.close());
  return async (path: string, token?: string): Promise<{ status: number; body: Value; headers: Headers }> => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(`${listener.url}/api/v1/applications${path}`, { headers });
    return { status: answer.status, body: (await answer.json()) as Value, headers: answer.headers };
  };
}

const namesIn = (body: Value): string[] =>
  (body as { applications: { namespace: string; name: string }[] }).applications.map(
    ({ namespace, name }) => `${namespace}/${name}`,
  );

test('each caller sees the Applications that the API server lets the caller list and get', async (t) => {
  const get = await start(t);
  const list = async (token: string): Promise<unknown> => {
    const { status, body } = await get('', token);
    return status === 200 ? namesIn(body) : status;
  };
  const seen = async (token: string): Promise<unknown[]> => [
    await list(token),
    (await get('/shop/web', token)).status,
    (await get('/other/db', token)).status,
    (await get('/shop/none', token)).status,
    (await get('/other/none', token)).status,
  ];
  assert.deepEqual(await seen('admin'), [['other/db', 'shop/api', 'shop/web'], 200, 200, 404, 404]);
  assert.deepEqual(await seen('reader'), [['shop/api', 'shop/web'], 200, 403, 404, 403]);
  assert.deepEqual(await seen('lister'), [['other/db', 'shop/api', 'shop/web'], 403, 403, 403, 403]);
  assert.deepEqual(await seen('stranger'), [403, 403, 403, 403, 403]);
});

test('the values of fields are shown only for kinds that the caller may get', async (t) => {
  const get = await start(t);
  const { body } = await get('/shop/web', 'reader');
  const [map, secret] = (body as { objects: Record<string, unknown>[] }).objects;
  assert.equal(map?.['valuesHidden'], undefined);
  assert.ok(map?.['patch'] && JSON.stringify(map).includes('in the cluster'));
  assert.deepEqual(secret?.['fields'], [{ path: '/data/n' }]);
  assert.equal(secret?.['patch'], undefined);
  assert.equal(secret?.['valuesHidden'], true);
});

test('without a token nothing is shown', async (t) => {
  const get = await start(t);
  for (const path of ['', '/shop/web', '/shop/none']) {
    const { status, body, headers } = await get(path);
    assert.equal(status, 401, path);
    assert.match(headers.get('www-authenticate') ?? '', /^Bearer/);
    assert.doesNotMatch(JSON.stringify(body), /shop|web/);
  }
});

test('with names for everybody, a caller without a token sees names and states alone', async (t) => {
  const get = await start(t, { anonymousRead: 'names' });
  const { status, body } = await get('');
  assert.equal(status, 200);
  assert.deepEqual((body as { applications: object[] }).applications[0], {
    namespace: 'other',
    name: 'db',
    sync: 'Unknown',
    health: 'Unknown',
    ready: 'Unknown',
  });
  assert.equal((await get('/shop/web')).status, 401);
  assert.equal((await get('', 'false')).status, 401, 'a false token is not anonymous');
});

test('a token that is false or malformed is refused, and a malformed one is not sent to the API server', async (t) => {
  const reviews = reviewsOf();
  const get = await start(t, { reviews });
  for (const token of ['false', 'a b', '', 'a"b', '{}']) assert.equal((await get('', token)).status, 401, token);
  assert.deepEqual(reviews.asked, ['token false']);
});

test('a header of another scheme is refused', async (t) => {
  const listener = await listen(api({ index: INDEX, anonymousRead: 'names' }), ANY_PORT);
  t.after(() => listener.close());
  for (const authorization of ['Basic YWRtaW46YWRtaW4=', 'admin', 'Bearer admin admin']) {
    const answer = await fetch(`${listener.url}/api/v1/applications`, { headers: { authorization } });
    assert.equal(answer.status, 401, authorization);
  }
});

test('an address with many false tokens is told to wait, and genuine tokens of it are still found', async (t) => {
  const reviews = reviewsOf();
  const get = await start(t, { reviews });
  const statuses = [];
  for (let n = 0; n < 600; n++) statuses.push((await get('', `false-${n}`)).status);
  assert.ok(statuses.includes(429) && reviews.asked.length < 600, `${reviews.asked.length} reviews`);
  assert.equal(statuses[0], 401);
});

test('where the API server gives no answer, nothing is shown, and the log says so once', async (t) => {
  const log = recordingLog();
  const broken = new StageError({
    stage: 'status',
    code: 'Forbidden',
    retry: 'backoff',
    message: 'access cannot be reviewed: the agent may not create tokenreviews',
  });
  const fails = (): Promise<never> => Promise.reject(broken);
  const users = reviewsOf(USERS, rights);
  const cases: AccessReviews[] = [
    { authenticate: fails, authorize: fails },
    { authenticate: (token) => users.authenticate(token), authorize: fails },
  ];
  for (const reviews of cases) {
    const get = await start(t, { reviews, log });
    for (const path of ['', '/shop/web', '/other/none']) {
      const { status, body, headers } = await get(path, 'reader');
      assert.equal(status, 503, path);
      assert.ok(headers.get('retry-after'));
      assert.doesNotMatch(JSON.stringify(body), /shop|web/);
    }
  }
  assert.deepEqual(
    log.warnings.map((fields) => fields?.['code']),
    ['Forbidden', 'Forbidden'],
    'each listener says it once',
  );
  assert.deepEqual(log.errors, []);
});

test('/metrics that need a token are given to accounts that may get the path', async (t) => {
  const reviews = reviewsOf(['prometheus', 'stranger'], (user, question) => {
    return user === 'prometheus' && 'path' in question && question.path === '/metrics' && question.verb === 'get';
  });
  const clock = { now: () => 0, monotonicMs: () => performance.now() };
  const expose = () => Promise.resolve({ contentType: 'text/plain', body: 'tautline_up 1\n' });
  const statusesOf = async (routes: Parameters<typeof listen>[0]): Promise<number[]> => {
    const listener = await listen(routes, ANY_PORT);
    t.after(() => listener.close());
    const statuses = [];
    for (const token of ['prometheus', 'stranger', 'false', undefined]) {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      statuses.push((await fetch(`${listener.url}/metrics`, { headers })).status);
    }
    return statuses;
  };
  assert.deepEqual(
    await statusesOf(metricsRoutes({ expose, reviews, clock, log: recordingLog() })),
    [200, 403, 401, 401],
  );
  assert.deepEqual(await statusesOf(metricsRoutes({ expose, clock, log: recordingLog() })), [200, 200, 200, 200]);
});
