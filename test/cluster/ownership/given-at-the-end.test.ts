/**
 * An Application is deleted while the one that desires its object is paused: the object gets the marks of the paused
 * Application, which prunes it if it leaves Git before the Application goes on.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, text } from '../../support/objects.ts';
import {
  at,
  configMapPath,
  inventoryOf,
  makeNamespace,
  OWNER,
  QUICK_FLAGS,
  untilGone,
  untilObject,
} from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';

const { world } = useWorld({ agent: { flags: [...QUICK_FLAGS, '--hand-over-wait', '10m'] } });

for (const [name, rest] of Object.entries({ manual: { sync: { mode: 'manual' } }, asleep: { suspend: true } })) {
  test(`the object of a deleted Application goes to one that is paused (${name}), and is pruned by it`, async () => {
    const repository = await world.repository(name);
    const own = text(configMap('own', {}));
    await repository.commit({ 'one/own.yaml': own, 'one/m.yaml': text(configMap('moved', {})), 'two/README.md': '' });
    await makeNamespace(world, name);
    const declare = (folder: string, more: Record<string, unknown> = {}) =>
      world.declare(`${name}-${folder}`, {
        source: { repoURL: repository.url, path: folder, interval: '10s' },
        destination: { namespace: name },
        ...more,
      });
    const giver = await declare('one');
    await giver.untilReady();
    const taker = await declare('two', rest);
    const path = configMapPath(name, 'moved');
    const uid = at(await untilObject(world, path, () => true), 'metadata', 'uid');

    await repository.commit({ 'one/m.yaml': null, 'two/m.yaml': text(configMap('moved', {})) });
    await giver.refresh();
    await giver.until('it keeps the object', (found) => /paused/.test(JSON.stringify(found['status'])));
    await giver.remove();
    await untilGone(world, giver.path);
    const given = await untilObject(world, path, () => true);
    assert.equal(at(given, 'metadata', 'uid'), uid);
    assert.match(String(at(given, 'metadata', 'annotations', OWNER)), /-two$/);
    assert.deepEqual(inventoryOf(await taker.read()), [`ConfigMap ${name}/moved`]);

    await repository.commit({ 'two/m.yaml': text(configMap('other', {})) });
    await taker.patch({ suspend: false, sync: { mode: 'auto' } });
    await taker.untilReady();
    await untilGone(world, path);
  });
}
