/**
 * `npm run bench -- render`: compares the time of a render with the real kustomize in one run. It measures whole
 * processes (the built command line) over an overlay of n Deployments, all cases of test/golden/render in one process,
 * and the second render of 1,000 files in the agent's child after a change of one line.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kustomizeBinary } from '../test/control-plane/binaries.ts';
import { measureIncremental } from './incremental.ts';
import { writeOverlay } from './overlay.ts';
import type { BenchOptions } from './bench-options.ts';

const SIZES = [100, 500, 1_000, 2_000, 4_000];
const ROUNDS = 5;
/** Kustomize is not measured above this size, since it would take minutes. */
const MAX_KUSTOMIZE_OBJECTS = 2_000;
/** From this size on kustomize runs once, since one run takes about 20 s. */
const ONE_ROUND_OBJECTS = 2_000;

const root = fileURLToPath(new URL('..', import.meta.url));

export interface RenderFigures {
  /** Medians of 5 runs in milliseconds. Kustomize ran `kustomizeRounds` times. */
  readonly sizes: readonly { objects: number; ms: number; kustomizeMs?: number; kustomizeRounds?: number }[];
  readonly incrementalMs: number;
  readonly batchMs: number;
  readonly batchKustomizeMs: number;
}

export async function run({ say, casesDir }: BenchOptions): Promise<RenderFigures> {
  execFileSync(process.execPath, [join(root, 'scripts/build.ts')]);
  const kustomize = await kustomizeBinary();
  const folder = mkdtempSync(join(tmpdir(), 'tautline-bench-render-'));
  try {
    const sizes = SIZES.map((objects) => {
      say(`${objects} Deployments`);
      return measureSize(kustomize, writeOverlay(join(folder, String(objects)), objects), objects);
    });
    say('a plain folder of 1,000 files after a change of one line');
    const incrementalMs = await measureIncremental(join(folder, 'incremental'));
    say('all cases');
    return { sizes, incrementalMs, ...measureBatch(kustomize, casesDir ?? join(root, 'test/golden/render')) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function measureSize(kustomize: string, folder: string, objects: number): RenderFigures['sizes'][number] {
  const ms = medianMs(ROUNDS, () => quietly(process.execPath, [join(root, 'dist/cli.js'), 'render', folder]));
  if (objects > MAX_KUSTOMIZE_OBJECTS) return { objects, ms };
  const kustomizeRounds = objects >= ONE_ROUND_OBJECTS ? 1 : ROUNDS;
  const kustomizeMs = medianMs(kustomizeRounds, () => quietly(kustomize, ['build', folder]));
  return { objects, ms, kustomizeMs, kustomizeRounds };
}

/** Compares one process that renders all cases, including its start, with one run of kustomize for each case. */
function measureBatch(kustomize: string, cases: string): Pick<RenderFigures, 'batchMs' | 'batchKustomizeMs'> {
  const folders = readdirSync(cases).flatMap((name) => foldersOf(join(cases, name)));
  const batch = fileURLToPath(new URL('render-batch.ts', import.meta.url));
  return {
    batchMs: medianMs(ROUNDS, () => quietly(process.execPath, [batch, ...folders])),
    batchKustomizeMs: medianMs(ROUNDS, () => folders.forEach((folder) => quietly(kustomize, ['build', folder]))),
  };
}

/** The folder of a case that is built: `input`, or the path below it in `case.json`. Failing cases have none. */
function foldersOf(folder: string): string[] {
  const description = join(folder, 'case.json');
  if (!existsSync(description)) return [join(folder, 'input')];
  if (!existsSync(join(folder, 'expected.yaml'))) return [];
  const { path } = JSON.parse(readFileSync(description, 'utf8')) as { path: string };
  return [join(folder, 'input', path)];
}

function quietly(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'ignore'] });
}

function medianMs(rounds: number, work: () => void): number {
  const times = Array.from({ length: rounds }, () => {
    const startMs = performance.now();
    work();
    return performance.now() - startMs;
  });
  return Math.round(times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0);
}
