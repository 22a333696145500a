/**
 * Compares overrides with `kustomize edit`, which Argo CD runs: random overrides of random stacks of kustomizations give
 * the same objects as the edited file, or fail in both. The seed is fixed; TAUTLINE_OVERRIDE_CASES sets the number of
 * cases.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeYaml } from '../../src/object/yaml/write.ts';
import type { Overrides } from '../../src/render/kustomize/overrides.ts';
import { renderObjects } from '../../src/render/render.ts';
import { kustomizeBinary } from '../control-plane/binaries.ts';
import { newChance, type Chance } from '../support/chance.ts';
import { memoryTree } from '../unit/render/memory-tree.ts';
import { makeCase } from './random/case.ts';
import { IMAGES, NAMES } from './random/objects.ts';

const CASES = Number(process.env['TAUTLINE_OVERRIDE_CASES'] ?? 60);
const LIMITS = { maxFileBytes: 1e9, maxNodes: 1e7, maxDepth: 1000, maxObjects: 1e6, maxFiles: 1e6 };

let kustomize = '';
let folder = '';

before(async () => {
  kustomize = await kustomizeBinary();
  folder = mkdtempSync(join(tmpdir(), 'tautline-overrides-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

const COMPONENT = {
  'extra/kustomization.yaml': JSON.stringify({
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    namePrefix: 'c-',
    commonAnnotations: { extra: 'yes' },
    resources: ['added.yaml'],
  }),
  'extra/added.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: added}\n',
};

function makeOverrides(chance: Chance): Overrides {
  const may = <T>(value: () => T): T | undefined => (chance.may(0.35) ? value() : undefined);
  return {
    namespace: may(() => chance.pick(['one', 'other'])),
    namePrefix: may(() => chance.pick(['o-', 'p-'])),
    nameSuffix: may(() => '-s'),
    annotations: may(() => ({ note: 'overridden', team: chance.pick(NAMES) })),
    images: may(() => [
      { name: chance.pick(IMAGES).replace(/(?<!\d)[:@].*/, ''), newName: 'example.com/new', newTag: 'v9' },
    ]),
    replicas: chance.may(0.1) ? [{ name: chance.pick(NAMES), count: chance.int(9) }] : undefined,
    patches: may(() => [
      {
        target: { kind: chance.pick(['Deployment', 'ConfigMap', 'Service']) },
        patch: chance.pick([
          '- {op: add, path: /metadata/labels, value: {patched: "yes"}}',
          'apiVersion: v1\nkind: Any\nmetadata: {name: any, annotations: {patched: "1"}}',
        ]),
      },
    ]),
    components: may(() => ['../extra']),
  };
}

/** The commands that Argo CD runs for these overrides. */
function editCommands(given: Overrides): readonly (readonly string[])[] {
  const { namespace, namePrefix, nameSuffix, annotations = {}, images = [], replicas = [] } = given;
  return [
    ...(namespace === undefined ? [] : [['set', 'namespace', namespace]]),
    ...(namePrefix === undefined ? [] : [['set', 'nameprefix', '--', namePrefix]]),
    ...(nameSuffix === undefined ? [] : [['set', 'namesuffix', '--', nameSuffix]]),
    ...Object.entries(annotations).map(([key, value]) => ['add', 'annotation', '--force', `${key}:${value}`]),
    ...images.map(({ name, newName, newTag }) => ['set', 'image', `${name}=${newName}:${newTag}`]),
    ...replicas.map(({ name, count }) => ['set', 'replicas', `${name}=${count}`]),
    ...(given.patches ?? []).map(({ patch, target }) => ['add', 'patch', '--patch', patch, '--kind', target?.kind ?? '']),
    ...(given.components ?? []).map((path) => ['add', 'component', path]),
  ];
}

/** undefined: kustomize refuses the case. */
function editAndBuild(files: Readonly<Record<string, string>>, overrides: Overrides): string | undefined {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  for (const command of editCommands(overrides)) {
    const { status, stderr } = spawnSync(kustomize, ['edit', ...command], { cwd: join(folder, 'top'), encoding: 'utf8' });
    if (status !== 0) throw new Error(`kustomize edit ${command.join(' ')}: ${stderr}`);
  }
  const built = spawnSync(kustomize, ['build', join(folder, 'top')], { encoding: 'utf8', maxBuffer: 1e8 });
  return built.status === 0 ? built.stdout : undefined;
}

function override(files: Readonly<Record<string, string>>, overrides: Overrides): string | undefined {
  const { objects, problems } = renderObjects({
    tree: memoryTree(files),
    path: 'top',
    limits: LIMITS,
    options: { kustomize: overrides },
  });
  return problems.length > 0 ? undefined : objects.map(({ object }) => writeYaml(object)).join('---\n');
}

test(`${CASES} random overrides give the same objects as the edited kustomization`, () => {
  const chance = newChance(7);
  const differences: string[] = [];
  let built = 0;
  for (let seed = 1, cases = 0; cases < CASES; seed += 1) {
    const files = { ...makeCase(seed).files, ...COMPONENT };
    // A stack that is refused without overrides tells nothing about them.
    if (override(files, {}) === undefined) continue;
    cases += 1;
    const overrides = makeOverrides(chance);
    const theirs = editAndBuild(files, overrides);
    const ours = override(files, overrides);
    if (theirs !== undefined) built += 1;
    if (ours !== theirs) differences.push(`seed ${seed}: ${JSON.stringify(overrides)}\n${theirs}\nours:\n${ours}`);
  }
  assert.deepEqual(differences.slice(0, 3), []);
  assert.ok(built > CASES / 4, `only ${built} cases are built`);
});
