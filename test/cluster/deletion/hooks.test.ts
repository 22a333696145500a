/** Hooks of the deletion of an Application: before its objects are deleted, and after they are gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, job, text } from '../../support/objects.ts';
import {
  applicationPath,
  at,
  configMapPath,
  declareSubject,
  endJob,
  jobPath,
  PROGRESS_FLAGS,
  readyMessage,
  readyReason,
  untilGone,
  untilObject,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';
import type { Json } from '../../support/world.ts';

const { world } = useWorld();
const flags = PROGRESS_FLAGS;

const hook = (phase: string, more: Record<string, string> = {}) => ({
  metadata: { annotations: { 'argocd.argoproj.io/hook': phase, ...more } },
});

const FILES = {
  'objects.yaml': text(configMap('kept', {}), configMap('other', {})),
  'pre.yaml': text(
    configMap('settings', {}, { annotations: { 'helm.sh/hook': 'pre-delete', 'helm.sh/hook-weight': '-1' } }),
    job('backup', hook('PreDelete')),
  ),
  'post.yaml': text(
    job('goodbye', { metadata: { annotations: { 'helm.sh/hook': 'post-delete', 'helm.sh/hook-weight': '1' } } }),
    job('sweep', hook('PostDelete')),
  ),
};

const uidOf = (object: unknown): unknown => at(object, 'metadata', 'uid');
const phaseOf = (application: Json): unknown => at(application, 'status', 'deletion', 'phase');

test('the hooks of a deletion run before and after it, and a kill of the agent runs none of them twice', async () => {
  const name = 'hooked';
  const backup = jobPath(name, 'backup');
  const subject = await (async () => {
    await using agent = await world.agent({ flags });
    assert.ok(agent.apiUrl);
    const declared = await declareSubject(world, name, { files: FILES });
    await declared.application.untilReady();
    for (const path of [backup, jobPath(name, 'sweep'), configMapPath(name, 'settings')]) {
      assert.equal(await world.read(path), undefined, `no sync applies ${path}`);
    }
    const { application } = declared;
    await application.until('counted', (found) => at(found, 'status', 'deletionHooks', 'preDelete') === 2);
    await application.remove();
    await untilObject(world, backup, () => true);
    return declared;
  })();
  const first = uidOf(await world.read(backup));
  assert.ok(await subject.configMap('kept'), 'objects are held while the hook runs');
  assert.ok(await subject.configMap('settings'), 'the hook of the lower weight is there');
  await endJob(world, backup);

  const sweep = jobPath(name, 'sweep');
  await (async () => {
    await using agent = await world.agent({ flags });
    assert.ok(agent.apiUrl);
    const started = await untilObject(world, sweep, () => true);
    assert.notEqual(started, undefined);
    assert.equal(await subject.configMap('kept'), undefined, 'all objects are gone before the phase PostDelete');
    assert.equal(await world.read(backup), undefined, 'the hook of the phase PreDelete is gone');
    assert.equal(await world.read(jobPath(name, 'goodbye')), undefined, 'the hook of the next wave waits');
    await untilObject(world, applicationPath(name), (found) => phaseOf(found) === 'PostDelete');
  })();
  const swept = uidOf(await world.read(sweep));
  assert.notEqual(first, undefined);
  await endJob(world, sweep);
  await using agent = await world.agent({ flags });
  assert.ok(agent.apiUrl);
  await untilObject(world, jobPath(name, 'goodbye'), () => true);
  assert.equal(uidOf(await world.read(sweep)), swept, 'a hook that has run does not run twice');
  await endJob(world, jobPath(name, 'goodbye'));
  await untilGone(world, applicationPath(name));
  assert.equal(await world.read(sweep), undefined, 'hooks are deleted at the end');
  assert.equal(await world.read(jobPath(name, 'goodbye')), undefined);
});

test('a failed hook holds the deletion and runs again, and deletionPolicy Orphan lets go of it', async () => {
  await using agent = await world.agent({ flags });
  assert.ok(agent.apiUrl);
  const files = { 'a.yaml': text(configMap('kept', {}), job('backup', hook('PreDelete'))) };
  const [subject, orphan] = [
    await declareSubject(world, 'failing', { files }),
    await declareSubject(world, 'orphaned', { files }),
  ];
  for (const { application } of [subject, orphan]) {
    await application.untilReady();
    await application.remove();
  }
  const path = jobPath('failing', 'backup');
  const first = uidOf(await untilObject(world, path, () => true));
  await endJob(world, path, 'Failed');
  await untilObject(world, jobPath('orphaned', 'backup'), () => true);
  await orphan.application.patch({ deletionPolicy: 'Orphan' });
  const isFailed = (found: Json): boolean => readyReason(found) === 'False HookFailed';
  const failed = await untilObject(world, applicationPath('failing'), isFailed);
  assert.match(readyMessage(failed), /the PreDelete hook Job\.batch failing\/backup has failed: .*it runs again at/);
  assert.equal(at(failed, 'status', 'deletion', 'failures'), 1);
  assert.ok(await subject.configMap('kept'));
  await untilGone(world, applicationPath('orphaned'));
  assert.ok(await orphan.configMap('kept'));
  await untilObject(world, path, (found) => uidOf(found) !== first);
  await endJob(world, path);
  await untilGone(world, applicationPath('failing'));
  assert.equal(await subject.configMap('kept'), undefined);
});
