/** Invalid Applications: refused by the API server, or reported and left alone if they were stored anyway. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useScene } from './scene.ts';
import { applicationManifest, configMap, text } from '../../support/objects.ts';
import { withoutRules } from '../../support/older-crd.ts';
import { at, configMapPath, declareSubject, inventoryOf, untilFailed, untilGone } from '../../support/scene.ts';
import { conditionOf } from '../../support/world.ts';

const scene = useScene();

test('the API server refuses a malformed Application, and kubectl shows the reason', async () => {
  const application = applicationManifest('refused', { source: { repoURL: 'https://me:word@git.example.com/x' } });
  const { code, stderr } = await scene.world.plane.kubectl(['apply', '-f', '-'], {
    input: JSON.stringify(application),
  });
  assert.notEqual(code, 0);
  assert.match(stderr, /spec\.source\.repoURL must not contain a password, nor a user name except for ssh/);
});

test('an Application without a destination applies its objects in its own namespace', async () => {
  const repository = await scene.world.repository('home');
  await repository.commit({ 'kept.yaml': text(configMap('at-home', { a: '1' })) });
  const application = await scene.world.declare('home', { source: { repoURL: repository.url } });
  await application.untilReady();
  assert.ok(await scene.world.read(configMapPath('apps', 'at-home')));
});

test('an invalid spec that was stored by an older version is reported by field; the objects stay, and a valid spec heals it', async () => {
  const subject = await declareSubject(scene.world, 'stored', {
    files: { 'kept.yaml': text(configMap('kept', { a: '1' })) },
  });
  await subject.application.untilReady();
  await withoutRules(scene.world, () =>
    subject.application.patch({ source: { interval: '1ns' }, sync: { mode: 'sometimes' } }),
  );
  const { message, isStalled } = await untilFailed(subject, 'InvalidSpec');
  assert.match(message, /spec\.source\.interval/);
  assert.match(message, /spec\.sync\.mode must be one of auto, manual, detect/);
  assert.ok(isStalled);
  const application = await subject.application.read();
  assert.deepEqual(inventoryOf(application), ['ConfigMap stored/kept']);
  assert.ok(await subject.configMap('kept'));
  assert.equal(conditionOf(application, 'Reconciling'), undefined);
  await scene.expectBystanderGoesOn();
  const listed = (await (await scene.agent.readApi('/applications')).json()) as {
    applications: unknown[];
  };
  assert.ok(listed.applications.some((item) => at(item, 'name') === 'stored'));

  await subject.application.patch({ source: { interval: '1m' }, sync: { mode: 'auto' } });
  await subject.application.untilReady();
});

test('deleting an Application whose spec cannot be read keeps its objects', async () => {
  const subject = await declareSubject(scene.world, 'farewell', {
    files: { 'kept.yaml': text(configMap('kept', { a: '1' })) },
  });
  await subject.application.untilReady();
  await withoutRules(scene.world, () => subject.application.patch({ sync: { mode: 'sometimes' } }));
  await untilFailed(subject, 'InvalidSpec');
  await subject.application.remove();
  await untilGone(scene.world, subject.application.path);
  assert.ok(await subject.configMap('kept'), 'the deletionPolicy is not known');
});
