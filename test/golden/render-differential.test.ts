/**
 * Compares with the real kustomize: the committed expectations equal its output, and random scalars, patches and
 * overlays render to the same text. The seed is fixed.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { openLocalTree } from '../../src/cli/local-tree.ts';
import { writeYaml } from '../../src/object/yaml/write.ts';
import { renderObjects } from '../../src/render/render.ts';
import { kustomizeBinary } from '../control-plane/binaries.ts';

const CASES = join(import.meta.dirname, 'render');
const LIMITS = { maxFileBytes: 1e9, maxNodes: 1e7, maxDepth: 1000, maxObjects: 1e6, maxFiles: 1e6 };

let kustomize = '';
let folder = '';

before(async () => {
  kustomize = await kustomizeBinary();
  folder = mkdtempSync(join(tmpdir(), 'tautline-differential-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string>>): void {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** Asserts that both print the same text, or that both fail. */
function compare(files: Readonly<Record<string, string>>): void {
  write(files);
  const theirs = spawnSync(kustomize, ['build', folder], { encoding: 'utf8' });
  const { objects, problems } = renderObjects({ tree: openLocalTree(folder), path: '', limits: LIMITS });
  const ours = objects.map(({ object }) => writeYaml(object)).join('---\n');
  const context = `${JSON.stringify(files, undefined, 1)}\n${theirs.stderr}\n${JSON.stringify(problems)}`;
  assert.equal(problems.length > 0, theirs.status !== 0, context);
  if (theirs.status === 0) assert.equal(ours, theirs.stdout, context);
}

for (const name of readdirSync(CASES)) {
  test(`the expected output of the case ${name} equals the output of kustomize`, () => {
    const printed = execFileSync(kustomize, ['build', join(CASES, name, 'input')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    assert.equal(readFileSync(join(CASES, name, 'expected.yaml'), 'utf8'), printed);
  });
}

const SEED = { seed: 20260, numRuns: 8 };

test('random plain and quoted scalars are read and printed as by kustomize', () => {
  const plain = fc
    .string({ unit: fc.constantFrom(...'0123456789.eE+-_xobaf:TZ'), minLength: 1, maxLength: 9 })
    .filter((text) => !/^[-:?]$|:$|^:|inf|nan|[eE][+]?\d{3}/i.test(text));
  const quoted = fc.string({
    unit: fc.constantFrom(
      'a',
      'b',
      '1',
      '0',
      ' ',
      '\n',
      ':',
      '-',
      '#',
      "'",
      '"',
      '\\',
      '{',
      'é',
      '🎉',
      '\t',
      '.',
      '%',
      '@',
      '/',
    ),
    maxLength: 30,
    size: 'max',
  });
  fc.assert(
    fc.property(
      fc.array(plain, { minLength: 80, maxLength: 80 }),
      fc.array(quoted, { minLength: 80, maxLength: 80 }),
      (a, b) => {
        const lines = [
          ...a.map((text, i) => `  p${i}: ${text}`),
          ...b.map((text, i) => `  q${i}: ${JSON.stringify(text)}`),
        ];
        const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nvalues:\n${lines.join('\n')}\n`;
        compare({ 'kustomization.yaml': 'resources: [r.yaml]\n', 'r.yaml': text });
      },
    ),
    SEED,
  );
});

const port = fc.record(
  {
    containerPort: fc.constantFrom(80, 81, 82),
    protocol: fc.constantFrom('TCP', 'UDP'),
    name: fc.constantFrom('x', 'y'),
  },
  { requiredKeys: [] },
);
const container = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'c'),
    image: fc.constantFrom('x:1', 'y', null),
    ports: fc.option(fc.array(port, { maxLength: 3 })),
    env: fc.array(
      fc.record({ name: fc.constantFrom('E', 'F'), value: fc.constantFrom('1', null) }, { requiredKeys: ['name'] }),
      { maxLength: 3 },
    ),
    args: fc.option(fc.array(fc.constantFrom('p', 'q'), { maxLength: 2 })),
    $patch: fc.constantFrom('delete', 'merge'),
  },
  { requiredKeys: ['name'] },
);
const pod = (isPatch: boolean) =>
  fc.record(
    {
      containers: fc.array(
        container.map(({ $patch, ...rest }) => (isPatch && $patch !== undefined ? { ...rest, $patch } : rest)),
        { maxLength: 3 },
      ),
      volumes: fc.array(
        fc.record({ name: fc.constantFrom('v', 'w'), emptyDir: fc.constantFrom({}, null) }, { requiredKeys: ['name'] }),
        { maxLength: 2 },
      ),
      nodeSelector: fc.option(fc.dictionary(fc.constantFrom('k', 'l'), fc.constantFrom('1', null))),
      tolerations: fc.option(fc.array(fc.record({ key: fc.constantFrom('t', 'u') }), { maxLength: 2 })),
    },
    { requiredKeys: [] },
  );

function deployment(spec: unknown, replicas: number | null): string {
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    spec: { replicas, template: { spec } },
  });
}

test('random strategic merge patches give the same result as in kustomize', () => {
  fc.assert(
    fc.property(pod(false), pod(true), fc.constantFrom(1, 2, null), (base, patch, replicas) => {
      compare({
        'kustomization.yaml': 'resources: [d.yaml]\npatches: [{path: p.yaml}]\n',
        'd.yaml': deployment(base, 1),
        'p.yaml': deployment(patch, replicas),
      });
    }),
    { ...SEED, numRuns: 120 },
  );
});

test('references follow random stacks of prefixes, suffixes and namespaces as in kustomize', () => {
  const layer = fc.record(
    {
      namePrefix: fc.constantFrom('a-', 'b-'),
      nameSuffix: fc.constantFrom('-a', '-b'),
      namespace: fc.constantFrom('one', 'two'),
    },
    { requiredKeys: [] },
  );
  const workload = `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "envFrom": [{"configMapRef": {"name": "cm"}}]}]}}`;
  fc.assert(
    fc.property(layer, layer, layer, layer, (base, left, right, top) => {
      compare({
        'kustomization.yaml': JSON.stringify({ resources: ['left', 'right'], ...top }),
        'left/kustomization.yaml': JSON.stringify({ resources: ['../base'], ...left }),
        'right/kustomization.yaml': JSON.stringify({ resources: ['../base'], ...right }),
        'base/kustomization.yaml': JSON.stringify({
          resources: ['p.json'],
          configMapGenerator: [{ name: 'cm', literals: ['a=b'] }],
          ...base,
        }),
        'base/p.json': workload,
      });
    }),
    { ...SEED, numRuns: 80 },
  );
});
