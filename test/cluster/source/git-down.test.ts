/** While Git does not answer, the last revision that was followed stays in force: drift from it is healed. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunningAgent } from '../../support/agent.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  QUICK_FLAGS,
  untilFailed,
  untilObject,
  type Subject,
} from '../../support/scene.ts';
import { useStarted, useWorld } from '../../support/use-world.ts';

const data = useStarted('the data folder', () => mkdtempDisposable(join(tmpdir(), 'tautline-data-')));
const { world } = useWorld();

const files = { 'a.yaml': text(configMap('a', { v: 'git' })), 'other/b.yaml': text(configMap('b', { v: 'git' })) };

function startAgent(): Promise<RunningAgent> {
  return world.agent({ flags: ['--data-dir', data.path, ...QUICK_FLAGS] });
}

async function expectHealed(namespace: string, name = 'a'): Promise<void> {
  const path = configMapPath(namespace, name);
  await world.send('PATCH', path, { data: { v: 'hand' } });
  await untilObject(world, path, (object) => at(object, 'data', 'v') === 'git');
}

const OUTAGES = {
  'answers with 503': { status: 503, body: '' },
  'answers with 403': { status: 403, body: '' },
  'breaks off its answers': { cutAfterBytes: 0 },
  'has lost the repository': { status: 404, body: '' },
  'answers with nothing': { cutAfterBytes: 0, isClean: true },
} as const;
for (const [index, [what, reaction]] of Object.entries(OUTAGES).entries()) {
  test(`drift is healed while the Git server ${what}, also after a restart`, async () => {
    const name = `down-${index}`;
    let agent = await startAgent();
    const subject = await declareSubject(world, name, { files });
    await subject.application.untilReady();
    world.git.onRequest = () => reaction;
    await subject.application.refresh();
    await expectHealed(name);
    await agent.stop();
    agent = await startAgent();
    await expectHealed(name);
    await untilFailed(subject, 'ArtifactFailed');
    world.git.onRequest = undefined;
    await subject.application.untilReady();
    await agent.stop();
  });
}

async function emptied({ repository }: Subject): Promise<() => Promise<void>> {
  const commit = await repository.resolve('main');
  await repository.deleteBranch('main');
  return async () => void (await repository.branch('main', commit));
}

test('drift is healed while the branch is missing, and while the repository is empty, also after a restart', async () => {
  let agent = await startAgent();
  const subject = await declareSubject(world, 'emptied', { files });
  await subject.application.untilReady();
  const restore = await emptied(subject);
  await subject.application.refresh();
  await expectHealed('emptied');
  await agent.stop();
  agent = await startAgent();
  await expectHealed('emptied');
  await restore();
  await subject.application.untilReady();
  await agent.stop();
});

const EDITS: Readonly<Record<string, (subject: Subject) => Record<string, unknown>>> = {
  'names a Secret that does not exist': () => ({ secretRef: { name: 'missing' } }),
  'names a branch that does not exist': () => ({ revision: 'nowhere' }),
  'names a repository that does not exist': () => ({ repoURL: `${world.git.url}/nowhere.git` }),
};
for (const [index, [what, edit]] of Object.entries(EDITS).entries()) {
  test(`drift is healed while the edited spec ${what}, and nothing is deleted`, async () => {
    const name = `edited-${index}`;
    const agent = await startAgent();
    const subject = await declareSubject(world, name, { files });
    await subject.application.untilReady();
    await subject.application.patch({ source: { repoURL: subject.repository.url, ...edit(subject) } });
    await untilFailed(subject, 'ArtifactFailed');
    await expectHealed(name);
    await agent.stop();
  });
}

test('drift is healed after a restart while spec.source.secretRef names a Secret that does not exist', async () => {
  let agent = await startAgent();
  const subject = await declareSubject(world, 'secret', { files });
  await subject.application.untilReady();
  await agent.stop();
  await subject.application.patch({ source: { repoURL: subject.repository.url, secretRef: { name: 'missing' } } });
  agent = await startAgent();
  await untilFailed(subject, 'ArtifactFailed');
  await expectHealed('secret');
  await agent.stop();
});

test('a path that is edited together with a repository that cannot be read applies nothing of the old repository', async () => {
  const agent = await startAgent();
  const subject = await declareSubject(world, 'moved', {
    files: { ...files, 'moved/c.yaml': text(configMap('c', {})) },
  });
  await subject.application.untilReady();
  await subject.application.patch({ source: { repoURL: `${world.git.url}/nowhere.git`, path: 'other' } });
  await untilFailed(subject, 'ArtifactFailed');
  await expectHealed('moved');
  assert.equal(await subject.configMap('b'), undefined);
  await agent.stop();
});
