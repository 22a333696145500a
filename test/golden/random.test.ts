/**
 * Against the real kustomize: random stacks of kustomizations print the same to the letter, or fail in both. The seed is
 * fixed, so that a run says the same everywhere; TAUTLINE_RENDER_CASES asks for more of them, TAUTLINE_RENDER_SEED for
 * others. A difference that it finds becomes a case of test/golden/render.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { openLocalTree } from '../../src/cli/local-tree.ts';
import { writeYaml } from '../../src/object/yaml/write.ts';
import { renderObjects } from '../../src/render/render.ts';
import { kustomizeBinary } from '../control-plane/binaries.ts';
import { makeCase } from './random/case.ts';

const CASES = Number(process.env['TAUTLINE_RENDER_CASES'] ?? 500);
const FIRST_SEED = Number(process.env['TAUTLINE_RENDER_SEED'] ?? 1);
const LIMITS = { maxFileBytes: 1e9, maxNodes: 1e7, maxDepth: 1000, maxObjects: 1e6, maxFiles: 1e6 };

/** What at least so many of the cases that kustomize builds ask for; whether it finds something to change is open. */
const LEAST_USES = 20;
const USED = [
  ...['namespace', 'namePrefix', 'nameSuffix', 'labels', 'commonLabels', 'commonAnnotations', 'images', 'replicas'],
  ...['patches/merge', 'patches/json', 'patchesStrategicMerge', 'patchesJson6902', 'replacements', 'vars'],
  ...['configMapGenerator', 'secretGenerator', 'generatorOptions', 'generators', 'transformers', 'components'],
  ...['configurations', 'buildMetadata', 'sortOptions'],
];

let kustomize = '';
let folder = '';

before(async () => {
  kustomize = await kustomizeBinary();
  folder = mkdtempSync(join(tmpdir(), 'tautline-random-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly isBuilt: boolean;
  /** What differs; undefined if nothing does. */
  readonly difference: string | undefined;
  readonly uses: readonly string[];
}

test(`${CASES} random stacks of kustomizations come out as kustomize builds them`, async () => {
  const uses = new Map<string, number>();
  const differences: string[] = [];
  const seeds = Array.from({ length: CASES }, (_, index) => FIRST_SEED + index);
  const work = async (): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      const outcome = await compareCase(seed);
      if (outcome.difference !== undefined) differences.push(`seed ${seed}: ${outcome.difference}`);
      if (outcome.isBuilt) for (const use of outcome.uses) uses.set(use, (uses.get(use) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  assert.deepEqual(differences, []);
  if (CASES < 500) return;
  const seldom = USED.filter((use) => (uses.get(use) ?? 0) < LEAST_USES);
  assert.deepEqual(seldom, [], `used in fewer than ${LEAST_USES} cases; counts: ${JSON.stringify([...uses])}`);
});

async function compareCase(seed: number): Promise<Outcome> {
  const { files, uses } = makeCase(seed);
  const root = join(folder, String(seed));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const theirs = await build(join(root, 'top'));
  const { objects, problems } = renderObjects({ tree: openLocalTree(root), path: 'top', limits: LIMITS });
  const ours = objects.map(({ object }) => writeYaml(object)).join('---\n');
  rmSync(root, { recursive: true, force: true });
  return { isBuilt: theirs.isBuilt, uses, difference: differenceOf(theirs, ours, problems[0]?.message) };
}

interface Built {
  readonly isBuilt: boolean;
  readonly text: string;
}

function build(path: string): Promise<Built> {
  return new Promise((resolve) => {
    execFile(kustomize, ['build', path], { maxBuffer: 1e8 }, (error, stdout, stderr) => {
      resolve({ isBuilt: error === null, text: error === null ? stdout : stderr.trim() });
    });
  });
}

function differenceOf(theirs: Built, ours: string, problem: string | undefined): string | undefined {
  if (theirs.isBuilt !== (problem === undefined)) return `kustomize: ${theirs.text.slice(-300)}\nours: ${problem}`;
  if (!theirs.isBuilt || ours === theirs.text) return undefined;
  const [a, b] = [theirs.text.split('\n'), ours.split('\n')];
  const at = a.findIndex((line, index) => line !== b[index]);
  return `line ${at + 1}\nkustomize: ${a.slice(Math.max(0, at - 3), at + 3).join('\n')}\nours: ${b.slice(Math.max(0, at - 3), at + 3).join('\n')}`;
}
