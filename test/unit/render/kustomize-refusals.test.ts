/** Inputs that the real kustomize refuses, and that must not render. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderObjects } from '../../../src/render/render.ts';
import { LIMITS, memoryTree } from './memory-tree.ts';

type Files = Readonly<Record<string, string>>;

const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n';

const REFUSED: readonly (readonly [string, Files, RegExp])[] = [
  [
    'a patch that takes the kind away',
    {
      'kustomization.yaml':
        'resources: [a.yaml]\npatches: [{target: {name: a}, patch: "- {op: remove, path: /kind}"}]\n',
    },
    /no kind after the patches/,
  ],
  [
    'a patch that empties the name',
    {
      'kustomization.yaml':
        'resources: [a.yaml]\npatches: [{target: {name: a}, patch: "- {op: replace, path: /metadata/name, value: \'\'}"}]\n',
    },
    /no metadata\.name after the patches/,
  ],
  [
    'a replacement of the whole metadata',
    {
      'kustomization.yaml':
        'resources: [a.yaml]\nreplacements: [{sourceValue: x, targets: [{select: {name: a}, fieldPaths: [metadata]}]}]\n',
    },
    /no metadata\.name/,
  ],
  [
    'a replacement without targets',
    { 'kustomization.yaml': 'resources: [a.yaml]\nreplacements: [{sourceValue: x, targets: []}]\n' },
    /at least one target/,
  ],
  [
    'a replacement of a null',
    {
      'kustomization.yaml':
        'resources: [a.yaml]\nreplacements: [{sourceValue: x, targets: [{select: {name: a}, fieldPaths: [data.k]}]}]\n',
      'a.yaml': MAP.replace('k: v', 'k: null'),
    },
    /puts a text into a field where null is/,
  ],
  [
    'a component that makes two objects of one name',
    {
      'kustomization.yaml': 'resources: [a.yaml, b.yaml]\ncomponents: [c]\n',
      'b.yaml': MAP.replace('name: a', 'name: b'),
      'c/kustomization.yaml':
        'kind: Component\nreplacements: [{sourceValue: z, targets: [{select: {kind: ConfigMap}}]}]\n',
    },
    /occurs twice/,
  ],
  [
    'a generated key that reads as a boolean',
    { 'kustomization.yaml': 'configMapGenerator: [{name: g, literals: ["true=x"]}]\n' },
    /the key true/,
  ],
  [
    'a generated label that reads as a number',
    { 'kustomization.yaml': 'configMapGenerator: [{name: g, literals: [a=b], options: {labels: {"1": x}}}]\n' },
    /the key 1/,
  ],
  [
    'a merge into data with a key that reads as a number',
    {
      'kustomization.yaml': 'resources: [a.yaml]\nconfigMapGenerator: [{name: a, behavior: merge, literals: [b=c]}]\n',
      'a.yaml': MAP.replace('k: v', '"12": v'),
    },
    /the key 12/,
  ],
  [
    'a CustomResourceDefinition under crds',
    { 'kustomization.yaml': 'resources: [a.yaml]\ncrds: [crd.yaml]\n', 'crd.yaml': 'apiVersion: v1\nspec: {}\n' },
    /"apiVersion" is none/,
  ],
  [
    'an unknown field in the metadata of a kustomization',
    { 'kustomization.yaml': 'resources: [a.yaml]\nmetadata: {name: a, uid: b}\n' },
    /"metadata\.uid" is unknown/,
  ],
  [
    'a configured path with a wildcard',
    {
      'kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: p-\nconfigurations: [c.yaml]\n',
      'c.yaml': 'namePrefix: [{path: data/*}]\n',
    },
    /has "\*" where/,
  ],
  [
    'a number in an embedded field of a configuration',
    {
      'kustomization.yaml': 'generators: [g.yaml]\n',
      'g.yaml': 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\nbehavior: 1\nliterals: [a=b]\n',
    },
    /behavior must be a string/,
  ],
];

for (const [name, files, message] of REFUSED) {
  test(`${name} is refused, as by kustomize`, () => {
    const tree = memoryTree({ 'a.yaml': MAP, ...files });
    const { objects, problems } = renderObjects({ tree, path: '', limits: LIMITS });
    assert.deepEqual(objects, []);
    assert.match(problems[0]?.message ?? '', message);
  });
}
