/** Webhooks of each forge: genuine ones are understood, unsigned ones are refused, and hostile ones do no harm. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { after, before, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { hmac, send, startHooks, type HookScene } from './webhook-scene.ts';

const SECRET = "It's a Secret to Everybody";
const REPOSITORY = {
  full_name: 'team/shop',
  clone_url: 'https://git.example.com/team/shop.git',
  ssh_url: 'git@git.example.com:team/shop.git',
  html_url: 'https://git.example.com/team/shop',
  default_branch: 'main',
};
const PUSHED = { ref: 'refs/heads/main', after: 'a'.repeat(40), repository: REPOSITORY };

const GITLAB = {
  object_kind: 'push',
  ref: 'refs/heads/main',
  project: {
    git_http_url: 'https://git.example.com/team/shop.git',
    git_ssh_url: 'git@git.example.com:team/shop.git',
    web_url: 'https://git.example.com/team/shop',
    default_branch: 'main',
  },
};

const BITBUCKET = {
  repository: { full_name: 'team/shop', links: { html: { href: 'https://bitbucket.org/team/shop' } } },
  push: {
    changes: [
      { new: { type: 'branch', name: 'main' }, old: { type: 'branch', name: 'main' } },
      { new: { type: 'tag', name: 'v1' }, old: null },
      { new: null, old: { type: 'branch', name: 'gone' } },
    ],
  },
};

interface Case {
  readonly provider: string;
  readonly payload: unknown;
  readonly event: Readonly<Record<string, string>>;
  /** The header that proves the sender. */
  readonly sign: (body: string, secret: string) => Record<string, string>;
  readonly refs: readonly string[];
  readonly address: string;
}

const SHOP = 'https://git.example.com/team/shop.git';
const MAIN = ['refs/heads/main'];

const CASES: readonly Case[] = [
  {
    provider: 'github',
    payload: PUSHED,
    event: { 'X-GitHub-Event': 'push' },
    sign: (body, secret) => ({ 'X-Hub-Signature-256': `sha256=${hmac(body, secret)}` }),
    refs: MAIN,
    address: SHOP,
  },
  {
    provider: 'gitea',
    payload: PUSHED,
    event: { 'X-Gitea-Event': 'push' },
    sign: (body, secret) => ({ 'X-Gitea-Signature': hmac(body, secret) }),
    refs: MAIN,
    address: SHOP,
  },
  {
    provider: 'forgejo',
    payload: PUSHED,
    event: { 'X-Forgejo-Event': 'push' },
    sign: (body, secret) => ({ 'X-Forgejo-Signature': hmac(body, secret) }),
    refs: MAIN,
    address: SHOP,
  },
  {
    provider: 'gitlab',
    payload: GITLAB,
    event: { 'X-Gitlab-Event': 'Push Hook' },
    sign: (_body, secret) => ({ 'X-Gitlab-Token': secret }),
    refs: MAIN,
    address: SHOP,
  },
  {
    provider: 'bitbucket',
    payload: BITBUCKET,
    event: { 'X-Event-Key': 'repo:push' },
    sign: (body, secret) => ({ 'X-Hub-Signature': `sha256=${hmac(body, secret)}` }),
    refs: ['refs/heads/main', 'refs/tags/v1', 'refs/heads/gone'],
    address: 'https://bitbucket.org/team/shop',
  },
  {
    provider: 'generic',
    payload: { repository: SHOP, refs: MAIN },
    event: {},
    sign: (body, secret) => ({ 'X-Tautline-Signature-256': `sha256=${hmac(body, secret)}` }),
    refs: MAIN,
    address: SHOP,
  },
];

let hooks: HookScene;
before(async () => {
  hooks = await startHooks();
  for (const { provider } of CASES) await hooks.secret(provider, `${SECRET}\n`);
  await hooks.secret('github.next', 'the next one');
});
after(() => hooks?.[Symbol.asyncDispose]());
beforeEach(() => {
  hooks.wait(60_000);
  for (const list of [hooks.pushes, hooks.counted, hooks.log]) list.length = 0;
});

