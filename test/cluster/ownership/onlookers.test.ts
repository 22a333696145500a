/**
 * An object that moves to an Application that never held anything, or from an Application in mode manual, keeps an
 * owner that deletes it when it leaves Git before the new Application has taken it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, text } from '../../support/objects.ts';
import { at, configMapPath, makeNamespace, OWNER, QUICK_FLAGS, untilGone, untilObject } from '../../support/scene.ts';
import { useWorld } from '../../support/use-world.ts';

const { world } = useWorld({ agent: { flags: [...QUICK_FLAGS, '--hand-over-wait', '10m'] } });

const MANUAL = { sync: { mode: 'manual' } };
const PAIRS = {
  manual: { taker: MANUAL },
  asleep: { taker: { suspend: true } },
  'from-manual': { giver: MANUAL, taker: { suspend: true } },
} as const;

for (const [name, { taker: rest, ...more }] of Object.entries(PAIRS)) {
  test(`an object that moves (${name}) is deleted when it leaves Git before it was taken, and else taken alive`, async () => {
    const repository = await world.repository(name);
    const moved = text(configMap('moved', {}), configMap('dropped', {}));
    const own = text(configMap('own', {}));
    await repository.commit({ 'one/own.yaml': own, 'one/m.yaml': moved, 'two/README.md': '' });
    await makeNamespace(world, name);
    const specOf = (path: string) => ({
      source: { repoURL: repository.url, path, interval: '10s' },
      destination: { namespace: name },
    });
    const giver = await world.declare(`${name}-one`, specOf('one'));
    await giver.untilReady();
    if ('giver' in more) await giver.patch(more.giver);
    const taker = await world.declare(`${name}-two`, { ...specOf('two'), ...rest });
    const path = configMapPath(name, 'moved');
    const uid = at(await untilObject(world, path, () => true), 'metadata', 'uid');

    const sync = () => giver.request({ action: 'sync', prune: true });
    await repository.commit({ 'one/m.yaml': null, 'two/m.yaml': moved });
    await sync();
    await giver.until('it keeps both', (found) => at(found, 'status', 'counts', 'total') === 3);
    await repository.commit({ 'two/m.yaml': text(configMap('moved', {})) });
    await sync();
    await untilGone(world, configMapPath(name, 'dropped'));
    await taker.patch({ suspend: false, sync: { mode: 'auto' } });
    const mine = await untilObject(world, path, (object) =>
      String(at(object, 'metadata', 'annotations', OWNER)).endsWith(`${name}-two`),
    );
    assert.equal(at(mine, 'metadata', 'uid'), uid);
    await repository.commit({ 'two/m.yaml': text(configMap('other', {})) });
    await taker.request({ action: 'refresh' });
    await untilGone(world, path);
  });
}
