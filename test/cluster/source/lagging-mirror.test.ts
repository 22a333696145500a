/**
 * Git servers that answer with older commits: a mirror or a replica that lags behind, and forced pushes, which have to
 * be followed all the same.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, text } from '../../support/objects.ts';
import {
  answerOf,
  at,
  configMapPath,
  declareSubject,
  fingerprint,
  untilGone,
  type Subject,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import { untilTrue } from '../../support/world.ts';

const { world, agent } = useWorld({ agent: true });

const added = { 'b.yaml': text(configMap('b', {}), configMap('data', { precious: 'yes' })) };

interface Mirrored extends Subject {
  readonly older: string;
  readonly newer: string;
}

/** Two commits, the second of which adds two ConfigMaps; both are applied. */
async function declareMirrored(name: string, spec: Record<string, unknown> = {}): Promise<Mirrored> {
  const subject = await declareSubject(world, name, {
    files: { 'a.yaml': text(configMap('a', {})) },
    spec: { source: { repoURL: `${world.git.url}/${name}.git`, interval: '10s', ...spec } },
  });
  const older = await subject.repository.resolve('main');
  await subject.application.untilReady(older);
  const newer = await subject.repository.commit(added);
  await subject.application.refresh();
  await subject.application.untilReady(newer);
  return { ...subject, older, newer };
}

/** Answers each poll of the repository with one of the commits, in turn. Returns how many polls there were. */
function answerInTurn({ repository }: Mirrored, commits: readonly string[], branch = 'main'): () => number {
  const path = new URL(repository.url).pathname;
  let polls = 0;
  world.git.onRequest = async (request) => {
    if (request.method !== 'POST' || !request.path.startsWith(path)) return;
    const commit = commits[polls % commits.length];
    polls += 1;
    await repository.git(['update-ref', `refs/heads/${branch}`, String(commit)]);
  };
  return () => polls;
}

test('an object is not deleted while every other poll is answered by a replica that lags behind', async () => {
  const subject = await declareMirrored('replicas');
  const before = fingerprint(await subject.configMap('data'));
  const polls = answerInTurn(subject, [subject.older, subject.newer]);
  for (let n = 1; n <= 3; n++) {
    const answered = await subject.application.refresh();
    assert.ok(answerOf(answered).includes(subject.newer), answerOf(answered));
    assert.equal(fingerprint(await subject.configMap('data')), before);
  }
  assert.ok(polls() >= 6, `${polls()} polls`);
  world.git.onRequest = undefined;
  const { status } = (await subject.application.read()) as unknown as { status: { history: { commit: string }[] } };
  assert.deepEqual(
    status.history.map(({ commit }) => commit),
    [subject.newer, subject.older].map((commit) => commit.slice(0, 12)),
  );
});

test('a forced push back to an older commit is followed without a request', async () => {
  const subject = await declareMirrored('forced');
  await subject.repository.branch('main', subject.older);
  await untilGone(world, configMapPath('forced', 'data'));
  await subject.application.untilReady(subject.older);
});

test('a refresh after a forced push is answered for the older commit', async () => {
  const subject = await declareMirrored('refreshed', { interval: '1h' });
  await subject.repository.branch('main', subject.older);
  const answered = await subject.application.refresh();
  assert.ok(answerOf(answered).includes(subject.older), answerOf(answered));
  await untilGone(world, configMapPath('refreshed', 'data'));
});

test('a tag that is moved back is followed', async () => {
  const subject = await declareMirrored('tagged', { interval: '1h' });
  await subject.repository.tag('release', { at: subject.newer });
  await subject.application.patch({ source: { revision: 'release' } });
  await subject.application.untilReady(subject.newer);
  await subject.repository.tag('release', { at: subject.older });
  const answered = await subject.application.refresh();
  assert.equal(at(answered, 'status', 'sync', 'revision'), `release@sha1:${subject.older}`);
  await untilGone(world, configMapPath('tagged', 'data'));
});

test('a replica that lags behind does not bring back an older commit when the agent restarts', async () => {
  const subject = await declareMirrored('restarted');
  const before = fingerprint(await subject.configMap('data'));
  const polls = answerInTurn(subject, [subject.older, subject.newer]);
  // Its disk is empty, as that of a new Pod is: only status tells which commit is the newest.
  await agent.stop();
  const next = await world.agent();
  await untilTrue(() => polls() >= 4, 'the next agent polls');
  await subject.application.untilReady(subject.newer);
  await next.stop();
  world.git.onRequest = undefined;
  assert.equal(fingerprint(await subject.configMap('data')), before);
});
