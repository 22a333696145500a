/**
 * Two Applications of one repository, whose polls are shared, and a Git server that takes its time: a poll that began
 * before a push is no answer to a question that came after it.
 */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startHoldingFront } from '../../support/front-servers.ts';
import type { TestRepository } from '../../support/git-repository.ts';
import { configMap, text } from '../../support/objects.ts';
import { answerOf, at, configMapPath, makeNamespace, untilObject } from '../../support/scene.ts';
import { usePrepared, useStarted, useWorld } from '../../support/use-world.ts';
import type { ApplicationHandle } from '../../support/world.ts';
import { hmac, send } from '../../unit/server/webhook-scene.ts';

const SECRET = 'canary-of-the-secret';

const secrets = useStarted('the folder of secrets', () => mkdtempDisposable(join(tmpdir(), 'tautline-hook-secrets-')));
const { world, agent } = useWorld({
  async agent(started) {
    await writeFile(join(secrets.path, 'github'), SECRET);
    return started.agent({ flags: ['--webhook-secrets-dir', secrets.path] });
  },
});
const front = useStarted('the slow front', () => startHoldingFront(world.git.url));
const pair = usePrepared('the pair of Applications', declarePair);

interface Pair {
  readonly repository: TestRepository;
  readonly url: string;
  readonly first: ApplicationHandle;
  readonly second: ApplicationHandle;
}

const filesAt = (v: string) => ({
  'first/a.yaml': text(configMap('first', { v })),
  'second/a.yaml': text(configMap('second', { v })),
});

async function declarePair(): Promise<Pair> {
  const repository = await world.repository('shared');
  await repository.commit(filesAt('1'));
  const url = repository.url.replace(world.git.url, front.url);
  await makeNamespace(world, 'shared');
  const declare = (path: string): Promise<ApplicationHandle> =>
    world.declare(path, { source: { repoURL: url, path, interval: '1h' }, destination: { namespace: 'shared' } });
  const [first, second] = [await declare('first'), await declare('second')];
  await first.untilReady();
  await second.untilReady();
  return { repository, url, first, second };
}

/** Begins a poll of the first Application, whose answer is that of the commit before, and pushes a commit. */
async function pushDuringPoll(v: string): Promise<{ readonly commit: string; readonly release: () => void }> {
  const held = front.holdNextAnswer();
  await pair.first.request({ action: 'refresh' });
  const release = await held;
  return { commit: await pair.repository.commit(filesAt(v)), release };
}

async function untilLive(name: string, v: string): Promise<void> {
  await untilObject(world, configMapPath('shared', name), (object) => at(object, 'data', 'v') === v);
}

test('a refresh after a push is answered for the pushed commit, while a poll from before the push is under way', async () => {
  const { commit, release } = await pushDuringPoll('2');
  const answered = await pair.second.refresh();
  release();
  assert.ok(answerOf(answered).includes(commit), answerOf(answered));
  await untilLive('second', '2');
});

test('a webhook after a push brings in the pushed commit, while a poll from before the push is under way', async () => {
  await pair.first.refresh();
  const { release } = await pushDuringPoll('3');
  const body = JSON.stringify({ ref: 'refs/heads/main', repository: { clone_url: pair.url } });
  const headers = { 'X-GitHub-Event': 'push', 'X-Hub-Signature-256': `sha256=${hmac(body, SECRET)}` };
  const { status } = await send(`${agent.webhookUrl}/hooks/github`, { headers, body });
  assert.equal(status, 200);
  await untilLive('second', '3');
  release();
  await untilLive('first', '3');
});
