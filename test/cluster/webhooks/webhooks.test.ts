/** Webhooks on the whole agent, with Applications whose next poll is an hour away. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { TestRepository } from '../../support/git-repository.ts';
import { useStarted, useWorld } from '../../support/use-world.ts';
import { eventually } from '../../support/world.ts';
import { hmac, send, type Answer } from '../../unit/server/webhook-scene.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  makeNamespace,
  metricsOf,
  untilObject,
  type Subject,
} from '../../support/scene.ts';

const SECRET = 'canary-of-the-secret';

const secrets = useStarted('the folder of secrets', () => mkdtempDisposable(join(tmpdir(), 'tautline-hook-secrets-')));
const { world, agent } = useWorld({
  async agent(started) {
    await writeFile(join(secrets.path, 'github'), `${SECRET}\n`);
    await writeFile(join(secrets.path, 'gitlab'), SECRET);
    return started.agent({ flags: ['--webhook-secrets-dir', secrets.path] });
  },
});

interface Hook {
  readonly repository: TestRepository;
  readonly ref?: string;
  readonly secret?: string;
  /** The address of the repository in the payload. */
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

/** Declares an Application that polls once an hour, and waits until it is Ready. */
async function quietSubject(name: string): Promise<Subject> {
  const subject = await declareSubject(world, name, {
    files: { 'a.yaml': text(configMap('a', { k: '1' })) },
    spec: { source: { repoURL: `${world.git.url}/${name}.git`, interval: '1h' } },
  });
  await subject.application.untilReady();
  return subject;
}

async function push(repository: TestRepository, value: string, branch = 'main'): Promise<string> {
  return repository.commit({ 'a.yaml': text(configMap('a', { k: value })) }, { branch });
}

test('a push is applied once its webhook arrives, although the next poll is an hour away', async () => {
  const { repository, application } = await quietSubject('pushed');
  const commit = await push(repository, '2');
  const answer = await hook({ repository });
  assert.deepEqual([answer.status, answer.json], [200, { applications: 1 }]);
  await untilLive('pushed', '2');
  await application.untilReady(commit);
  const metrics = await metricsOf(agent);
  assert.ok(metrics.includes('tautline_webhook_requests_total{provider="github",result="accepted"} 1'));
});

test('a webhook with a wrong signature is answered with 401 and leads to no poll', async () => {
  const { repository } = await quietSubject('forged');
  await push(repository, '2');
  const polls = pollsOf(repository);
  for (const secret of ['wrong', '', `${SECRET}\n`]) {
    const answer = await hook({ repository, secret });
    assert.deepEqual([answer.status, answer.json], [401, { error: 'the signature is missing or wrong' }]);
  }
  // A later genuine webhook has taken effect, so the forged ones have had none.
  const other = await quietSubject('genuine');
  await push(other.repository, '2');
  await hook({ repository: other.repository });
  await untilLive('genuine', '2');
  assert.equal(pollsOf(repository), polls);
});

test('one webhook concerns all Applications of the repository, whichever form of its address they use', async () => {
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

test('a push to a branch concerns the Applications that follow it', async () => {
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

test('while a secret is rotated both are accepted, and a secret whose file is gone is not', async () => {
  const { repository } = await quietSubject('rotated');
  await writeFile(join(secrets.path, 'github.next'), 'canary-of-the-next\n');
  const isAccepted = async (secret: string): Promise<boolean> => (await hook({ repository, secret })).status === 200;
  assert.ok(await eventually(async () => (await isAccepted('canary-of-the-next')) || undefined));
  assert.ok(await isAccepted(SECRET));
  await rm(join(secrets.path, 'github.next'));
  assert.ok(await eventually(async () => ((await isAccepted('canary-of-the-next')) ? undefined : true)));
  assert.ok(await isAccepted(SECRET));
});

test('replayed webhooks cost at most one poll a second', async () => {
  const { repository, application } = await quietSubject('replayed');
  const before = pollsOf(repository);
  const startedMs = performance.now();
  for (let n = 0; n < 40; n++) assert.equal((await hook({ repository })).status, 200);
  const commit = await push(repository, '2');
  await hook({ repository });
  await untilLive('replayed', '2');
  await application.untilReady(commit);
  const seconds = (performance.now() - startedMs) / 1000;
  // A poll and a fetch need at most two requests each.
  const requests = pollsOf(repository) - before;
  assert.ok(requests <= 2 * (seconds + 2) + 4, `${requests} requests in ${seconds} s`);
});

test('a GitLab webhook with its token is accepted, and one for a provider without a secret is refused', async () => {
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

test('a compressed or too large webhook is refused, and the agent goes on', async () => {
  const small = gzipSync('{}');
  const headers = { 'X-Hub-Signature-256': `sha256=${hmac(small, SECRET)}` };
  assert.equal((await post(small, { ...headers, 'Content-Encoding': 'gzip' })).status, 415);
  const large = ' '.repeat(1024 * 1024 + 1);
  assert.equal((await post(large, { 'X-Hub-Signature-256': `sha256=${hmac(large, SECRET)}` })).status, 413);
  assert.equal((await fetch(`${agent.probesUrl}/healthz`)).status, 200);
});

test('a schedule polls in addition to the interval', async () => {
  const { repository, application } = await quietSubject('scheduled');
  await application.patch({ source: { schedule: '* * * * *', timeZone: 'Asia/Kolkata' } });
  await application.untilReady();
  await push(repository, '2');
  await untilLive('scheduled', '2');
});

test('an invalid schedule that the API server accepts is reported on the Application', async () => {
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

test('no secret of a webhook appears in the log or the metrics', async () => {
  const metrics = await metricsOf(agent);
  assert.ok(!`${JSON.stringify(agent.log)}${metrics}${agent.stderr()}`.includes('canary'));
});
