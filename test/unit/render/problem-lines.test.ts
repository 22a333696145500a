/** A problem of a kustomization names the line of the entry that causes it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderPath } from '../../../src/render/render.ts';
import { LIMITS, memoryTree } from './memory-tree.ts';

const OTHER_FILES = {
  'app/cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\n',
  'app/none.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: none}\n',
  'app/crd.json': '{}',
  'app/config.yaml': 'namePrefix: []\n',
  'app/good.yaml': 'apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: good}\n',
  'app/made.yaml': 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: made}\n',
};

/** In each kustomization the third line, or the file that it names, is wrong. */
const WRONG_ENTRIES: readonly (readonly [string, string, RegExp])[] = [
  ['patchesStrategicMerge a missing file', '- cm.yaml\n- no.yaml', /no file no\.yaml/],
  ['patchesStrategicMerge a patch for a missing object', '- cm.yaml\n- none.yaml', /none/],
  ['patchesStrategicMerge an inline patch', '- cm.yaml\n- |\n  kind: ConfigMap\n  metadata: {}', /name/],
  [
    'patchesJson6902 no target',
    '- {target: {kind: Job, name: x}, patch: "- {op: remove, path: /a}"}\n- target: {kind: Job, name: x}',
    /path or patch/,
  ],
  [
    'replacements a missing source',
    '- {sourceValue: a, targets: [{select: {kind: Job}}]}\n- {source: {name: none}, targets: [{select: {kind: Job}}]}',
    /none/,
  ],
  ['replacements a missing file', '- {sourceValue: a, targets: [{select: {kind: Job}}]}\n- path: no.yaml', /no\.yaml/],
  ['crds a missing file', '- crd.json\n- no.json', /no\.json/],
  ['configurations a missing file', '- config.yaml\n- no.yaml', /no\.yaml/],
  ['generators a missing file', '- made.yaml\n- no.yaml', /no\.yaml/],
  ['generators a plugin', "- made.yaml\n- '{apiVersion: x/v1, kind: Y, metadata: {name: z}}'", /plugin/],
  ['transformers a missing file', '- good.yaml\n- no.yaml', /no\.yaml/],
  [
    'transformers an unknown kind',
    "- good.yaml\n- '{apiVersion: builtin, kind: Y, metadata: {name: z}}'",
    /transformer Y/,
  ],
  [
    'transformers a change that fails',
    '- good.yaml\n- \'{apiVersion: builtin, kind: PatchTransformer, metadata: {name: z}, target: {kind: ConfigMap}, patch: "[{op: remove, path: /no}]"}\'',
    /no/,
  ],
  ['validators a missing file', '- good.yaml\n- no.yaml', /no\.yaml/],
  [
    'vars a missing object',
    '- {name: A, objref: {apiVersion: v1, kind: ConfigMap, name: cm}}\n- {name: B, objref: {kind: X, name: why}}',
    /the var B/,
  ],
  ['components a file', '- ../component\n- cm.yaml', /component cm\.yaml/],
  ['resources a missing file', '- none.yaml\n- no.yaml', /no\.yaml/],
];

for (const [title, entries, message] of WRONG_ENTRIES) {
  const [field = ''] = title.split(' ');
  test(`a problem of ${field} names the line of its entry: ${title.slice(field.length + 1)}`, () => {
    const base = field === 'resources' ? '' : 'resources: [cm.yaml]\n';
    const kustomization = `${field}:\n${entries}\n${base}`;
    const { problems } = renderPath({
      tree: memoryTree({
        ...OTHER_FILES,
        'component/kustomization.yaml':
          'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: x-\n',
        'app/kustomization.yaml': kustomization,
      }),
      path: 'app',
      limits: LIMITS,
    });
    const [problem] = problems;
    assert.equal(problem?.file, 'app/kustomization.yaml', JSON.stringify(problems));
    assert.equal(problem?.line, 3, JSON.stringify(problems));
    assert.match(problem?.message ?? '', message);
  });
}

test('a generated object names the line of its generator', () => {
  const kustomization = [
    ...['namespace: x', '', 'configMapGenerator:', '- name: one', '  literals:', '  - a=b', '- {name: two}'],
    ...['secretGenerator: [{name: three}, {name: four}]', 'generatorOptions: {disableNameSuffixHash: true}', ''],
  ].join('\n');
  const { manifests, problems } = renderPath({
    tree: memoryTree({ 'app/kustomization.yaml': kustomization }),
    path: 'app',
    limits: LIMITS,
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    manifests.map(({ object, file, line }) => [object.metadata['name'], file, line]),
    [
      ['one', 'app/kustomization.yaml', 4],
      ['two', 'app/kustomization.yaml', 7],
      ['four', 'app/kustomization.yaml', 8],
      ['three', 'app/kustomization.yaml', 8],
    ],
  );
});