for (const { provider, payload, event, sign, refs, address } of CASES) {
  const body = JSON.stringify(payload);
  const post = (headers: Record<string, string>, text = body) =>
    send(`${hooks.url}/hooks/${provider}`, { headers: { ...event, ...headers }, body: text });

  test(`${provider}: a signed push is answered with the number of Applications that it concerns`, async () => {
    const answer = await post(sign(body, SECRET));
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, { applications: 1 });
    assert.deepEqual(hooks.pushes[0]?.refs, refs);
    assert.ok(hooks.pushes[0]?.addresses.includes(address));
    assert.deepEqual(hooks.counted, [`${provider} accepted`]);
    assert.deepEqual(hooks.log, []);
  });

  test(`${provider}: a wrong, a malformed and a missing signature are refused alike, and the body is not parsed`, async () => {
    const [[name, value] = ['', '']] = Object.entries(sign(body, SECRET));
    const wrong: Record<string, string>[] = [
      sign(body, 'another'),
      sign(body, ''),
      { [name]: '' },
      { [name]: value.slice(0, -1) },
      { [name]: `${value}0` },
      { [name]: `${value}, ${value}` },
      { [name]: 'sha256=zz' },
      {},
    ];
    for (const headers of wrong) {
      const answer = await post(headers);
      assert.equal(answer.status, 401, JSON.stringify(headers));
      assert.deepEqual(answer.json, { error: 'the signature is missing or wrong' });
    }
    assert.deepEqual(hooks.pushes, []);
    assert.equal(new Set(hooks.counted).size, 1);
    // Logged once: anyone can send unsigned webhooks.
    assert.deepEqual(
      hooks.log.map(({ fields }) => fields),
      [{ provider, reason: 'unauthorized' }],
    );
    assert.equal((await post(sign(body, SECRET))).status, 200);
  });

  test(`${provider}: a body that is not JSON is refused, signed or not`, async () => {
    for (const text of ['', '{', 'null x', '\xff{}']) {
      assert.equal((await post(sign(text, SECRET), text)).status, 400, JSON.stringify(text));
      assert.equal((await post({}, text)).status, 401);
    }
    assert.deepEqual(hooks.pushes, []);
  });

  test(`${provider}: a push that names no repository is refused`, async () => {
    const text = provider === 'gitlab' ? '{"object_kind":"push"}' : '{}';
    const answer = await post(sign(text, SECRET), text);
    assert.equal(answer.status, 400);
    assert.deepEqual(answer.json, { applications: 0, error: 'the body names no repository' });
  });

  test(`${provider}: no JSON makes the listener fail, independent of the types of its fields`, async () => {
    const field = fc.constantFrom(
      ...['repository', 'project', 'ref', 'refs', 'push', 'changes', 'links', 'clone', 'object_kind', 'name', 'href'],
      ...['__proto__', 'constructor', 'toString', 'clone_url', 'html', 'default_branch', 'new'],
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom('push', 'refs/heads/main', '', 0, -1e308, true, null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(field, tie('value'), { maxKeys: 5 }),
      ),
    }));
    const check = fc.asyncProperty(value, async (payload: unknown) => {
      hooks.wait(60_000);
      const text = JSON.stringify(payload);
      const { status } = await post(sign(text, SECRET), text);
      assert.ok([200, 202, 400].includes(status), `${status}: ${text}`);
    });
    await fc.assert(check, { numRuns: 60 });
    assert.equal(Object.hasOwn(Object.prototype, 'clone_url'), false);
    assert.ok(!hooks.log.some(({ message }) => message.includes('unexpectedly')));
  });
}

const signed = (body: string): Record<string, string> => ({ 'X-Hub-Signature-256': `sha256=${hmac(body, SECRET)}` });
const github = (sent: Parameters<typeof send>[1]) => send(`${hooks.url}/hooks/github`, sent);

test("GitHub's published example of a signature is accepted", async () => {
  const published = '757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  const headers = { 'X-Hub-Signature-256': `sha256=${published}`, 'X-GitHub-Event': 'push' };
  // The signature is accepted; the body is not JSON.
  assert.equal((await github({ headers, body: 'Hello, World!' })).status, 400);
});

test('an old and a new secret of one provider are both accepted', async () => {
  const body = JSON.stringify(PUSHED);
  const headers = { 'X-GitHub-Event': 'push', 'X-Hub-Signature-256': `sha256=${hmac(body, 'the next one')}` };
  assert.equal((await github({ headers, body })).status, 200);
});

test('a form as GitHub sends it is read, and its signature covers the form', async () => {
  const body = new URLSearchParams({ payload: JSON.stringify(PUSHED) }).toString();
  const headers = { ...signed(body), 'X-GitHub-Event': 'push', 'Content-Type': 'application/x-www-form-urlencoded' };
  assert.deepEqual((await github({ headers, body })).json, { applications: 1 });
  assert.equal((await github({ headers: { ...headers, ...signed('a=1') }, body: 'a=1' })).status, 400);
});

