/**
 * The files that one run of helm reads: the chart with its dependencies in `chart/`, and files with values as
 * `values/<index>.yaml`, where the index is that in `HelmRun.values`.
 *
 * Invariants: the result holds regular files alone. Links are resolved inside their tree, because helm follows links
 * out of the chart, and a link that leaves the tree is a problem. Count, bytes and depth are bounded.
 */
import { fail, problemOf } from '../fail.ts';
import { refusePointer } from '../file-loader.ts';
import type { FileTree } from '../file-tree.ts';
import { isLfsPointer } from '../lfs/lfs-pointer.ts';
import type { Answer, HelmRun, TreePlace } from '../needs.ts';

export interface ChartFile {
  /** Relative path with `/`, without `.`, `..` and empty parts. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface ChartFilesLimits {
  readonly maxFiles: number;
  /** Size of one file. */
  readonly maxFileBytes: number;
  /** Size of all files together. */
  readonly maxChartBytes: number;
}

export type CollectedFiles =
  | { readonly ok: true; readonly files: readonly ChartFile[] }
  /** The message names the file. */
  | { readonly ok: false; readonly problem: Extract<Answer, { readonly type: 'refused' }>['problem'] };

/** Folders within folders, after links. A link to a folder above it would otherwise never end. */
const MAX_DEPTH = 40;

interface Collected {
  readonly files: ChartFile[];
  readonly limits: ChartFilesLimits;
  sizeBytes: number;
}

type ChartRun = Pick<HelmRun, 'chart' | 'dependencies' | 'values'>;

/** The problem is PathNotFound, PathEscapesRoot or LimitExceeded. */
export function collectChartFiles(
  trees: ReadonlyMap<string, FileTree>,
  run: ChartRun,
  limits: ChartFilesLimits,
): CollectedFiles {
  try {
    return { ok: true, files: filesOf(trees, run, limits) };
  } catch (error) {
    const { file: _file, line: _line, ...problem } = problemOf(error);
    return { ok: false, problem };
  }
}

function filesOf(trees: ReadonlyMap<string, FileTree>, run: ChartRun, limits: ChartFilesLimits): readonly ChartFile[] {
  const collected: Collected = { files: [], limits, sizeBytes: 0 };
  addFolder(collected, treeOf(trees, run.chart), { from: run.chart.path, to: 'chart', depth: 0 });
  for (const { name, place } of run.dependencies) {
    addFolder(collected, treeOf(trees, place), { from: place.path, to: `chart/charts/${name}`, depth: 0 });
  }
  for (const [index, values] of run.values.entries()) {
    if (values.type === 'text') continue;
    addFile(collected, treeOf(trees, values.place), { from: values.place.path, to: valuesPath(index) });
  }
  return collected.files;
}

/** The path of the file with values at an index of `HelmRun.values`. */
export function valuesPath(index: number): string {
  return `values/${index}.yaml`;
}

function treeOf(trees: ReadonlyMap<string, FileTree>, place: TreePlace): FileTree {
  const tree = trees.get(place.tree);
  if (tree === undefined) throw new Error(`the tree ${place.tree} is not open`);
  return tree;
}

interface Copy {
  readonly from: string;
  readonly to: string;
}

function addFolder(collected: Collected, tree: FileTree, { from, to, depth }: Copy & { readonly depth: number }): void {
  if (depth > MAX_DEPTH) {
    fail('LimitExceeded', `the chart has folders more than ${MAX_DEPTH} levels deep at ${from}; check its links`);
  }
  for (const { name, type } of tree.list(from)) {
    // A submodule is an empty folder, as in a clone without submodules.
    if (type === 'submodule') continue;
    const path = from === '' ? name : `${from}/${name}`;
    const found = tree.find(path);
    if (found.type === 'outside') {
      fail('PathEscapesRoot', `${path} is a link that leaves the repository; a chart must not contain one`, {
        hint: 'Replace the link by a file, or remove it.',
      });
    }
    if (found.type === 'absent') {
      fail('PathNotFound', `${path} is a link to a file that does not exist`, { hint: 'Remove the link.' });
    }
    const copy = { from: path, to: `${to}/${name}` };
    if (found.type === 'folder') addFolder(collected, tree, { ...copy, depth: depth + 1 });
    else addFile(collected, tree, copy);
  }
}

function addFile(collected: Collected, tree: FileTree, { from, to }: Copy): void {
  const { limits, files } = collected;
  const found = tree.find(from);
  if (found.type !== 'file') return fail('PathNotFound', `there is no file ${from}`);
  if (found.sizeBytes > limits.maxFileBytes) {
    const allowed = `at most ${limits.maxFileBytes} are allowed in a chart`;
    fail('LimitExceeded', `the file ${from} has ${found.sizeBytes} bytes; ${allowed}`);
  }
  collected.sizeBytes += found.sizeBytes;
  if (collected.sizeBytes > limits.maxChartBytes) {
    fail('LimitExceeded', `the files of the chart have more than ${limits.maxChartBytes} bytes`);
  }
  if (files.length >= limits.maxFiles) {
    fail('LimitExceeded', `the chart has more than ${limits.maxFiles} files`);
  }
  const bytes = tree.read(from);
  if (isLfsPointer(bytes)) refusePointer(from);
  files.push({ path: to, bytes });
}
