/** Objects without the label of the agent are in no watch: a read by name tells about them, and counts for a while. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  declareSubject,
  fingerprint,
  makeNamespace,
  untilHealth,
  untilObject,
  untilPasses,
  passesOf,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';

const { world, agent } = useWorld({ agent: { flags: ['--unwatched-check', '2s'] } });

/** Annotations of the live object count as if they were from Git. */
const spec = { sync: { allowLiveAnnotations: true } };

const DISABLED = { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' };

test('an object that lost its label while it was disabled is healed once it is enabled again, without a request', async () => {
  const files = { 'a.yaml': text(configMap('a', { k: 'git' }), configMap('b')) };
  const subject = await declareSubject(world, 'enabled', { files, spec });
  await subject.application.untilReady();
  const path = configMapPath('enabled', 'a');
  await world.send('PUT', path, configMap('a', { k: 'hand' }, { namespace: 'enabled', annotations: DISABLED }));
  // The agent has read it by name, since it left the watch, and leaves it alone.
  await untilPasses(agent, 'enabled', (await passesOf(agent, 'enabled')) + 2);
  assert.equal(at(await subject.configMap('a'), 'data', 'k'), 'hand');
  const off = configMap('a', { k: 'hand' }, { namespace: 'enabled' });
  await world.send('PUT', path, off);
  await untilObject(world, path, (live) => at(live, 'data', 'k') === 'git');
});

test('an object without our label that goes away while it is disabled is seen to be gone', async () => {
  const subject = await declareSubject(world, 'gone', {
    files: { 'a.yaml': text(configMap('a', { k: 'git' })) },
    spec,
  });
  await subject.application.untilReady();
  const path = configMapPath('gone', 'a');
  await world.send('PUT', path, configMap('a', { k: 'hand' }, { namespace: 'gone', annotations: DISABLED }));
  await untilPasses(agent, 'gone', (await passesOf(agent, 'gone')) + 2);
  await world.send('DELETE', path);
  await untilObject(world, path, (live) => at(live, 'data', 'k') === 'git');
});

test('an object that exists and is only created if absent stays as it is, and is healthy', async () => {
  await makeNamespace(world, 'present');
  const path = configMapPath('present', 'a');
  await world.apply(configMap('a', { k: 'theirs' }, { namespace: 'present' }));
  const before = fingerprint(await world.read(path));
  const annotations = { 'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent' };
  const files = { 'a.yaml': text(configMap('a', { k: 'git' }, { annotations }), configMap('b')) };
  const subject = await declareSubject(world, 'present', { files, spec: { health: { wait: true, timeout: '10s' } } });
  await subject.application.untilReady();
  await untilHealth(subject.application, 'Healthy');
  await subject.application.refresh();
  await untilHealth(subject.application, 'Healthy');
  assert.equal(fingerprint(await world.read(path)), before);
});

test('an object that exists and is disabled is not written to, nor marked, and is adopted once it is enabled', async () => {
  await makeNamespace(world, 'off');
  const path = configMapPath('off', 'a');
  await world.apply(configMap('a', { theirs: '1' }, { namespace: 'off', annotations: DISABLED }));
  const before = fingerprint(await world.read(path));
  const subject = await declareSubject(world, 'off', { files: { 'a.yaml': text(configMap('a', { k: 'git' })) }, spec });
  const ready = await subject.application.untilReady();
  assert.equal(at(ready, 'status', 'health', 'status'), 'Healthy', 'an object that exists is not called Missing');
  assert.equal(fingerprint(await world.read(path)), before);
  await world.send('PUT', path, configMap('a', { theirs: '1' }, { namespace: 'off' }));
  const adopted = await untilObject(world, path, (live) => at(live, 'data', 'k') === 'git');
  assert.equal(at(adopted, 'data', 'theirs'), '1');
});
