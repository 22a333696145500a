/** The list of Applications: filter, order, pages, confirmation by tag, and the costs at rest. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { AccessReviews } from '../../../../src/cluster/ports.ts';
import type { ApplicationIndex } from '../../../../src/server/api/rows.ts';
import type { KnownApplication } from '../../../../src/server/api/views.ts';
import { listen } from '../../../../src/server/listener.ts';
import { ADMIN, api, applicationNamed, indexOf, knownAs, reviewsOf, type ApiScene } from '../api-scene.ts';

interface State {
  readonly namespace?: string;
  readonly name: string;
  readonly labels?: Record<string, string>;
  readonly sync?: string;
  readonly health?: string;
  readonly syncedAt?: string;
}

function storedAs({ namespace = 'apps', name, labels = {}, sync = 'Synced', health = 'Healthy', syncedAt }: State) {
  const metadata = { namespace, name, uid: 'u', resourceVersion: '1', generation: 1, labels };
  const ready = { type: 'Ready', status: 'True', reason: 'Done', message: `${name} is as Git has it` };
  const status = {
    sync: { status: sync, ...(syncedAt === undefined ? {} : { lastSyncedAt: syncedAt }) },
    health: { status: health },
    conditions: [{ ...ready, lastTransitionTime: '2026-11-30T00:00:00Z' }],
  };
  return applicationNamed(name, { metadata, status });
}

const known = (state: State): KnownApplication => knownAs(storedAs(state));

interface Listed {
  readonly status: number;
  readonly names: readonly string[];
  readonly body: {
    readonly total: number;
    readonly continue?: string;
    readonly counts?: Record<string, Record<string, number>>;
    readonly unreviewedNamespaces?: number;
    readonly detail?: string;
  };
  readonly tag: string | null;
}

async function start(t: TestContext, scene: ApiScene) {
  const listener = await listen(api(scene), { host: '127.0.0.1', port: 0 });
  t.after(() => listener.close());
  return async (query = '', headers: Record<string, string> = ADMIN): Promise<Listed> => {
    const answer = await fetch(`${listener.url}/api/v1/applications${query}`, { headers });
    const text = await answer.text();
    const body = (text === '' ? {} : JSON.parse(text)) as Listed['body'] & { applications?: { name: string }[] };
    const names = (body.applications ?? []).map(({ name }) => name);
    return { status: answer.status, names, body, tag: answer.headers.get('etag') };
  };
}

const SHOP = indexOf(
  known({ name: 'api', namespace: 'shop', labels: { tier: 'front', env: 'prod' }, syncedAt: '2026-11-30T09:00:00Z' }),
  known({ name: 'db', namespace: 'data', labels: { tier: 'back' }, health: 'Degraded' }),
  known({
    name: 'web',
    namespace: 'shop',
    labels: { tier: 'front' },
    sync: 'OutOfSync',
    syncedAt: '2026-11-30T10:00:00Z',
  }),
  known({ name: 'jobs', namespace: 'shop', health: 'Progressing' }),
);

test('a list can be filtered by namespace, labels, state, severity and words', async (t) => {
  const list = await start(t, { index: SHOP });
  const cases: Readonly<Record<string, readonly string[]>> = {
    '': ['db', 'api', 'jobs', 'web'],
    '?namespace=data': ['db'],
    '?namespace=data,shop,none': ['db', 'api', 'jobs', 'web'],
    '?labelSelector=tier': ['db', 'api', 'web'],
    '?labelSelector=!tier': ['jobs'],
    '?labelSelector=tier%3Dfront,env%20notin%20(prod,%20test)': ['web'],
    '?labelSelector=tier%20in%20(back,middle)': ['db'],
    '?labelSelector=tier!%3Dfront': ['db', 'jobs'],
    '?labelSelector=constructor': [],
    '?sync=OutOfSync': ['web'],
    '?health=Degraded,Progressing': ['db', 'jobs'],
    '?ready=False': [],
    '?severity=error,warning': ['db', 'web'],
    '?search=SHOP%20tier%3Dfront': ['api', 'web'],
    '?search=as%20Git%20has%20it&sync=Synced&namespace=shop': ['api', 'jobs'],
  };
  for (const [query, names] of Object.entries(cases)) {
    const answer = await list(query);
    assert.deepEqual([answer.names, answer.body.total], [names, names.length], query);
  }
});

test('a list counts the states of all Applications that the caller sees, before the filter', async (t) => {
  const list = await start(t, { index: SHOP });
  const { counts } = (await list('?sync=OutOfSync&limit=1')).body;
  assert.deepEqual(counts, {
    sync: { Synced: 3, OutOfSync: 1 },
    health: { Degraded: 1, Healthy: 2, Progressing: 1 },
    severity: { error: 1, ok: 1, progressing: 1, warning: 1 },
    namespaces: { data: 1, shop: 3 },
  });
});

test('a list can be sorted by severity, health, sync and the newest sync', async (t) => {
  const list = await start(t, { index: SHOP });
  assert.deepEqual((await list('?sort=severity')).names, ['db', 'web', 'jobs', 'api']);
  assert.deepEqual((await list('?sort=health')).names, ['db', 'jobs', 'api', 'web']);
  assert.deepEqual((await list('?sort=sync')).names, ['web', 'db', 'api', 'jobs']);
  assert.deepEqual((await list('?sort=recent')).names, ['web', 'api', 'db', 'jobs']);
});

test('the pages of every order hold each Application once', async (t) => {
  const health = fc.constantFrom('Healthy', 'Degraded', 'Progressing');
  const state = fc.record({ name: fc.stringMatching(/^[a-z]{1,3}$/), namespace: fc.constantFrom('a', 'b'), health });
  const states = fc.uniqueArray(state, { selector: ({ namespace, name }) => `${namespace}/${name}`, maxLength: 12 });
  const sort = fc.constantFrom('name', 'severity', 'health', 'sync', 'recent');
  await fc.assert(
    fc.asyncProperty(states, sort, fc.integer({ min: 1, max: 5 }), async (all, sort, limit) => {
      const list = await start(t, { index: indexOf(...all.map(known)) });
      const whole = (await list(`?sort=${sort}`)).names;
      const paged: string[] = [];
      let token: string | undefined = '';
      while (token !== undefined) {
        const { names, body } = await list(`?sort=${sort}&limit=${limit}${token && `&continue=${token}`}`);
        paged.push(...names);
        token = body.continue;
      }
      assert.deepEqual(paged, whole);
      assert.equal(whole.length, all.length);
    }),
    { numRuns: 15 },
  );
});

test('a page begins behind the last one also if its last Application is gone', async (t) => {
  const all = ['a', 'b', 'c', 'd'].map((name) => known({ name }));
  const index = { ...indexOf(), list: () => all };
  const first = await (await start(t, { index }))('?limit=2');
  assert.deepEqual(first.names, ['a', 'b']);
  all.splice(1, 1);
  const second = await (await start(t, { index }))(`?limit=2&continue=${first.body.continue}`);
  assert.deepEqual(second.names, ['c', 'd']);
});

test('a list that has not changed is confirmed by its tag, and a changed one is not', async (t) => {
  const all = [known({ name: 'a' }), known({ name: 'b' })];
  let nowMs = 0;
  const clock = { now: () => 0, monotonicMs: () => nowMs };
  const list = await start(t, { index: { ...indexOf(), list: () => all }, clock });
  const { tag } = await list();
  const again = { ...ADMIN, 'if-none-match': `"other", W/${tag}` };
  assert.equal((await list('', again)).status, 304);
  assert.equal((await list('?limit=1', again)).status, 200, 'another page has another tag');
  nowMs = 2_000;
  all[1] = known({ name: 'b' });
  assert.equal((await list('', again)).status, 304, 'an equal Application is no change');
  nowMs = 4_000;
  all[1] = known({ name: 'b', health: 'Degraded' });
  const changed = await list('', again);
  assert.equal(changed.status, 200);
  assert.notEqual(changed.tag, tag);
});

test('Applications that have not changed are neither read nor written again', async (t) => {
  let reads = 0;
  const all = Array.from({ length: 50 }, (_, n): KnownApplication => {
    const { parsed, ...more } = known({ name: `app-${n}` });
    if (!parsed.ok) throw new Error('the scene has a malformed Application');
    const { metadata, spec, status } = parsed.application;
    const counted = {
      metadata,
      spec,
      get status() {
        reads++;
        return status;
      },
    };
    return { ...more, parsed: { ok: true, application: counted } };
  });
  let nowMs = 0;
  const clock = { now: () => 0, monotonicMs: () => nowMs };
  const list = await start(t, { index: { ...indexOf(), list: () => all }, clock });
  await list();
  const first = reads;
  assert.ok(first > 0);
  for (const query of ['', '?sort=health', '?search=app-7', '?limit=3']) {
    nowMs += 2_000;
    await list(query);
  }
  assert.equal(reads, first);
});

test('at most 200 namespaces are reviewed for one answer, which tells how many were left out', async (t) => {
  const all = Array.from({ length: 250 }, (_, n) =>
    known({ name: 'a', namespace: `team-${String(n).padStart(3, '0')}` }),
  );
  const reviews = reviewsOf(
    ['member'],
    (_user, question) => 'namespace' in question && question.namespace !== undefined,
  );
  const list = await start(t, { index: indexOf(...all), reviews });
  const member = { authorization: 'Bearer member' };
  const { body } = await list('?limit=1000', member);
  assert.deepEqual([body.total, body.unreviewedNamespaces], [200, 50]);
  assert.ok(reviews.asked.length < 205, `${reviews.asked.length} reviews`);
  const named = await list('?namespace=team-249', member);
  assert.deepEqual([named.body.total, named.body.unreviewedNamespaces], [1, undefined]);
});

test('a namespace in which the caller may not list is refused, whether or not it has Applications', async (t) => {
  const reviews: AccessReviews = reviewsOf(
    ['member'],
    (_user, question) => 'namespace' in question && question.namespace === 'shop',
  );
  const list = await start(t, { index: SHOP, reviews });
  const member = { authorization: 'Bearer member' };
  assert.deepEqual((await list('?namespace=shop,data', member)).names, ['api', 'jobs', 'web']);
  assert.equal((await list('?namespace=data', member)).status, 403);
  assert.equal((await list('?namespace=none', member)).status, 403);
});

test('without a token a list of names can be paged, and is not filtered by texts that it does not show', async (t) => {
  const list = await start(t, { index: SHOP, anonymousRead: 'names' });
  assert.deepEqual((await list('?limit=2&health=Healthy', {})).names, ['api', 'web']);
  assert.equal((await list('?search=git', {})).status, 403);
  assert.equal((await list('?labelSelector=tier', {})).status, 403);
  assert.equal((await list('', {})).body.counts, undefined);
});

test('a malformed query is refused with a sentence that names the field', async (t) => {
  const index: ApplicationIndex = SHOP;
  const list = await start(t, { index });
  const cases: Readonly<Record<string, RegExp>> = {
    '?sort=age': /sort must be one of/,
    '?limit=0': /limit must be a number from 1 to 1000/,
    '?limit=1001': /limit must be a number from 1 to 1000/,
    '?limit=-1': /limit must be/,
    '?namespace=..%2Fkube-system': /namespace must be names of namespaces/,
    '?labelSelector=a%20like%20b': /labelSelector/,
    '?sync=Broken': /sync must be some of Synced, OutOfSync, Unknown/,
    '?continue=%7B%7D': /continue must be the token/,
    '?continue=eyJhIjoxfQ': /continue is not the token/,
    '?colour=red': /unknown field "colour"/,
    '?a[__proto__]=1': /unknown field/,
    '?__proto__=1': /unknown field/,
    '?limit=1&limit=2': /'limit' twice/,
    [`?search=${'x'.repeat(201)}`]: /search is too long/,
    [`?search=${'x'.repeat(9_000)}`]: /more than 8192 characters/,
  };
  for (const [query, words] of Object.entries(cases)) {
    const { status, body } = await list(query);
    assert.equal(status, 400, query);
    assert.match(body.detail ?? '', words, query);
  }
});