test('a ping is answered with pong, and an event that is not about commits with 202', async () => {
  const body = '{"zen":"Keep it logically awesome."}';
  const ping = await github({ headers: { ...signed(body), 'X-GitHub-Event': 'ping' }, body });
  assert.deepEqual([ping.status, ping.json], [200, { applications: 0, message: 'pong' }]);
  const other = await github({ headers: { ...signed(body), 'X-GitHub-Event': 'issues' }, body });
  assert.equal(other.status, 202);
  assert.equal(other.json['applications'], 0);
});

test('a push of a reference without a full name concerns every revision of the repository', async () => {
  const body = JSON.stringify({ ...PUSHED, ref: 'main' });
  await github({ headers: { ...signed(body), 'X-GitHub-Event': 'push' }, body });
  assert.deepEqual(hooks.pushes[0]?.refs, []);
});

test('a compressed body is refused before it is read', async () => {
  const body = gzipSync(JSON.stringify(PUSHED));
  const headers = { 'Content-Encoding': 'gzip', 'X-Hub-Signature-256': `sha256=${hmac(body, SECRET)}` };
  assert.equal((await github({ headers, body })).status, 415);
});

test('a body of the largest size is accepted and one byte more is refused, chunked or not', async () => {
  const cap = 1024 * 1024;
  for (const isChunked of [false, true]) {
    const full = `"${'x'.repeat(cap - 2)}"`;
    assert.equal((await github({ headers: signed(full), body: full, isChunked })).status, 202);
    const over = await github({ headers: signed(`${full} `), body: `${full} `, isChunked });
    assert.equal(over.status, 413);
    assert.equal(over.headers['connection'], 'close');
  }
});

test('the deepest nesting that fits into a body does no harm', async () => {
  const body = `${'['.repeat(500_000)}${']'.repeat(500_000)}`;
  assert.ok([202, 400].includes((await github({ headers: signed(body), body })).status));
});

test('other methods, paths and providers are refused and not counted', async () => {
  const got = await github({ method: 'GET' });
  assert.deepEqual([got.status, got.headers['allow']], [405, 'POST']);
  for (const path of ['/', '/hooks', '/hooks/gogs', '/hooks/__proto__', '/hooks/github/x', '/hooks/%zz']) {
    const { status } = await send(`${hooks.url}${path}`, { body: '{}' });
    assert.ok(status === 404 || status === 400, path);
  }
  assert.deepEqual(hooks.counted, []);
});

test('no part of a secret or of a body is logged or answered', async () => {
  const body = JSON.stringify({ ...PUSHED, canary: 'canary-of-the-body' });
  const answers = [
    await github({ headers: { ...signed(body), 'X-GitHub-Event': 'push' }, body }),
    await github({ headers: { 'X-Hub-Signature-256': 'sha256=canary-of-the-header' }, body }),
    await github({ headers: signed('canary-of-the-body'), body: 'canary-of-the-body' }),
  ];
  const output = JSON.stringify([answers.map(({ json }) => json), hooks.log]);
  assert.ok(!output.includes('canary') && !output.includes(SECRET) && !output.includes('shop'));
});

test('a push of Bitbucket Data Center is refused with the address that takes it', async () => {
  const body = JSON.stringify({ eventKey: 'repo:refs_changed', repository: { slug: 'shop' } });
  const headers = { 'X-Event-Key': 'repo:refs_changed', 'X-Hub-Signature': `sha256=${hmac(body, SECRET)}` };
  const answer = await send(`${hooks.url}/hooks/bitbucket`, { headers, body });
  assert.equal(answer.status, 400);
  assert.match(JSON.stringify(answer.json), /Bitbucket Data Center.*use \/hooks\/bitbucket-server/);
  assert.deepEqual(hooks.pushes, []);
});

test('a generic webhook may name the default branch in full', async () => {
  const body = JSON.stringify({ repository: SHOP, refs: MAIN, defaultBranch: 'refs/heads/main' });
  const headers = { 'X-Tautline-Signature-256': `sha256=${hmac(body, SECRET)}` };
  assert.equal((await send(`${hooks.url}/hooks/generic`, { headers, body })).status, 200);
  assert.equal(hooks.pushes[0]?.defaultBranch, 'main');
});
