/** The status API and the probes over HTTP: their answers, their headers, and the requests that they refuse. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { ObjectPatch } from '../../../src/diff/changes.ts';
import { parseJson } from '../../../src/object/json.ts';
import { listAt, valueAt, type KubeObject, type Value } from '../../../src/object/value.ts';
import type { ApplicationIndex } from '../../../src/server/api/rows.ts';
import { listen, type Listener } from '../../../src/server/listener.ts';
import { probeRoutes, type ProbeSources } from '../../../src/server/probes.ts';
import type { ObjectStatus } from '../../../src/status/object-status.ts';
import { ADMIN, api, applicationNamed, indexOf, knownAs, recordingLog, type Recorded } from './api-scene.ts';

const ANY_PORT = { host: '127.0.0.1', port: 0 };

/** As a caller with all rights. */
function fetchAsAdmin(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, headers: ADMIN });
}

async function withApi(index: ApplicationIndex, run: (url: string, log: Recorded) => Promise<void>): Promise<void> {
  const log = recordingLog();
  await closing(await listen(api({ index, log }), ANY_PORT), (url) => run(url, log));
}

async function withProbes(sources: Partial<ProbeSources>, run: (url: string) => Promise<void>): Promise<void> {
  const all: ProbeSources = {
    failures: () => [],
    readiness: () => ({}),
    log: recordingLog(),
    ...sources,
  };
  await closing(await listen(probeRoutes(all), ANY_PORT), run);
}

async function closing(listener: Listener, run: (url: string) => Promise<void>): Promise<void> {
  try {
    await run(listener.url);
  } finally {
    await listener.close();
  }
}

test('the list is ordered by namespace and name', async () => {
  const known = ['b', 'a'].map((name) => knownAs(applicationNamed(name)));
  await withApi(indexOf(...known), async (url) => {
    const answer = await fetchAsAdmin(`${url}/api/v1/applications`);
    const { applications } = (await answer.json()) as { applications: { name: string; sync: unknown }[] };
    assert.deepEqual(
      applications.map(({ name }) => name),
      ['a', 'b'],
    );
    assert.deepEqual(applications[0]?.sync, { status: 'Unknown' });
  });
});

test('an Application is answered with its objects, including integers that a double cannot hold', async () => {
  const view = {
    problems: [],
    objects: [
      {
        id: { group: '', kind: 'ConfigMap', namespace: 'apps', name: 'c' },
        sync: 'OutOfSync' as const,
        health: { status: 'Healthy' as const, message: '' },
        fields: [{ path: '/data/n', desired: 9007199254740993n, live: 1, reason: 'value' as const }],
        isPruning: false,
      },
    ],
  };
  await withApi(indexOf({ ...knownAs(applicationNamed('a')), view }), async (url) => {
    const answer = await fetchAsAdmin(`${url}/api/v1/applications/apps/a`);
    const text = await answer.text();
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
    assert.match(text, /"desired":9007199254740993/);
    assert.equal((JSON.parse(text) as { isObserved: boolean }).isObserved, true);
  });
});

test('an object has its patch and says whether it is masked; a very large patch is left out', async () => {
  const replace = (value: Value) => [{ op: 'replace' as const, path: '/data/n', value }];
  const objectNamed = (name: string, patch: ObjectPatch): ObjectStatus => ({
    id: { group: '', kind: 'ConfigMap', namespace: 'apps', name },
    sync: 'OutOfSync',
    health: { status: 'Healthy', message: '' },
    fields: [],
    patch,
    isPruning: false,
  });
  const objects = [
    objectNamed('a', { operations: replace(9007199254740993n), isMasked: false }),
    objectNamed('b', { operations: replace('********'), isMasked: true }),
    objectNamed('c', { operations: replace('x'.repeat(20_000)), isMasked: false }),
  ];
  await withApi(indexOf({ ...knownAs(applicationNamed('a')), view: { objects, problems: [] } }), async (url) => {
    const told = parseJson(await (await fetchAsAdmin(`${url}/api/v1/applications/apps/a`)).text());
    assert.deepEqual(
      listAt(told, 'objects').map((object) => [valueAt(object, 'patch'), valueAt(object, 'patchMasked')]),
      [
        [replace(9007199254740993n), undefined],
        [replace('********'), true],
        [undefined, undefined],
      ],
    );
  });
});

test('control characters and text direction of a repository are escaped, and stay the same values', async () => {
  const hostile = 'a\u001b[2J\u009b31m\u202eb\u2028';
  const spec = { source: { repoURL: 'https://git.example.com/shop.git', path: 'a' } };
  const times = { lastTransitionTime: '2026-11-30T00:00:00Z', observedGeneration: 1 };
  const conditions = [{ type: 'Ready', status: 'False', reason: 'Failed', message: hostile, ...times }];
  const stored = applicationNamed('a', { spec, status: { conditions } as unknown as KubeObject['metadata'] });
  await withApi(indexOf(knownAs(stored)), async (url) => {
    for (const path of ['', '/apps/a']) {
      const text = await (await fetchAsAdmin(`${url}/api/v1/applications${path}`)).text();
      assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      const told = parseJson(text);
      const one = path === '' ? listAt(told, 'applications')[0] : told;
      assert.equal(valueAt(one, 'ready', 'message'), hostile);
    }
  });
});

