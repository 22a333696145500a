/** Webhooks against the whole agent: what a push and its hook do, with an interval of an hour, so no poll helps. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { RunningAgent } from '../../support/agent.ts';
import type { TestRepository } from '../../support/git-repository.ts';
import { eventually, startWorld, type World } from '../../support/world.ts';
import { hmac, send, type Answer } from '../../unit/server/webhook-scene.ts';
import { at, configMap, configMapPath, makeNamespace, text, untilObject } from '../agent/scene.ts';

const SECRET = 'canary-of-the-secret';

let world: World;
let agent: RunningAgent;
let secrets: string;
before(async () => {
  secrets = await mkdtemp(join(tmpdir(), 'tautline-hook-secrets-'));
  await writeFile(join(secrets, 'github'), `${SECRET}\n`);
  await writeFile(join(secrets, 'gitlab'), SECRET);
  world = await startWorld();
  agent = await world.agent({ flags: ['--webhook-secrets-dir', secrets] });
});
after(async () => {
  await world?.[Symbol.asyncDispose]();
  await rm(secrets, { recursive: true, force: true });
});

interface Hook {
  readonly repository: TestRepository;
  readonly ref?: string;
  readonly secret?: string;
  /** The address in the payload. */
  readonly address?: string;
}

function hook({
  repository,
  ref = 'refs/heads/main',
  secret = SECRET,
  address = repository.url,
}: Hook): Promise<Answer> {
  const body = JSON.stringify({ ref, repository: { clone_url: address, default_branch: 'main' } });
  return post(body, { 'X-Hub-Signature-256': `sha256=${hmac(body, secret)}` });
}

function post(body: string | Buffer, headers: Record<string, string>): Promise<Answer> {
  return send(`${agent.webhookUrl}/hooks/github`, { headers: { 'X-GitHub-Event': 'push', ...headers }, body });
}

function pollsOf(repository: TestRepository): number {
  const path = new URL(repository.url).pathname;
  return world.git.requests.filter((request) => request.path.startsWith(`${path}/`)).length;
}

async function untilLive(namespace: string, value: string): Promise<void> {
  await untilObject(world, configMapPath(namespace, 'a'), (object) => at(object, 'data', 'k') === value);
}

/** An Application that polls once an hour, and is Ready. */
async function quietSubject(name: string) {
  const repository = await world.repository(name);
  await repository.commit({ 'a.yaml': text(configMap('a', { k: '1' })) });
  await makeNamespace(world, name);
  const source = { repoURL: repository.url, interval: '1h' };
  const application = await world.declare(name, { source, destination: { namespace: name } });
  await application.untilReady();
  return { repository, application };
}

async function push(repository: TestRepository, value: string, branch = 'main'): Promise<string> {
  return repository.commit({ 'a.yaml': text(configMap('a', { k: value })) }, { branch });
}

async function metric(line: string): Promise<boolean> {
  const body = await (await fetch(`${agent.probesUrl}/metrics`)).text();
  return body.includes(line);
}

test('a push is live once its hook has come, although the next poll is an hour away', async () => {
  const { repository, application } = await quietSubject('pushed');
  const commit = await push(repository, '2');
  const answer = await hook({ repository });
  assert.deepEqual([answer.status, answer.json], [200, { applications: 1 }]);
  await untilLive('pushed', '2');
  await application.untilReady(commit);
  assert.ok(await metric('tautline_webhook_requests_total{provider="github",result="accepted"} 1'));
});

test('a wrong signature leads to no poll, and is answered with 401 and nothing else', async () => {
  const { repository } = await quietSubject('forged');
  await push(repository, '2');
  const polls = pollsOf(repository);
  for (const secret of ['wrong', '', `${SECRET}\n`]) {
    const answer = await hook({ repository, secret });
    assert.deepEqual([answer.status, answer.json], [401, { error: 'the signature is missing or wrong' }]);
  }
  // What a genuine hook brings about afterwards has come, so what the forged ones might have has not.
  const other = await quietSubject('genuine');
  await push(other.repository, '2');
  await hook({ repository: other.repository });
  await untilLive('genuine', '2');
  assert.equal(pollsOf(repository), polls);
});

test('one hook is for all Applications of the repository, under whichever form of its address', async () => {
  const { repository } = await quietSubject('shared');
  await makeNamespace(world, 'shared-too');
  const source = { repoURL: `${repository.url}/`, interval: '1h' };
  const other = await world.declare('shared-too', { source, destination: { namespace: 'shared-too' } });
  await other.untilReady();
  await push(repository, '2');
  const { port, pathname } = new URL(repository.url);
  const address = `https://robot:word@127.0.0.1:${port}${pathname.replace(/\.git$/, '').toUpperCase()}/`;
  assert.deepEqual((await hook({ repository, address })).json, { applications: 2 });
  await untilLive('shared', '2');
  await untilLive('shared-too', '2');
});

