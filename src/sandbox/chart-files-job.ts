/** The parent's side of collecting the files of a chart: the child reads the trees, and the parent gets plain files. */
import { dirname } from 'node:path';
import type { ChartFilesLimits, CollectedFiles } from '../render/helm/chart-files.ts';
import type { HelmRun, TreeOrigin } from '../render/needs.ts';
import { isPartOfSource } from '../render/source-trees.ts';
import type { SnapshotTree } from '../source/snapshot.ts';
import { decodeChartFiles } from './chart-files-wire.ts';
import type { NamedTree, TreeLimits } from './render-job.ts';
import type { Sandbox } from './sandbox.ts';

/** The input of the job. */
export interface ChartFilesJobInput {
  readonly tree: SnapshotTree;
  readonly origin: TreeOrigin | undefined;
  readonly trees: readonly (readonly [name: string, tree: NamedTree])[];
  /** Without texts of values, which the child does not need. */
  readonly run: Pick<HelmRun, 'chart' | 'dependencies' | 'values'>;
  readonly limits: ChartFilesLimits;
  readonly treeLimits: TreeLimits;
}

export interface ChartFilesRequest {
  readonly tree: SnapshotTree;
  /** The repository of the tree. Absent: nothing but its objects is read. */
  readonly origin?: TreeOrigin | undefined;
  /** By `$name` of spec.sources, or by the key of a need that a tree answers. */
  readonly trees: ReadonlyMap<string, NamedTree>;
  readonly run: HelmRun;
  readonly tenant: string;
  readonly signal: AbortSignal;
}

export interface ChartFilesSettings {
  readonly limits: ChartFilesLimits;
  readonly treeLimits: TreeLimits;
  readonly deadlineMs: number;
}

/** Rejects with StageError: one of the sandbox, or one of reading the trees. */
export async function collectInSandbox(
  sandbox: Sandbox,
  { tree, origin, trees, run, tenant, signal }: ChartFilesRequest,
  { limits, treeLimits, deadlineMs }: ChartFilesSettings,
): Promise<CollectedFiles> {
  const { chart, dependencies, values } = run;
  const named = new Set([
    chart.tree,
    ...dependencies.map(({ place }) => place.tree),
    ...values.flatMap((one) => (one.type === 'file' ? [one.place.tree] : [])),
  ]);
  const used = [...trees].filter(([name]) => named.has(name) || isPartOfSource(name));
  const input: ChartFilesJobInput = {
    tree,
    origin,
    trees: used,
    run: {
      chart,
      dependencies,
      values: values.map((one) => (one.type === 'file' ? one : { ...one, text: '' })),
    },
    limits,
    treeLimits,
  };
  const gitDirs = [tree.gitDir, ...used.map(([, other]) => other.tree.gitDir)];
  const dataFolders = [...new Set(gitDirs.map((gitDir) => dirname(gitDir)))];
  const job = { name: 'chartFiles', stage: 'render', input, tenant, dataFolders } as const;
  return decodeChartFiles(await sandbox.run(job, { deadlineMs, signal }));
}