test('an Application with an invalid spec is listed and described', async () => {
  const stored = applicationNamed('broken', { spec: { source: {} } });
  await withApi(indexOf(knownAs(stored)), async (url) => {
    const list = (await (await fetchAsAdmin(`${url}/api/v1/applications`)).json()) as { applications: unknown[] };
    assert.equal(list.applications.length, 1);
    assert.equal((await fetchAsAdmin(`${url}/api/v1/applications/apps/broken`)).status, 200);
  });
});

test('an unknown Application and an unknown path are answered with 404 in JSON', async () => {
  await withApi(indexOf(), async (url) => {
    for (const path of ['/api/v1/applications/apps/none', '/api/v2', '/', '/api/v1/applications/../../etc/passwd']) {
      const answer = await fetchAsAdmin(url + path);
      assert.equal(answer.status, 404, path);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
      assert.equal(((await answer.json()) as { status: unknown }).status, 404);
    }
  });
});

test('names that every JavaScript object has are answered with 404', async () => {
  await withApi(indexOf(knownAs(applicationNamed('a'))), async (url) => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      assert.equal((await fetchAsAdmin(`${url}/api/v1/applications/${name}/${name}`)).status, 404);
    }
  });
});

test('a path that cannot be decoded is answered with 400 and not logged as an error', async () => {
  await withApi(indexOf(), async (url, log) => {
    assert.equal((await fetchAsAdmin(`${url}/api/v1/applications/%ff/a`)).status, 400);
    assert.deepEqual(log.errors, []);
  });
});

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
  test(`${method} is refused on both listeners`, async () => {
    const check = async (url: string): Promise<void> => {
      const answer = await fetchAsAdmin(url, { method, ...(method === 'POST' ? { body: '{}' } : {}) });
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.get('allow'), 'GET, HEAD');
      assert.equal(((await answer.json()) as { detail: unknown }).detail, 'the method is not allowed');
    };
    await withApi(indexOf(), (url) => check(`${url}/api/v1/applications`));
    await withProbes({}, (url) => check(`${url}/healthz`));
  });
}

test('answers have the security headers for browsers and no header that names the server software', async () => {
  await withApi(indexOf(), async (url) => {
    const { headers } = await fetchAsAdmin(`${url}/api/v1/applications`);
    assert.equal(headers.get('content-security-policy'), "default-src 'none'");
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('x-frame-options'), 'SAMEORIGIN');
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('access-control-allow-origin'), null);
    assert.equal(headers.get('x-powered-by'), null);
  });
});

test('an internal error is logged, and its message is not in the answer', async () => {
  const index: ApplicationIndex = {
    list: () => {
      throw new Error('inner detail');
    },
    get: () => undefined,
  };
  await withApi(index, async (url, log) => {
    const answer = await fetchAsAdmin(`${url}/api/v1/applications`);
    assert.equal(answer.status, 500);
    assert.match(await answer.text(), /internal error; the log/);
    assert.match(String(log.errors[0]?.['error']), /inner detail/);
  });
});

test('/healthz answers 200 while there are no failures, and otherwise lists them with 503', async () => {
  let failures: string[] = [];
  await withProbes({ failures: () => failures }, async (url) => {
    assert.equal((await fetchAsAdmin(`${url}/healthz`)).status, 200);
    failures = ['a pass over apps/a has run for 1900 s'];
    const unhealthy = await fetchAsAdmin(`${url}/healthz`);
    assert.equal(unhealthy.status, 503);
    assert.equal(await unhealthy.text(), 'a pass over apps/a has run for 1900 s\nnot healthy\n');
  });
});

test('/readyz names each check and answers 503 until all checks have passed', async () => {
  const ready = { 'crd-found': true, 'applications-listed': false };
  await withProbes({ readiness: () => ready }, async (url) => {
    const before = await fetchAsAdmin(`${url}/readyz`);
    assert.equal(before.status, 503);
    assert.equal(await before.text(), '[+] crd-found\n[-] applications-listed\nnot ready\n');
    ready['applications-listed'] = true;
    assert.equal((await fetchAsAdmin(`${url}/readyz`)).status, 200);
  });
});

test('listening on an address that is in use fails', async () => {
  await withApi(indexOf(), async (url) => {
    const second = listen(api({}), { host: '127.0.0.1', port: Number(new URL(url).port) });
    await assert.rejects(second, { code: 'EADDRINUSE' });
  });
});

test('closing a listener closes the connections that clients keep open', async () => {
  const listener = await listen(api({}), ANY_PORT);
  const socket = connect(Number(new URL(listener.url).port), '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  await listener.close();
  await closed;
});

test('the list of 5,000 Applications is made in turns, and once for all requests of a second', async () => {
  const known = Array.from({ length: 5_000 }, (_, n) => knownAs(applicationNamed(`app-${n}`)));
  let lists = 0;
  const index = { ...indexOf(...known), list: () => (lists++, known) };
  await withApi(index, async (url) => {
    let turns = 0;
    const count = setInterval(() => turns++, 0);
    const first = await (await fetchAsAdmin(`${url}/api/v1/applications`)).text();
    clearInterval(count);
    assert.ok(turns > 2, `${turns} turns for other work`);
    const { applications, total } = JSON.parse(first) as { applications: unknown[]; total: number };
    assert.deepEqual([applications.length, total], [500, 5_000]);
    assert.equal(await (await fetchAsAdmin(`${url}/api/v1/applications`)).text(), first);
    assert.equal(lists, 1);
  });
});