test('a push to another branch is for those that follow it', async () => {
  const { repository } = await quietSubject('branches');
  await repository.branch('next');
  await makeNamespace(world, 'branches-next');
  const source = { repoURL: repository.url, interval: '1h', revision: 'next' };
  const next = await world.declare('branches-next', { source, destination: { namespace: 'branches-next' } });
  await next.untilReady();
  await push(repository, '2', 'next');
  assert.deepEqual((await hook({ repository, ref: 'refs/heads/next' })).json, { applications: 1 });
  await untilLive('branches-next', '2');
  assert.deepEqual((await hook({ repository, ref: 'refs/heads/another' })).json, { applications: 0 });
});

test('while a secret is exchanged both are good, and the old one is none once its file is gone', async () => {
  const { repository } = await quietSubject('rotated');
  await writeFile(join(secrets, 'github.next'), 'canary-of-the-next\n');
  const isAccepted = async (secret: string): Promise<boolean> => (await hook({ repository, secret })).status === 200;
  assert.ok(await eventually(async () => (await isAccepted('canary-of-the-next')) || undefined));
  assert.ok(await isAccepted(SECRET));
  await rm(join(secrets, 'github.next'));
  assert.ok(await eventually(async () => ((await isAccepted('canary-of-the-next')) ? undefined : true)));
  assert.ok(await isAccepted(SECRET));
});

test('replays cost no more than a poll a second, and the Application stays as it is', async () => {
  const { repository, application } = await quietSubject('replayed');
  const before = pollsOf(repository);
  const startedMs = performance.now();
  for (let n = 0; n < 40; n++) assert.equal((await hook({ repository })).status, 200);
  const commit = await push(repository, '2');
  await hook({ repository });
  await untilLive('replayed', '2');
  await application.untilReady(commit);
  const seconds = (performance.now() - startedMs) / 1000;
  // A poll and a fetch are two requests each at most.
  const requests = pollsOf(repository) - before;
  assert.ok(requests <= 2 * (seconds + 2) + 4, `${requests} requests in ${seconds} s`);
});

test('a GitLab hook with its token works as well, and one for a provider without secret never does', async () => {
  const { repository } = await quietSubject('labs');
  await push(repository, '2');
  const body = JSON.stringify({
    object_kind: 'push',
    ref: 'refs/heads/main',
    project: { git_http_url: repository.url },
  });
  const to = (provider: string) =>
    send(`${agent.webhookUrl}/hooks/${provider}`, { headers: { 'X-Gitlab-Token': SECRET }, body });
  assert.deepEqual((await to('gitlab')).json, { applications: 1 });
  await untilLive('labs', '2');
  assert.equal((await to('gitea')).status, 403);
});

test('what is compressed or too large is refused, and the agent goes on', async () => {
  const small = gzipSync('{}');
  const headers = { 'X-Hub-Signature-256': `sha256=${hmac(small, SECRET)}` };
  assert.equal((await post(small, { ...headers, 'Content-Encoding': 'gzip' })).status, 415);
  const large = ' '.repeat(1024 * 1024 + 1);
  assert.equal((await post(large, { 'X-Hub-Signature-256': `sha256=${hmac(large, SECRET)}` })).status, 413);
  assert.equal((await fetch(`${agent.probesUrl}/healthz`)).status, 200);
});

test('a schedule polls beside the interval', async () => {
  const { repository, application } = await quietSubject('scheduled');
  await application.patch({ source: { schedule: '* * * * *', timeZone: 'Asia/Kolkata' } });
  await application.untilReady();
  await push(repository, '2');
  await untilLive('scheduled', '2');
});

test('a schedule that no rule of the API server catches is said on the Application', async () => {
  const repository = await world.repository('unscheduled');
  await repository.commit({ 'a.yaml': text(configMap('a', { k: '1' })) });
  const source = { repoURL: repository.url, schedule: '0 0 30 2 *' };
  const application = await world.declare('unscheduled', { source });
  const stalled = await application.until('Stalled', ({ status }) =>
    JSON.stringify(status).includes('"type":"Stalled"'),
  );
  const said = JSON.stringify(stalled['status']);
  assert.match(said, /"InvalidSpec"/);
  assert.match(said, /spec\.source\.schedule has a value/);
});

test('nothing of a secret is in the log or the metrics', async () => {
  const metrics = await (await fetch(`${agent.probesUrl}/metrics`)).text();
  assert.ok(!`${JSON.stringify(agent.log)}${metrics}${agent.stderr()}`.includes('canary'));
});
