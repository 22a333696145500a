/** The rounds of a render and the answers to its needs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Manifests } from '../../../src/render/manifests.ts';
import type { Need } from '../../../src/render/needs.ts';
import { MAX_ROUNDS, renderWithAnswers } from '../../../src/render/rounds.ts';

const EMPTY: Manifests = { manifests: [], problems: [], warnings: [], needs: [], readSet: {} };
const dataNeed = (name: string): Need => ({ type: 'data', key: name, kind: 'ConfigMap', name });

test('a render without needs is made once and brings nothing', async () => {
  let renders = 0;
  const rendered = await renderWithAnswers<string>({
    known: new Map(),
    render: () => {
      renders++;
      return EMPTY;
    },
    bring: () => Promise.reject(new Error('nothing is asked for')),
  });
  assert.equal(renders, 1);
  assert.equal(rendered.manifests, EMPTY);
});

test('each round brings all that the last one asked for, and the next one has every answer', async () => {
  const asked: string[][] = [];
  const rendered = await renderWithAnswers<string>({
    known: new Map([['a', 'known']]),
    render: (answers) => {
      asked.push([...answers.keys()]);
      const missing = ['a', 'b', 'c'].filter((key) => !answers.has(key));
      const next = missing.length > 0 ? missing : answers.has('d') ? [] : ['d'];
      return { ...EMPTY, needs: next.map(dataNeed) };
    },
    bring: (need) => Promise.resolve(`answer to ${need.key}`),
  });
  assert.deepEqual(asked, [['a'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd']]);
  assert.equal(rendered.answers.get('a'), 'known');
  assert.equal(rendered.answers.get('d'), 'answer to d');
});

test('a render that never stops asking becomes a problem that names what it asks for', async () => {
  let brought = 0;
  const { manifests } = await renderWithAnswers<string>({
    known: new Map(),
    render: ({ size }) => ({ ...EMPTY, needs: [dataNeed(`settings-${size}`)] }),
    bring: () => Promise.resolve(`${brought++}`),
  });
  assert.equal(brought, MAX_ROUNDS);
  assert.equal(manifests.problems.length, 1);
  assert.match(manifests.problems[0]?.message ?? '', /still asks for the ConfigMap settings-4/);
});
