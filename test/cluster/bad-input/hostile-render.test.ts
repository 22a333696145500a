/** A repository that is made to exhaust its renderer stalls its own Application only. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useScene } from './scene.ts';
import { configMap, text } from '../../support/objects.ts';
import { at, configMapPath, declareSubject, fingerprint, untilFailed, untilObject } from '../../support/scene.ts';

const scene = useScene();

const KEPT = text(configMap('kept', { a: '1' }));

/** Kustomizations of which each level names the one below twice. */
function doubling(): Record<string, string> {
  const files: Record<string, string> = {};
  for (let level = 1; level <= 30; level += 1) {
    const below = level === 1 ? '../../base' : `../l${level - 1}`;
    for (const side of ['x', 'y']) {
      files[`bomb/l${level}${side}/kustomization.yaml`] = `resources: [${below}]\nnamePrefix: ${side}-\n`;
    }
    files[`bomb/l${level}/kustomization.yaml`] = `resources: [../l${level}x, ../l${level}y]\n`;
  }
  return files;
}

/** YAML aliases to lists of lists, each ten times as large as the one before. */
const ALIASES = [
  'a0: &a0 [x]',
  ...Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(', ')}]`),
].join('\n');

const FILES = { 'base/kustomization.yaml': 'resources: [kept.yaml]\n', 'base/kept.yaml': KEPT };

test('a hostile commit stalls its Application with a reason and prunes nothing, and the next commit mends it', async () => {
  const { world } = scene;
  const good = { ...FILES, 'kustomization.yaml': 'resources: [base]\n' };
  const subject = await declareSubject(world, 'hostile', { files: good });
  await subject.application.untilReady();
  const kept = fingerprint(await subject.configMap('kept'));

  const attacks: Readonly<Record<string, Record<string, string>>> = {
    'kustomizations are built': { ...doubling(), 'kustomization.yaml': 'resources: [bomb/l30]\n' },
    'use of an alias': {
      'kustomization.yaml': 'resources: [base, a.yaml]\n',
      'a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n${ALIASES}\n`,
    },
  };
  for (const [word, files] of Object.entries(attacks)) {
    await subject.repository.commit({ ...good, ...files });
    await subject.application.refresh();
    let verdict = await untilFailed(subject, 'BuildFailed');
    for (let tries = 0; tries < 100 && !verdict.message.includes(word); tries += 1) {
      verdict = await untilFailed(subject, 'BuildFailed');
    }
    assert.ok(verdict.message.includes(word), verdict.message);
    assert.ok(verdict.isStalled, 'only a new commit or spec mends it');
    assert.equal(fingerprint(await subject.configMap('kept')), kept);
    await scene.expectBystanderGoesOn();
    await world.apply(configMap('good', { round: 'by hand' }, { namespace: 'bystander' }));
    const isHealed = (object: unknown): boolean => at(object, 'data', 'round') !== 'by hand';
    await untilObject(world, configMapPath('bystander', 'good'), isHealed);
  }

  const commit = await subject.repository.commit({ ...good, 'base/kept.yaml': text(configMap('kept', { a: '2' })) });
  await subject.application.refresh();
  await subject.application.untilReady(commit);
  assert.equal(at(await subject.configMap('kept'), 'data', 'a'), '2');
});
