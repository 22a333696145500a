/** Every case in test/golden/render must print exactly what the real kustomize printed for it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLocalTree } from '../../../src/cli/local-tree.ts';
import { writeYaml } from '../../../src/object/yaml/write.ts';
import { renderObjects, renderPath } from '../../../src/render/render.ts';
import { LIMITS } from './memory-tree.ts';

const cases = join(import.meta.dirname, '../../golden/render');

for (const name of readdirSync(cases)) {
  test(`the output for the case ${name} is that of kustomize`, () => {
    const { objects, problems } = renderObjects({
      tree: openLocalTree(join(cases, name)),
      path: 'input',
      limits: LIMITS,
    });
    assert.deepEqual(problems, []);
    const printed = objects.map(({ object }) => writeYaml(object)).join('---\n');
    assert.equal(printed, readFileSync(join(cases, name, 'expected.yaml'), 'utf8'));
  });
}

test('rendering the same input twice gives the same digests', () => {
  const tree = openLocalTree(join(cases, 'overlays'));
  const digests = () => renderPath({ tree, path: 'input', limits: LIMITS }).manifests.map(({ digest }) => digest);
  assert.deepEqual(digests(), digests());
});
