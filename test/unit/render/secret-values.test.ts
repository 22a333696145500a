/** A value that stands in the wrong place of a generator of Secrets is in no problem. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '../../../src/object/problem.ts';
import { renderPath } from '../../../src/render/render.ts';
import { LIMITS, memoryTree } from './memory-tree.ts';

const CANARY = 'Hunter2-geheim';

/** Fields of an entry of secretGenerator, each with the canary where no value belongs. */
const MISPLACED = [
  `files: [password=${CANARY}]`,
  `files: [${CANARY}]`,
  `files: [password=${CANARY}=x]`,
  `files: ['=${CANARY}']`,
  `files: ['${CANARY}=']`,
  `files: [password=/${CANARY}]`,
  `files: [password=../../../${CANARY}]`,
  `files: ['password=https://example.com/${CANARY}']`,
  `envs: [${CANARY}]`,
  `env: ${CANARY}`,
  `envs: [twice.env]`,
  `literals: [${CANARY}]`,
  `literals: {password: ${CANARY}}`,
  `files: {password: ${CANARY}}`,
];

for (const fields of MISPLACED) {
  test(`a problem of a Secret with ${fields.replaceAll(CANARY, '…')} does not show the value`, () => {
    const { problems } = renderPath({
      tree: memoryTree({
        'app/kustomization.yaml': `secretGenerator:\n- name: db\n  ${fields}\n`,
        'app/twice.env': `${CANARY}\n${CANARY}\n`,
      }),
      path: 'app',
      limits: LIMITS,
    });
    assert.ok(problems.length > 0);
    for (const problem of problems) {
      assert.doesNotMatch(JSON.stringify(problem), /Hunter2/);
      assert.doesNotMatch(formatProblem(problem), /Hunter2/);
    }
  });
}

test('the problem names the generator and the key', () => {
  const { problems } = renderPath({
    tree: memoryTree({ 'app/kustomization.yaml': `secretGenerator: [{name: db, files: [password=${CANARY}]}]\n` }),
    path: 'app',
    limits: LIMITS,
  });
  assert.match(problems[0]?.message ?? '', /the file of the key password of the generator of db cannot be read/);
});
