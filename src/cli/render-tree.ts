/** Renders a folder of an open tree in this process, and answers what the render asks for. */
import type { Helm } from '../helm/helm.ts';
import type { RenderTree } from '../render/file-loader.ts';
import type { FileTree } from '../render/file-tree.ts';
import { collectChartFiles, type ChartFilesLimits } from '../render/helm/chart-files.ts';
import type { Manifests } from '../render/manifests.ts';
import type {
  Answer,
  Capabilities,
  ChartNeed,
  DataNeed,
  HelmRun,
  Need,
  RepositoryNeed,
  SealedNeed,
} from '../render/needs.ts';
import type { RenderInput } from '../render/render.ts';
import { renderWithAnswers } from '../render/rounds.ts';

type Refusal = Extract<Answer, { readonly type: 'refused' }>;

/** The ways to what a render asks for. */
export interface Edges {
  readonly helm: () => Promise<Pick<Helm, 'template'>>;
  /** The cluster that charts are told of. */
  readonly capabilities: () => Promise<Capabilities>;
  readonly bringData: (need: DataNeed) => Promise<Answer>;
  readonly openSealed: (need: SealedNeed) => Promise<Answer>;
  /** Opens another repository or a chart. The caller closes it. */
  readonly bringTree: (need: RepositoryNeed | ChartNeed) => Promise<FileTree | Refusal>;
  readonly chartLimits: ChartFilesLimits;
}

export interface RenderTreeOptions<M> {
  /** `trees`: other sources by `$name`. */
  readonly input: Omit<RenderInput, 'answers'>;
  readonly edges: Edges;
  readonly render: (input: RenderInput) => M;
}

/** Throws StageError if an edge does. */
export async function renderTree<M extends Pick<Manifests, 'needs' | 'problems'>>({
  input,
  edges,
  render,
}: RenderTreeOptions<M>): Promise<M> {
  const trees = new Map<string, RenderTree>(input.trees);
  const bring = async (need: Need): Promise<Answer> => {
    if (need.type === 'data') return edges.bringData(need);
    if (need.type === 'sealed') return edges.openSealed(need);
    if (need.type === 'helm') {
      const fileTrees = Array.from(trees, ([name, { tree }]) => [name, tree] as const);
      return runHelm(edges, need.run, new Map([['', input.tree], ...fileTrees]));
    }
    if (need.type === 'submodule' || need.type === 'lfs')
      throw new Error(`a local folder does not ask for ${need.key}`);
    const brought = await edges.bringTree(need);
    if ('type' in brought) return brought;
    trees.set(need.key, { tree: brought, path: '' });
    return { type: 'tree' };
  };
  const { manifests } = await renderWithAnswers<Answer, M>({
    known: new Map(),
    render: (answers) => render({ ...input, trees, answers }),
    bring,
  });
  return manifests;
}

async function runHelm(
  { helm, capabilities, chartLimits }: Edges,
  run: HelmRun,
  trees: ReadonlyMap<string, FileTree>,
): Promise<Answer> {
  const collected = collectChartFiles(trees, run, chartLimits);
  if (!collected.ok) return { type: 'refused', problem: collected.problem };
  const program = await helm();
  const { signal } = new AbortController();
  const call = { run, files: collected.files, capabilities: await capabilities(), tenant: '', signal };
  return program.template(call);
}
