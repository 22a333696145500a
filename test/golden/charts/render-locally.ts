/** Renders a folder with the real helm, as the agent does it: rounds of needs and answers. */
import { parse } from 'yaml';
import { renderSchema } from '../../../src/application/render-schema.ts';
import { openLocalTree } from '../../../src/cli/local-tree.ts';
import type { Helm } from '../../../src/helm/helm.ts';
import type { FileTree } from '../../../src/render/file-tree.ts';
import { collectChartFiles } from '../../../src/render/helm/chart-files.ts';
import type { Manifests, RenderLimits } from '../../../src/render/manifests.ts';
import type { Answer, Capabilities, Need, Release } from '../../../src/render/needs.ts';
import { renderPath } from '../../../src/render/render.ts';
import { renderWithAnswers } from '../../../src/render/rounds.ts';

const LIMITS: RenderLimits = { maxFileBytes: 1e7, maxNodes: 1e6, maxDepth: 200, maxObjects: 1e5, maxFiles: 1e4 };
const NO_CLUSTER: Capabilities = { kubeVersion: undefined, apiVersions: [] };

export interface LocalRender {
  readonly helm: Helm;
  /** The root of the repository. */
  readonly folder: string;
  readonly path: string;
  /** `spec.render`, in YAML or as an object. */
  readonly render?: unknown;
  readonly release?: Release;
  readonly data?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Folders of charts in repositories, by the name of the chart. */
  readonly charts?: Readonly<Record<string, string>>;
}

/** Counts the runs of helm as well. */
export async function renderLocally(options: LocalRender): Promise<{ manifests: Manifests; runs: number }> {
  const { folder, path, render = {}, release } = options;
  const tree = openLocalTree(folder);
  const trees = new Map<string, { tree: FileTree; path: string }>();
  let runs = 0;
  const bring = async (need: Need): Promise<Answer> => {
    if (need.type === 'helm') {
      runs += 1;
      return runHelm(options, need.run, new Map([['', tree], ...Array.from(trees, ([key, one]) => [key, one.tree] as const)]));
    }
    if (need.type === 'data') {
      const data = options.data?.[`${need.kind} ${need.name}`];
      return data === undefined ? { type: 'noData' } : { type: 'data', data };
    }
    const chart = need.type === 'chart' ? options.charts?.[need.name] : undefined;
    if (chart === undefined) return { type: 'refused', problem: { code: 'DependencyMissing', message: 'not found' } };
    trees.set(need.key, { tree: openLocalTree(chart), path: '' });
    return { type: 'tree' };
  };
  const { manifests } = await renderWithAnswers<Answer>({
    known: new Map(),
    render: (answers) => {
      const parsed = renderSchema.parse(typeof render === 'string' ? parse(render) : render);
      const input = { tree, trees, path, limits: LIMITS, options: parsed, answers };
      return renderPath(release === undefined ? input : { ...input, release });
    },
    bring,
  });
  return { manifests, runs };
}

async function runHelm(
  { helm }: LocalRender,
  run: Extract<Need, { type: 'helm' }>['run'],
  trees: ReadonlyMap<string, FileTree>,
): Promise<Answer> {
  const collected = collectChartFiles(trees, run, { maxFiles: 1e4, maxFileBytes: 1e7, maxChartBytes: 1e8 });
  if (!collected.ok) return { type: 'refused', problem: collected.problem };
  return helm.template({ run, files: collected.files, capabilities: NO_CLUSTER, tenant: '', signal: new AbortController().signal });
}
