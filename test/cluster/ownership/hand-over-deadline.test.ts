/** The time that a prune waits for Applications of the same source that cannot be rendered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { configMap, text } from '../../support/objects.ts';
import {
  configMapPath,
  inventoryOf,
  makeNamespace,
  readyMessage,
  readyReason,
  untilGone,
} from '../../support/scene.ts';

const { world } = useWorld({ agent: { flags: ['--hand-over-wait', '3s', '--progress-check', '1s'] } });

test('a prune waits for an Application that cannot be rendered until a deadline, and that Application keeps its objects', async () => {
  const repository = await world.repository('source');
  await repository.commit({
    'one/a.yaml': text(configMap('a', {}), configMap('gone', {})),
    'two/b.yaml': text(configMap('b', {})),
  });
  await makeNamespace(world, 'objects');
  const specOf = (path: string) => ({
    source: { repoURL: repository.url, path },
    destination: { namespace: 'objects' },
  });
  const one = await world.declare('one', specOf('one'));
  const two = await world.declare('two', specOf('two'));
  await Promise.all([one.untilReady(), two.untilReady()]);
  const commit = await repository.commit({
    'one/a.yaml': text(configMap('a', {})),
    'two/b.yaml': '{ no: [yaml',
  });
  await one.refresh();
  await one.until('waits', (a) => /Application apps\/two/.test(readyMessage(a)));
  await untilGone(world, configMapPath('objects', 'gone'));
  await one.untilReady(commit);
  const broken = await two.until('broken', (a) => readyReason(a) === 'False BuildFailed');
  assert.deepEqual(inventoryOf(broken), ['ConfigMap objects/b']);
  assert.ok(await world.read(configMapPath('objects', 'b')));
});
