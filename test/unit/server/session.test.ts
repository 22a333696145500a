/** A session holds the token of a person in a cookie that no other site can read, write or send. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { listen } from '../../../src/server/listener.ts';
import { createSeal } from '../../../src/server/session/seal.ts';
import { expiryOf } from '../../../src/server/session/sessions.ts';
import { isLoopback, reachedBy } from '../../../src/server/session/plain-site.ts';
import { api, applicationNamed, indexOf, knownAs, recordingLog, reviewsOf, type ApiScene } from './api-scene.ts';

const ANY_PORT = { host: '127.0.0.1', port: 0 };
const PATH = '/api/v1/session';
const LIST = '/api/v1/applications';

/** A token in the form of a JWT that ends at `expiresS`. */
function tokenUntil(expiresS: number, more = ''): string {
  const payload = Buffer.from(JSON.stringify({ sub: 'ada', exp: expiresS, more })).toString('base64url');
  return `e30.${payload}.c2ln`;
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  /** The headers Set-Cookie. */
  readonly cookies: readonly string[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** `ask` sends exactly these headers, also Host and Origin, which fetch would set itself. */
async function start(t: TestContext, scene: ApiScene = {}) {
  const listener = await listen(api({ index: indexOf(knownAs(applicationNamed('a'))), ...scene }), ANY_PORT);
  t.after(() => listener.close());
  const ask = (path: string, { method = 'GET', headers = {}, body }: Sent = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
      const sent = httpRequest(listener.url + path, { method, headers: { ...type, ...headers } }, (answer) => {
        const chunks: Buffer[] = [];
        answer
          .on('data', (chunk: Buffer) => chunks.push(chunk))
          .on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const isJson = /json/.test(answer.headers['content-type'] ?? '');
            resolve({
              status: answer.statusCode ?? 0,
              body: isJson ? (JSON.parse(text) as Record<string, unknown>) : { text },
              cookies: answer.headers['set-cookie'] ?? [],
              headers: answer.headers,
            });
          });
      });
      sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  const signIn = (token: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    ask(PATH, { method: 'POST', headers, body: { token } });
  return { ask, signIn, url: listener.url };
}

/** The cookies as a browser sends them back. */
function cookieHeader(cookies: readonly string[]): string {
  const pairs = cookies.map((cookie) => cookie.split(';')[0] ?? '');
  return pairs.filter((pair) => !pair.endsWith('=')).join('; ');
}

const PUBLIC = { host: 'tautline.example.com', origin: 'https://tautline.example.com' };
const publicScene: ApiScene = { hosts: ['tautline.example.com'] };

test('a session is begun with a token, is told, is used, and ends with sign-out', async (t) => {
  const { ask, signIn } = await start(t);
  assert.deepEqual((await ask(PATH)).body, { signedIn: false, ways: ['token'] });
  const begun = await signIn('admin');
  assert.equal(begun.status, 204);
  const cookie = cookieHeader(begun.cookies);
  const { status, body } = await ask(PATH, { headers: { cookie } });
  assert.equal(status, 200);
  assert.deepEqual([body['signedIn'], body['user'], body['groups'], body['ways']], [true, 'admin', [], ['token']]);
  assert.ok(Date.parse(String(body['expiresAt'])) > Date.now());
  assert.equal((await ask(LIST, { headers: { cookie } })).status, 200);
  const ended = await ask(PATH, {
    method: 'DELETE',
    headers: { cookie, origin: 'null', 'sec-fetch-site': 'same-origin' },
  });
  assert.equal(ended.status, 403, 'a page without an origin');
  const gone = await ask(PATH, { method: 'DELETE', headers: { cookie, 'sec-fetch-site': 'same-origin' } });
  assert.equal(gone.status, 204);
  assert.match(gone.cookies.join(), /Max-Age=0/);
  const after = await ask(LIST, { headers: { cookie } });
  assert.deepEqual([after.status, after.body['code']], [401, 'SessionEnded'], 'a copy of the cookie is worth nothing');
  assert.equal((await ask(PATH, { headers: { cookie } })).body['signedIn'], false);
});

test('the cookie is httpOnly, Strict, and Secure with __Host- unless the browser is on loopback by http', async (t) => {
  const { ask, signIn } = await start(t, publicScene);
  const [secure = ''] = (await signIn('admin', PUBLIC)).cookies;
  assert.match(secure, /^__Host-tautline-session=[\w-]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
  const [plain = ''] = (await signIn('admin')).cookies;
  assert.match(plain, /^tautline-session-\d+=[\w-]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict$/);
  const headers = { host: PUBLIC.host, cookie: cookieHeader([secure]) };
  assert.equal((await ask(PATH, { headers })).body['signedIn'], true);
  assert.ok(!`${secure}${plain}`.includes(Buffer.from('admin').toString('base64url').slice(0, 5)));
  const network = { host: 'tautline.example.com', origin: 'http://tautline.example.com' };
  const refused = await signIn('admin', network);
  assert.deepEqual([refused.status, refused.body['code'], refused.cookies], [403, 'PlainHttp', []]);
});

test('with a public URL of plain HTTP the cookie is plain there, since the operator said so', async (t) => {
  const { signIn } = await start(t, { signIn: { publicUrl: 'http://tautline.lan:8080' } });
  const { cookies } = await signIn('admin', { host: 'tautline.lan:8080', origin: 'http://tautline.lan:8080' });
  assert.match(cookies.join(), /^tautline-session-8080=.*SameSite=Strict$/);
});

test('an unknown token is refused, costs the budget of its address, and sets no cookie', async (t) => {
  const reviews = reviewsOf();
  const { signIn } = await start(t, { reviews });
  const statuses = [];
  for (let n = 0; n < 400; n++) {
    const { status, cookies } = await signIn(`false-${n}`);
    assert.deepEqual(cookies, []);
    statuses.push(status);
  }
  assert.equal(statuses[0], 401);
  assert.ok(statuses.includes(429) && reviews.asked.length < 400, `${reviews.asked.length} reviews`);
});

test('a body that is no token is refused before the API server is asked', async (t) => {
  const reviews = reviewsOf();
  const { ask, signIn } = await start(t, { reviews });
  for (const token of [undefined, 1, '', 'a b', 'a"b', 'x'.repeat(8_001), {}, null]) {
    assert.equal((await signIn(token)).status, 400, JSON.stringify(token));
  }
  assert.equal((await ask(PATH, { method: 'POST', body: { token: 'admin', user: 'x' } })).status, 400);
  const plain = { 'content-type': 'text/plain' };
  assert.equal((await ask(PATH, { method: 'POST', headers: plain, body: { token: 'admin' } })).status, 415);
  assert.deepEqual(reviews.asked, []);
});

test('a session ends with its token, and after twelve hours at the latest', async (t) => {
  let nowMs = Date.parse('2026-11-30T10:00:00Z');
  const clock = { now: () => nowMs, monotonicMs: () => performance.now() };
  const short = tokenUntil(nowMs / 1000 + 60);
  const { ask, signIn } = await start(t, { clock, reviews: reviewsOf([short, 'endless']) });
  for (const [token, lifeMs] of [
    [short, 60_000],
    ['endless', 12 * 3_600_000],
  ] as const) {
    const { cookies } = await signIn(token);
    assert.match(cookies.join(), new RegExp(`Max-Age=${lifeMs / 1000};`));
    const headers = { cookie: cookieHeader(cookies) };
    assert.equal((await ask(PATH, { headers })).body['expiresAt'], new Date(nowMs + lifeMs).toISOString());
    nowMs += lifeMs;
    assert.deepEqual((await ask(PATH, { headers })).body['signedIn'], false);
    assert.equal((await ask(LIST, { headers })).body['code'], 'SessionEnded');
  }
});

test('a token that the API server does not know any more ends the session', async (t) => {
  const users = ['ada'];
  const { ask, signIn } = await start(t, { reviews: reviewsOf(users, () => true) });
  const headers = { cookie: cookieHeader((await signIn('ada')).cookies) };
  assert.equal((await ask(LIST, { headers })).status, 200);
  users.pop();
  const { status, body } = await ask(LIST, { headers });
  assert.deepEqual([status, body['code']], [401, 'SessionEnded']);
  assert.equal((await ask(PATH, { headers })).body['signedIn'], false);
});

test('a long token is kept in several cookies, and a shorter one after it removes those that are left', async (t) => {
  const long = tokenUntil(4_000_000_000, 'x'.repeat(5_900));
  assert.ok(long.length > 7_900 && long.length <= 8_000, `${long.length}`);
  const { ask, signIn } = await start(t, { reviews: reviewsOf([long]) });
  const first = await signIn(long);
  assert.equal(first.cookies.length, 3);
  assert.ok(first.cookies.every((cookie) => cookie.length <= 4_096));
  const cookie = cookieHeader(first.cookies);
  assert.equal((await ask(PATH, { headers: { cookie } })).body['user'], long);
  const second = await signIn('admin', { cookie });
  assert.deepEqual(
    second.cookies.map((one) => /Max-Age=0/.test(one)),
    [false, true, true],
  );
});

test('a change by cookie needs the word of the browser that a page of the API sends it', async (t) => {
  const stored = applicationNamed('a');
  const { ask, signIn, url } = await start(t, { index: indexOf(knownAs(stored)) });
  const cookie = cookieHeader((await signIn('admin')).cookies);
  const post = async (headers: Record<string, string>): Promise<unknown[]> => {
    const path = '/api/v1/applications/apps/a/resume';
    const { status, body } = await ask(path, { method: 'POST', headers: { cookie, ...headers }, body: {} });
    return [status, body['code']];
  };
  const OTHER = [403, 'OtherSite'];
  assert.deepEqual(await post({}), OTHER, 'no word at all');
  assert.deepEqual(await post({ origin: 'https://evil.example' }), OTHER);
  assert.deepEqual(await post({ origin: 'http://127.0.0.1:1' }), OTHER, 'another port of this host');
  assert.deepEqual(await post({ origin: url, 'sec-fetch-site': 'same-site' }), OTHER);
  // The cluster of the scene has no Application.
  assert.deepEqual(await post({ origin: url }), [404, undefined]);
  assert.deepEqual(await post({ 'sec-fetch-site': 'same-origin' }), [404, undefined]);
});

test('a cookie does not count in a request that another site causes', async (t) => {
  const { ask, signIn } = await start(t);
  const cookie = cookieHeader((await signIn('admin')).cookies);
  const get = async (headers: Record<string, string>): Promise<number> =>
    (await ask(LIST, { headers: { cookie, ...headers } })).status;
  assert.equal(await get({ 'sec-fetch-site': 'same-site' }), 401);
  assert.equal(await get({ 'sec-fetch-site': 'cross-site' }), 401);
  assert.equal(await get({ origin: 'http://127.0.0.1:1' }), 401);
  assert.equal(await get({ 'sec-fetch-site': 'same-origin' }), 200);
  const signIns = await ask(PATH, {
    method: 'POST',
    headers: { origin: 'https://evil.example' },
    body: { token: 'admin' },
  });
  assert.deepEqual([signIns.status, signIns.cookies], [403, []]);
});

test('a cookie that was changed, cut, or sealed by another key or for another purpose opens no session', async (t) => {
  const { ask, signIn } = await start(t);
  const [begun = ''] = (await signIn('admin')).cookies;
  const [pair = ''] = begun.split(';');
  const [name = '', value = ''] = pair.split('=');
  const session = JSON.stringify({ id: 'x', token: 'admin', expiresAtMs: Date.now() + 60_000 });
  const flipped = value.slice(0, 20) + (value[20] === 'A' ? 'B' : 'A') + value.slice(21);
  for (const wrong of ['', 'x', value.slice(1), value.slice(0, -4), flipped, createSeal().close('session', session)]) {
    const headers = { cookie: `${name}=${wrong}` };
    assert.equal((await ask(LIST, { headers })).status, 401, wrong);
    assert.equal((await ask(PATH, { headers })).body['signedIn'], false);
  }
  const sessionSecret = Buffer.alloc(32, 7);
  const keyed = await start(t, { signIn: { sessionSecret } });
  const ownSeal = createSeal(sessionSecret);
  for (const [purpose, status] of [
    ['sign-in', 401],
    ['session', 200],
  ] as const) {
    const headers = { cookie: `__Host-tautline-session=${ownSeal.close(purpose, session)}` };
    assert.equal((await keyed.ask(LIST, { headers })).status, status, purpose);
  }
});

test('with a key of its own, a session outlives the process', async (t) => {
  const sessionSecret = Buffer.alloc(32, 7);
  const one = await start(t, { signIn: { sessionSecret } });
  const cookie = cookieHeader((await one.signIn('admin', PUBLIC_LOOPBACK)).cookies);
  const two = await start(t, { signIn: { sessionSecret } });
  assert.equal((await two.ask(LIST, { headers: { cookie, host: PUBLIC_LOOPBACK.host } })).status, 200);
  const other = await start(t);
  assert.equal((await other.ask(LIST, { headers: { cookie, host: PUBLIC_LOOPBACK.host } })).status, 401);
});

const PUBLIC_LOOPBACK = { host: 'localhost:8443', origin: 'https://localhost:8443' };

test('a header goes before a session, and a false header is not saved by one', async (t) => {
  const { ask, signIn } = await start(t, { reviews: reviewsOf(['ada'], () => true) });
  const cookie = cookieHeader((await signIn('admin')).cookies);
  const as = (token: string): Promise<Answer> => ask(PATH, { headers: { cookie, authorization: `Bearer ${token}` } });
  assert.equal((await as('ada')).body['user'], 'ada');
  assert.deepEqual((await as('false')).body, { signedIn: false, ways: ['token'] });
  assert.equal((await ask(LIST, { headers: { cookie, authorization: 'Bearer false' } })).status, 401);
});

test('an open stream ends when its session is ended', async (t) => {
  const streamLimits = { maxStreams: 4, maxOfCaller: 2, lookMs: 5, beatMs: 20, maxUnreadBytes: 65_536 };
  const { ask, signIn, url } = await start(t, { streamLimits });
  const cookie = cookieHeader((await signIn('admin')).cookies);
  const stream = await fetch(`${url}/api/v1/stream`, { headers: { cookie } });
  assert.equal(stream.status, 200);
  await ask(PATH, { method: 'DELETE', headers: { cookie, 'sec-fetch-site': 'same-origin' } });
  // It resolves when the stream ends.
  await stream.text();
});

test('where the API server gives no answer, a session is neither begun nor told', async (t) => {
  const { StageError } = await import('../../../src/object/stage-error.ts');
  const broken = new StageError({ stage: 'status', code: 'Unavailable', retry: 'backoff', message: 'no answer' });
  const fails = (): Promise<never> => Promise.reject(broken);
  const log = recordingLog();
  const { ask, signIn } = await start(t, { log, reviews: { authenticate: fails, authorize: fails } });
  const answer = await signIn('admin');
  assert.deepEqual([answer.status, answer.cookies], [503, []]);
  assert.equal((await ask(PATH, { headers: { authorization: 'Bearer admin' } })).status, 503);
  assert.ok(!JSON.stringify(log).includes('admin'));
});

test('without a provider, the paths of OIDC do not exist, and answers tell people so in a page', async (t) => {
  const { ask } = await start(t);
  for (const path of [`${PATH}/oidc`, `${PATH}/oidc/callback?code=a&state=b`]) {
    const { status, body } = await ask(path);
    assert.deepEqual([status, body['code']], [404, 'NoProvider']);
  }
});

test('a sealed text opens for its purpose alone', () => {
  const seal = createSeal();
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.string(), (text, purpose, other) => {
      const sealed = seal.close(purpose, text);
      assert.equal(seal.open(purpose, sealed), text);
      if (purpose !== other) assert.equal(seal.open(other, sealed), undefined);
      assert.match(sealed, /^[\w-]+$/);
      assert.notEqual(seal.close(purpose, text), sealed);
      return true;
    }),
    { numRuns: 30 },
  );
});

test('the end of a token is read from JWTs alone, and any other text has none', () => {
  assert.equal(expiryOf(tokenUntil(1_800_000_000)), 1_800_000_000_000);
  for (const wrong of [tokenUntil(-1), tokenUntil(1e300), 'a.b.c', 'e30.bnVsbA.x', 'opaque', 'a.', '..']) {
    assert.equal(expiryOf(wrong), undefined, wrong);
  }
});

test('only loopback, https, and the public URL itself are ways without danger for a cookie', () => {
  const reached = (host: string, origin?: string, publicUrl?: string): string =>
    reachedBy({ host, ...(origin !== undefined && { origin }) }, publicUrl);
  assert.equal(reached('127.0.0.1:8080', 'http://127.0.0.1:8080'), 'plain');
  assert.equal(reached('localhost:8080'), 'plain');
  assert.equal(reached('localhost:8443', 'https://localhost:8443'), 'secure');
  assert.equal(reached('tautline.example.com'), 'secure');
  assert.equal(reached('127.0.0.1:8080', 'https://tautline.example.com'), 'secure', 'a proxy changes Host');
  assert.equal(reached('10.0.0.1:8080', 'http://10.0.0.1:8080'), 'refused');
  assert.equal(reached('a.lan', 'http://a.lan', 'http://a.lan'), 'plain');
  assert.equal(reached('a.lan', 'http://a.lan:1', 'http://a.lan'), 'refused');
  for (const host of ['127.evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '']) {
    assert.equal(isLoopback(host), false, host);
  }
});
