/** Addresses of remote bases, and builds that name them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needOf, parseRemoteBase } from '../../../src/render/kustomize/remote-base.ts';
import { renderPath } from '../../../src/render/render.ts';
import { LIMITS, memoryTree } from './memory-tree.ts';

/** Address: repository, folder and revision as `kustomize build` v5.8.2 takes them. */
const ADDRESSES: readonly (readonly [string, string, string, string])[] = [
  ['https://github.com/org/repo//deploy/base?ref=v1', 'https://github.com/org/repo', 'deploy/base', 'v1'],
  ['https://github.com/org/repo/deploy/base?ref=v1', 'https://github.com/org/repo', 'deploy/base', 'v1'],
  ['github.com/org/repo/deploy?ref=v1', 'https://github.com/org/repo', 'deploy', 'v1'],
  ['github.com/org/repo', 'https://github.com/org/repo', '', ''],
  ['git::https://git.example.com/a/b/c.git//x?ref=main', 'https://git.example.com/a/b/c.git', 'x', 'main'],
  ['https://git.example.com/a/b/c.git/x/y?version=2', 'https://git.example.com/a/b/c.git', 'x/y', '2'],
  ['git@github.com:org/repo.git//deploy?ref=v2', 'git@github.com:org/repo.git', 'deploy', 'v2'],
  ['git@github.com:org/repo?ref=v2', 'git@github.com:org/repo', '', 'v2'],
  ['ssh://git@git.example.com:2222/org/repo.git?ref=v2', 'ssh://git@git.example.com:2222/org/repo.git', '', 'v2'],
  [
    'https://dev.azure.com/org/project/_git/repo/deploy?ref=v1',
    'https://dev.azure.com/org/project/_git/repo',
    'deploy',
    'v1',
  ],
  ['https://github.com/org/repo//deploy?timeout=90s&ref=v1', 'https://github.com/org/repo', 'deploy', 'v1'],
];
for (const [address, repoURL, path, revision] of ADDRESSES) {
  test(`the address ${address} names a repository, a folder and a revision`, () => {
    assert.deepEqual(parseRemoteBase(address), { repoURL, path, revision });
  });
}

test('an address without a repository is none', () => {
  for (const text of ['https://github.com', 'https://github.com/org', 'https:///x', '../base', 'base?ref=v1']) {
    assert.equal(parseRemoteBase(text), undefined, text);
  }
});

const ADDRESS = 'https://bases.example.com/org/repo//web?ref=v1';
const NEED = needOf({ repoURL: 'https://bases.example.com/org/repo', path: 'web', revision: 'v1' });
const OVERLAY = `resources: [${ADDRESS}]\nnamePrefix: a-\n`;
const BASE = memoryTree({
  'web/kustomization.yaml': 'resources: [../shared, web.yaml]',
  'web/web.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n',
  'shared/kustomization.yaml': 'resources: [shared.yaml]',
  'shared/shared.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\n',
});

test('a remote base is asked for, and rendered as a folder once its tree is there', () => {
  const tree = memoryTree({ 'kustomization.yaml': OVERLAY });
  const first = renderPath({ tree, path: '', limits: LIMITS });
  assert.deepEqual([first.manifests, first.problems], [[], []]);
  assert.deepEqual(first.needs, [NEED]);
  const trees = new Map([[NEED.key, { tree: BASE, path: '' }]]);
  const answers = new Map([[NEED.key, { type: 'tree' } as const]]);
  const second = renderPath({ tree, path: '', limits: LIMITS, trees, answers });
  assert.deepEqual(second.problems, []);
  assert.deepEqual(
    second.manifests.map(({ object }) => object.metadata['name']),
    ['a-shared', 'a-web'],
  );
  assert.deepEqual(second.answersUsed, [NEED.key]);
});

test('all remote bases of a kustomization are asked for in one round', () => {
  const tree = memoryTree({
    'kustomization.yaml': `resources: [${ADDRESS}]\ncomponents: ["github.com/org/parts?ref=v1"]\n`,
  });
  assert.equal(renderPath({ tree, path: '', limits: LIMITS }).needs.length, 2);
});

test('a base that may not be brought is a problem at the line that names it', () => {
  const tree = memoryTree({ 'kustomization.yaml': `namePrefix: a-\nresources:\n- ${ADDRESS}\n` });
  const problem = { code: 'Unsupported', message: 'its host is not allowed' } as const;
  const answers = new Map([[NEED.key, { type: 'refused', problem } as const]]);
  const [found] = renderPath({ tree, path: '', limits: LIMITS, answers }).problems;
  assert.deepEqual([found?.code, found?.file, found?.line], ['Unsupported', 'kustomization.yaml', 3]);
});

test('remote bases that name each other are a cycle, not an endless render', () => {
  const tree = memoryTree({ 'kustomization.yaml': OVERLAY });
  const circle = memoryTree({ 'web/kustomization.yaml': `resources: ["${ADDRESS}"]\n` });
  const trees = new Map([[NEED.key, { tree: circle, path: '' }]]);
  const answers = new Map([[NEED.key, { type: 'tree' } as const]]);
  const { problems } = renderPath({ tree, path: '', limits: LIMITS, trees, answers });
  assert.match(problems[0]?.message ?? '', /a cycle/);
});

test('a folder that the other repository lacks is a problem that names both', () => {
  const tree = memoryTree({ 'kustomization.yaml': `resources: ["${ADDRESS.replace('web', 'none')}"]\n` });
  const trees = new Map([[NEED.key, { tree: BASE, path: '' }]]);
  const answers = new Map([[NEED.key, { type: 'tree' } as const]]);
  const { problems } = renderPath({ tree, path: '', limits: LIMITS, trees, answers });
  assert.match(problems[0]?.message ?? '', /no folder none in https:\/\/bases.example.com\/org\/repo at v1/);
});
