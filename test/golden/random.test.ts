/**
 * Compares with the real kustomize: random stacks of kustomizations print the same text, or fail in both. The seed is
 * fixed, so that every run has the same cases; TAUTLINE_RENDER_CASES sets their number, TAUTLINE_RENDER_SEED the first
 * seed. A difference that this test finds becomes a case of test/golden/render.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeYaml } from '../../src/object/yaml/write.ts';
import { renderObjects } from '../../src/render/render.ts';
import { kustomizeBinary } from '../control-plane/binaries.ts';
import { memoryTree } from '../unit/render/memory-tree.ts';
import { makeCase, withoutUse, type RandomCase } from './random/case.ts';

const CASES = Number(process.env['TAUTLINE_RENDER_CASES'] ?? 640);
const FIRST_SEED = Number(process.env['TAUTLINE_RENDER_SEED'] ?? 1);
const LIMITS = { maxFileBytes: 1e9, maxNodes: 1e7, maxDepth: 1000, maxObjects: 1e6, maxFiles: 1e6 };

/** This many of every five seeds choose a case that kustomize is likely to build. The others take their first case. */
const LIKELY_OF_FIVE = 4;
/** Most cases that such a seed tries. */
const MAX_TRIES = 16;
const LEAST_BUILT_PERCENT = 75;

/** Each use in `EFFECTIVE_USES` must change the output of at least this many cases. */
const LEAST_EFFECTS = 20;
const EFFECTIVE_USES = [
  ...['Namespace', 'Prefix', 'Suffix', 'PrefixSuffix', 'Label', 'Annotations', 'ImageTag', 'ReplicaCount', 'ValueAdd'],
  ...['Hash', 'Patch', 'PatchStrategicMerge', 'PatchJson6902', 'Replacement'],
].map((kind) => `transformers/${kind}Transformer`);
EFFECTIVE_USES.push(...['ConfigMap', 'Secret', 'IAMPolicy'].map((kind) => `generators/${kind}Generator`));
EFFECTIVE_USES.push(
  ...['namespace', 'namePrefix', 'nameSuffix', 'labels', 'commonLabels', 'commonAnnotations', 'images', 'replicas'],
  ...['patches/merge', 'patches/json', 'patchesStrategicMerge', 'patchesJson6902', 'replacements', 'vars'],
  ...['configMapGenerator', 'secretGenerator', 'generatorOptions', 'components'],
  ...['configurations', 'buildMetadata', 'sortOptions'],
);

let kustomize = '';
let folder = '';

before(async () => {
  kustomize = await kustomizeBinary();
  folder = mkdtempSync(join(tmpdir(), 'tautline-random-'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly isBuilt: boolean;
  /** Description of the first difference; undefined if there is none. */
  readonly difference: string | undefined;
  /** Uses of the case that change its output. */
  readonly effects: readonly string[];
}

test(`${CASES} random stacks of kustomizations render as kustomize builds them`, async () => {
  const effects = new Map<string, number>();
  let built = 0;
  const differences: string[] = [];
  const seeds = Array.from({ length: CASES }, (_, index) => FIRST_SEED + index);
  const work = async (): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      const outcome = await compareCase(seed, (use) => (effects.get(use) ?? 0) < LEAST_EFFECTS);
      if (outcome.difference !== undefined) differences.push(`seed ${seed}: ${outcome.difference}`);
      if (outcome.isBuilt) built += 1;
      for (const effect of outcome.effects) effects.set(effect, (effects.get(effect) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  assert.deepEqual(differences, []);
  if (CASES < 500) return;
  assert.ok(built * 100 >= CASES * LEAST_BUILT_PERCENT, `only ${built} of ${CASES} cases are built`);
  const rareUses = EFFECTIVE_USES.filter((use) => (effects.get(use) ?? 0) < LEAST_EFFECTS);
  const counts = JSON.stringify([...effects]);
  assert.deepEqual(rareUses, [], `uses with an effect in fewer than ${LEAST_EFFECTS} cases; counts: ${counts}`);
});

/** `isOpen` tells whether a use still needs cases in which it has an effect. Each such check costs a render. */
async function compareCase(seed: number, isOpen: (use: string) => boolean): Promise<Outcome> {
  const { chosen: randomCase, refused } = chooseCase(seed);
  const { files, uses } = randomCase;
  const theirs = await build(seed, files);
  const { text, problem } = renderFiles(files);
  const difference = differenceOf(theirs, text, problem) ?? (refused && (await wrongRefusal(seed, refused)));
  const isEffective = (use: string): boolean => isOpen(use) && renderFiles(withoutUse(randomCase, use)).text !== text;
  return { isBuilt: theirs.isBuilt, difference, effects: theirs.isBuilt ? uses.filter(isEffective) : [] };
}

interface Choice {
  readonly chosen: RandomCase;
  /** The first case that our renderer refused, if any; kustomize must refuse it too. */
  readonly refused: RandomCase | undefined;
}

/** For most seeds, chooses the first case that our renderer accepts. If that is wrong, kustomize refuses the case. */
function chooseCase(seed: number): Choice {
  const mayFail = seed % 5 >= LIKELY_OF_FIVE;
  let chosen = makeCase(seed);
  let refused: RandomCase | undefined;
  for (let tries = 1; tries < MAX_TRIES && !mayFail && renderFiles(chosen.files).problem !== undefined; tries += 1) {
    refused ??= chosen;
    chosen = makeCase(seed + tries * 1_000_003);
  }
  return { chosen, refused };
}

async function wrongRefusal(seed: number, { files }: RandomCase): Promise<string | undefined> {
  return differenceOf(await build(seed, files), '', renderFiles(files).problem);
}

function renderFiles(files: Readonly<Record<string, string>>): { text: string; problem: string | undefined } {
  const { objects, problems } = renderObjects({ tree: memoryTree(files), path: 'top', limits: LIMITS });
  return { text: objects.map(({ object }) => writeYaml(object)).join('---\n'), problem: problems[0]?.message };
}

interface Built {
  readonly isBuilt: boolean;
  readonly text: string;
}

async function build(seed: number, files: RandomCase['files']): Promise<Built> {
  const root = join(folder, String(seed));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const built = await new Promise<Built>((resolve) => {
    execFile(kustomize, ['build', join(root, 'top')], { maxBuffer: 1e8 }, (error, stdout, stderr) => {
      resolve({ isBuilt: error === null, text: error === null ? stdout : stderr.trim() });
    });
  });
  rmSync(root, { recursive: true, force: true });
  return built;
}

function differenceOf(theirs: Built, ours: string, problem: string | undefined): string | undefined {
  if (theirs.isBuilt !== (problem === undefined)) return `kustomize: ${theirs.text.slice(-300)}\nours: ${problem}`;
  if (!theirs.isBuilt || ours === theirs.text) return undefined;
  const [a, b] = [theirs.text.split('\n'), ours.split('\n')];
  const at = a.findIndex((line, index) => line !== b[index]);
  return `line ${at + 1}\nkustomize: ${a.slice(Math.max(0, at - 3), at + 3).join('\n')}\nours: ${b.slice(Math.max(0, at - 3), at + 3).join('\n')}`;
}
