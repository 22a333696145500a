/** Renders a local folder in this process, and brings what the render asks for. */
import type { FileTree } from '../render/file-tree.ts';
import { collectChartFiles } from '../render/helm/chart-files.ts';
import type { Manifests } from '../render/manifests.ts';
import type { Answer, Capabilities, HelmRun, Need } from '../render/needs.ts';
import type { RenderInput } from '../render/render.ts';
import { renderWithAnswers } from '../render/rounds.ts';
import type { RenderTree } from '../render/file-loader.ts';
import { defaultSourceLimits } from '../source/limits.ts';
import { openPackTree } from '../source/packs/pack-tree.ts';
import { withLocalEdges, type LocalEdges, type LocalPrograms } from './local-edges.ts';
import { LOCAL_LIMITS } from './local-limits.ts';
import { LOCAL_ROOT, openLocalTree, pathInTree } from './local-tree.ts';

export interface RenderHere<M> extends Pick<RenderInput, 'options' | 'plainFolder' | 'release'> {
  readonly dir: string;
  /** Folders of other sources by `$name`. */
  readonly sources: ReadonlyMap<string, string>;
  readonly programs: LocalPrograms;
  /** The cluster that charts are told of. */
  readonly capabilities: () => Promise<Capabilities>;
  /** Brings data of ConfigMaps and Secrets. */
  readonly bringData: (need: Need & { readonly type: 'data' }) => Promise<Answer>;
  readonly render: (input: RenderInput) => M;
}

/** The cluster of a chart that is rendered without one: helm assumes it. */
export const NO_CLUSTER: Capabilities = { kubeVersion: undefined, apiVersions: [] };

/** Throws StageError if helm, a repository or a chart cannot be used. */
export function renderHere<M extends Pick<Manifests, 'needs' | 'problems'>>({
  programs,
  ...options
}: RenderHere<M>): Promise<M> {
  return withLocalEdges(programs, (edges) =>
    renderWith(edges, { ...options, opensSealed: programs.sops !== undefined }),
  );
}

async function renderWith<M extends Pick<Manifests, 'needs' | 'problems'>>(
  edges: LocalEdges,
  {
    dir,
    sources,
    bringData,
    capabilities,
    render,
    ...input
  }: Omit<RenderHere<M>, 'programs'> & { readonly opensSealed: boolean },
): Promise<M> {
  const tree = openLocalTree(LOCAL_ROOT);
  const trees = new Map<string, RenderTree>();
  for (const [name, folder] of sources) trees.set(name, { tree, path: pathInTree(folder) });
  const opened: { close(): void }[] = [];
  const bring = async (need: Need): Promise<Answer> => {
    if (need.type === 'data') return bringData(need);
    if (need.type === 'sealed') return edges.open(need);
    if (need.type === 'helm') {
      const fileTrees = new Map([['', tree], ...Array.from(trees, ([name, one]) => [name, one.tree] as const)]);
      return runHelm(edges, need.run, { trees: fileTrees, capabilities: await capabilities() });
    }
    const snapshot = await edges.snapshotOf(need);
    const packs = openPackTree(snapshot.tree, { ...defaultSourceLimits, maxFileBytes: LOCAL_LIMITS.maxFileBytes });
    opened.push(packs);
    trees.set(need.key, { tree: packs, path: '' });
    return { type: 'tree' };
  };
  try {
    const { manifests } = await renderWithAnswers<Answer, M>({
      known: new Map(),
      render: (answers) => render({ ...input, tree, trees, path: pathInTree(dir), limits: LOCAL_LIMITS, answers }),
      bring,
    });
    return manifests;
  } finally {
    for (const one of opened) one.close();
  }
}

interface HelmInputs {
  readonly trees: ReadonlyMap<string, FileTree>;
  readonly capabilities: Capabilities;
}

const { maxFiles, maxFileBytes } = LOCAL_LIMITS;
const CHART_LIMITS = { maxFiles, maxFileBytes, maxChartBytes: 1024 * 1024 * 1024 };

async function runHelm(edges: LocalEdges, run: HelmRun, { trees, capabilities }: HelmInputs): Promise<Answer> {
  const collected = collectChartFiles(trees, run, CHART_LIMITS);
  if (!collected.ok) return { type: 'refused', problem: collected.problem };
  const helm = await edges.helm();
  return helm.template({ run, files: collected.files, capabilities, tenant: '', signal: new AbortController().signal });
}
