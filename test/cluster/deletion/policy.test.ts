/** The objects of a deleted Application, by spec.deletionPolicy and by what spec.sync says about deleting. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorld } from '../../support/use-world.ts';
import { configMap, text } from '../../support/objects.ts';
import { at, declareSubject, OWNER, untilGone } from '../../support/scene.ts';

const { world } = useWorld({ agent: true });

const CASES = [
  { name: 'prune-false', title: 'with sync.prune false the objects stay', sync: { prune: false }, isKept: true },
  { name: 'detects', title: 'in mode detect the objects stay', sync: { mode: 'detect' }, isKept: true },
  {
    name: 'prune-false-says-prune',
    title: 'with sync.prune false and an explicit deletionPolicy Prune the objects are deleted',
    sync: { prune: false },
    deletionPolicy: 'Prune',
    isKept: false,
  },
  {
    name: 'detects-says-prune',
    title: 'in mode detect with an explicit deletionPolicy Prune the objects are deleted',
    sync: { mode: 'detect' },
    deletionPolicy: 'Prune',
    isKept: false,
  },
  { name: 'manual', title: 'in mode manual the objects are deleted', sync: { mode: 'manual' }, isKept: false },
] as const;

for (const { name, title, sync, isKept, ...more } of CASES) {
  test(`when an Application is deleted ${title}`, async () => {
    const subject = await declareSubject(world, name, { files: { 'a.yaml': text(configMap('a', {})) } });
    await subject.application.untilReady();
    await subject.application.patch({ sync, ...more });
    await subject.application.remove();
    await untilGone(world, subject.application.path);
    const left = await subject.configMap('a');
    assert.equal(left !== undefined, isKept);
    if (left) assert.equal(at(left, 'metadata', 'annotations', OWNER), undefined, 'its marks are removed');
  });
}
