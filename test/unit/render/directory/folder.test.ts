/** The files of a folder without a kustomization: recursion, patterns of Argo CD, ignore files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderPath, type GivenOptions } from '../../../../src/render/render.ts';
import type { Manifests } from '../../../../src/render/manifests.ts';
import { LIMITS, memoryTree } from '../memory-tree.ts';

function manifest(name: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;
}

const FILES: Readonly<Record<string, string>> = {
  'app/a.yaml': manifest('a'),
  'app/config.json': manifest('config'),
  'app/env-usw2/b.yaml': manifest('b'),
  'app/env-usw2/deep/c.yml': manifest('c'),
  'app/.github/workflow.yaml': 'on: push\n',
  'app/overlay/kustomization.yaml': 'namePrefix: x-\nresources: [d.yaml]\n',
  'app/overlay/d.yaml': manifest('d'),
  'app/overlay/unused.yaml': 'not: listed\n',
  'app/readme.md': '# Read me\n',
};

function render(
  directory: GivenOptions['directory'],
  files: Readonly<Record<string, string>> = {},
  rest: Partial<GivenOptions> = {},
): Manifests {
  return renderPath({
    tree: memoryTree({ ...FILES, ...files }),
    path: 'app',
    limits: LIMITS,
    options: { directory, ...rest },
  });
}

function namesOf({ manifests, problems }: Manifests): readonly string[] {
  assert.deepEqual(problems, []);
  return manifests.map(({ object }) => String(object.metadata['name']));
}

test('without recursion only the files of the folder itself are read', () => {
  assert.deepEqual(namesOf(render({})), ['a', 'config']);
});

test('with recursion the folders below are read in the order of their names, and kustomizations are built', () => {
  assert.deepEqual(namesOf(render({ recurse: true })), ['a', 'config', 'b', 'c', 'x-d']);
});

const ALL = ['a', 'config', 'b', 'c', 'x-d'];

/** Patterns as in the documentation of Argo CD, with the files that it reads. */
const PATTERNS: readonly (readonly [NonNullable<GivenOptions['directory']>, readonly string[]])[] = [
  [{ exclude: ['config.json'] }, ALL.filter((name) => name !== 'config')],
  [{ exclude: ['{config.json,env-usw2/*}'] }, ['a', 'x-d']],
  [{ exclude: ['env-usw2/*'] }, ['a', 'config', 'x-d']],
  [{ include: ['*.yaml'] }, ['a', 'b', 'x-d']],
  [{ include: ['{*.yml,*.yaml}'] }, ['a', 'b', 'c', 'x-d']],
  [{ include: ['*.yaml'], exclude: ['a.yaml'] }, ['b', 'x-d']],
  [{ include: ['env-usw2/*', 'a.*'] }, ['a', 'b', 'c']],
  [{ include: ['?.yaml'] }, ['a']],
  [{ include: ['[ab].yaml'] }, ['a']],
  [{ include: ['[!a]*'] }, ['config', 'b', 'c', 'x-d']],
  [{ include: ['[a-b].yaml'] }, ['a']],
  [{ include: ['**/b.yaml'] }, ['b']],
  [{ include: ['\\a.yaml'] }, ['a']],
  [{ include: ['{a,{con,x}fig}.{yaml,json}'] }, ['a', 'config']],
];

for (const [directory, expected] of PATTERNS) {
  test(`${JSON.stringify(directory)} reads ${expected.join(', ')}`, () => {
    assert.deepEqual(namesOf(render({ recurse: true, ...directory })), expected);
  });
}

for (const pattern of ['[a', '{a', '[a-zA]', 'a\\', '{a,{b}']) {
  test(`the malformed pattern ${pattern} is a problem`, () => {
    const { manifests, problems } = render({ exclude: [pattern] });
    assert.equal(manifests.length, 0);
    assert.equal(problems[0]?.code, 'Unsupported');
    assert.match(problems[0]?.message ?? '', /spec\.render\.directory\.exclude is malformed/);
  });
}

test('if the patterns leave out every manifest, the reason is told', () => {
  const { manifests, problems, whyEmpty } = render({ include: ['none'] });
  assert.deepEqual([manifests.length, problems.length], [0, 0]);
  assert.match(whyEmpty ?? '', /all 2 manifests .* in app are left out\n.*spec\.render\.directory/);
});

test('.sourceignore and .tautlineignore leave out files, the second one in the last place', () => {
  const files = { '.sourceignore': '*.yaml\n!b.yaml\n', 'app/.tautlineignore': '!a.yaml\nconfig.json\n' };
  assert.deepEqual(namesOf(render({ recurse: true }, files)), ['a', 'b', 'c', 'x-d']);
});

test('below a folder that an ignore file leaves out nothing is read', () => {
  const files = { '.sourceignore': 'env-usw2/\n!b.yaml\n' };
  assert.deepEqual(namesOf(render({ recurse: true }, files)), ['a', 'config', 'x-d']);
});

test('the usual ignore file of Flux for one folder keeps that folder', () => {
  assert.deepEqual(namesOf(render({}, { '.sourceignore': '/*\n!/app\n' })), ['a', 'config']);
});

test('an ignore file that leaves out the folder itself leaves nothing, with a reason', () => {
  const { manifests, whyEmpty } = render({}, { '.sourceignore': '/app\n' });
  assert.equal(manifests.length, 0);
  assert.match(whyEmpty ?? '', /\.sourceignore/);
});

test('the read-set covers ignore files that do not exist, and the folders below', () => {
  const { readSet } = render({ recurse: true });
  for (const path of ['.sourceignore', 'app/.tautlineignore', 'app/env-usw2/.sourceignore', 'app/overlay/d.yaml']) {
    assert.ok(path in readSet, path);
  }
});

test('with overrides the folder is a kustomization that lists the files', () => {
  const result = render({ recurse: true }, {}, { kustomize: { namePrefix: 'p-', namespace: 'n' } });
  assert.deepEqual(namesOf(result), ['p-a', 'p-b', 'p-c', 'p-config', 'p-x-d']);
  assert.ok(result.manifests.every(({ object }) => object.metadata['namespace'] === 'n'));
});

test('more folders than files are allowed exceed the bound', () => {
  const deep = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`app/f${index}/a.yaml`, manifest('x')]));
  const { problems } = renderPath({
    tree: memoryTree(deep),
    path: 'app',
    limits: { ...LIMITS, maxFiles: 20 },
    options: { directory: { recurse: true } },
  });
  assert.equal(problems[0]?.code, 'LimitExceeded');
});
