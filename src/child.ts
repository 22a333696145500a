/**
 * Composition root of the child process of the sandbox: its jobs by name. The process may read its code and one folder
 * with data, may neither use the network nor send signals, and gets no credentials.
 */
import type { HealthCheck } from './application/health-check.ts';
import { evaluateHealthCheck, readHealthChecks, type EvaluationInput } from './health/checks/evaluate.ts';
import { loadExplainer } from './object/yaml/explain.ts';
import { unused } from './render/asking.ts';
import { createDocumentCache, type DocumentCache } from './render/document-cache.ts';
import type { FileTree } from './render/file-tree.ts';
import { collectChartFiles } from './render/helm/chart-files.ts';
import { locateFields } from './render/locate-fields.ts';
import { joinReadSets, splitReadSet, type ReadSet } from './render/read-set.ts';
import { readIndexJob } from './registry/chart-index.ts';
import type { Answer, TreeOrigin } from './render/needs.ts';
import { renderPath } from './render/render.ts';
import { openSourceTrees } from './render/source-trees.ts';
import { measureRendered } from './render/rendered-size.ts';
import type { ChartFilesJobInput } from './sandbox/chart-files-job.ts';
import { encodeChartFiles } from './sandbox/chart-files-wire.ts';
import { hardenProcess } from './sandbox/harden.ts';
import { serveJobs } from './sandbox/job-server.ts';
import type { LocateJobInput } from './sandbox/locate-job.ts';
import { encodeManifests, UNCHANGED } from './sandbox/manifests-wire.ts';
import type { RenderJobInput } from './sandbox/render-job.ts';
import { createWallCheck } from './sandbox/wall-check.ts';
import { encodePackedArchive } from './source/packs/archive-job.ts';
import { encodeIndexedSnapshot } from './source/packs/index-job.ts';
import { packArchive, type PackArchiveInput } from './source/packs/pack-archive.ts';
import { indexPack, type IndexPackInput } from './source/packs/pack-index.ts';
import { verifyChart } from './source/packs/provenance-job.ts';
import { openPackTree, type PackTree } from './source/packs/pack-tree.ts';
import { readTag, verifySignatures } from './source/packs/signature-job.ts';
import type { SnapshotTree } from './source/snapshot.ts';

// No input can add a member to all objects. Freezing the prototype would also forbid an object a `toString` of its own.
Object.preventExtensions(Object.prototype);

loadExplainer();
const checkWalls = createWallCheck();
hardenProcess();

serveJobs({
  checkWalls,
  prepare: () => new Uint8Array(0),
  indexPack: (input: IndexPackInput) => encodeIndexedSnapshot(indexPack(input)),
  packArchive: async (input: PackArchiveInput) => encodePackedArchive(await packArchive(input)),
  readChartIndex: readIndexJob,
  readTag,
  verifySignatures,
  verifyProvenance: verifyChart,
  render: createRenderJob(),
  readHealthChecks: (checks: readonly HealthCheck[]) => Buffer.from(JSON.stringify(readHealthChecks(checks))),
  evaluateHealthCheck: (input: EvaluationInput) => Buffer.from(JSON.stringify(evaluateHealthCheck(input))),
  chartFiles: collectFiles,
  locateFields: locateLines,
});

/** Keeps parsed files from one job to the next, within the bound that the first job names. */
function createRenderJob(): (input: RenderJobInput) => Uint8Array {
  let cache: DocumentCache | undefined;
  return (input) => {
    cache ??= createDocumentCache(input.parsedCacheBytes);
    const trees = openTrees({ ...input, maxFileBytes: input.limits.maxFileBytes });
    try {
      if (input.previousReadSet !== undefined && trees.isUnchanged(input.previousReadSet)) return UNCHANGED;
      const { origin, path, limits, options, release } = input;
      const answers = new Map(input.answers);
      const rendered = renderPath({
        ...trees,
        origin,
        path,
        limits,
        options,
        answers,
        cache,
        ...(release ? { release } : {}),
      });
      const read = { ...rendered, readSet: trees.readSet() };
      const sizeBytes = measureRendered(read, input.sizeLimits);
      return encodeManifests({ ...read, sizeBytes }, new Set(input.known));
    } finally {
      trees.close();
    }
  };
}

function collectFiles({ run, limits, ...input }: ChartFilesJobInput): Uint8Array {
  const trees = openTrees({ ...input, maxFileBytes: limits.maxFileBytes });
  try {
    const answers = new Map(Array.from(trees.trees.keys(), (key) => [key, TREE_ANSWER] as const));
    const asking = { answers, needs: [], answersUsed: new Set<string>(), limits, usage: unused(), trees: trees.trees };
    const sources = openSourceTrees(asking, { tree: trees.tree, origin: input.origin });
    const byName = new Map<string, FileTree>([['', sources.tree]]);
    for (const [name, { tree }] of sources.trees) byName.set(name, tree);
    return encodeChartFiles(collectChartFiles(byName, run, limits));
  } finally {
    trees.close();
  }
}

const TREE_ANSWER: Answer = { type: 'tree' };

function locateLines({ tree: location, questions, maxFileBytes, treeLimits }: LocateJobInput): Uint8Array {
  const tree = openPackTree(location, { ...treeLimits, maxFileBytes });
  try {
    return Buffer.from(JSON.stringify(locateFields(tree, questions, { maxFileBytes })));
  } finally {
    tree.close();
  }
}

interface TreesInput extends Pick<RenderJobInput, 'tree' | 'trees' | 'treeLimits'> {
  readonly maxFileBytes: number;
}

interface OpenTree {
  readonly tree: PackTree;
  readonly path: string;
  readonly origin: TreeOrigin | undefined;
}

interface OpenTrees {
  readonly tree: PackTree;
  readonly trees: ReadonlyMap<string, OpenTree>;
  readSet(): ReadSet;
  isUnchanged(before: ReadSet): boolean;
  close(): void;
}

function openTrees({ tree: main, trees: others, treeLimits, maxFileBytes }: TreesInput): OpenTrees {
  const packLimits = { ...treeLimits, maxFileBytes };
  const opened: PackTree[] = [];
  const open = (location: SnapshotTree): PackTree => {
    const tree = openPackTree(location, packLimits);
    opened.push(tree);
    return tree;
  };
  const close = (): void => opened.forEach((tree) => tree.close());
  try {
    const tree = open(main);
    const trees = new Map(
      others.map(([name, other]) => [name, { ...other, origin: other.origin, tree: open(other.tree) }]),
    );
    const treeOf = (name: string): PackTree | undefined => (name === '' ? tree : trees.get(name)?.tree);
    return {
      tree,
      trees,
      readSet: () =>
        joinReadSets(
          tree.readSet(),
          Array.from(trees, ([name, other]) => [name, other.tree.readSet()] as const),
        ),
      isUnchanged: (before) =>
        Array.from(splitReadSet(before)).every(([name, readSet]) => treeOf(name)?.isUnchanged(readSet) === true),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
