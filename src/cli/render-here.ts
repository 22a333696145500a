/** Renders a local folder in this process, and brings what the render asks for. */
import type { Manifests } from '../render/manifests.ts';
import type { Capabilities } from '../render/needs.ts';
import type { RenderInput } from '../render/render.ts';
import { defaultSourceLimits } from '../source/limits.ts';
import { openPackTree } from '../source/packs/pack-tree.ts';
import { withLocalEdges, type LocalPrograms } from './local-edges.ts';
import { LOCAL_LIMITS } from './local-limits.ts';
import { LOCAL_ROOT, openLocalTree, pathInTree } from './local-tree.ts';
import { renderTree, type Edges } from './render-tree.ts';

export interface RenderHere<M>
  extends Pick<RenderInput, 'options' | 'plainFolder' | 'release'>, Pick<Edges, 'bringData' | 'capabilities'> {
  readonly dir: string;
  /** Folders of other sources by `$name`. */
  readonly sources: ReadonlyMap<string, string>;
  readonly programs: LocalPrograms;
  readonly render: (input: RenderInput) => M;
}

/** The cluster of a chart that is rendered without one: helm assumes it. */
export const NO_CLUSTER: Capabilities = { kubeVersion: undefined, apiVersions: [] };

const { maxFiles, maxFileBytes } = LOCAL_LIMITS;
const CHART_LIMITS = { maxFiles, maxFileBytes, maxChartBytes: 1024 * 1024 * 1024 };

/** Throws StageError if helm, a repository or a chart cannot be used. */
export function renderHere<M extends Pick<Manifests, 'needs' | 'problems'>>({
  dir,
  sources,
  programs,
  bringData,
  capabilities,
  render,
  ...options
}: RenderHere<M>): Promise<M> {
  return withLocalEdges(programs, async (edges) => {
    const tree = openLocalTree(LOCAL_ROOT);
    const trees = new Map(Array.from(sources, ([name, folder]) => [name, { tree, path: pathInTree(folder) }] as const));
    const opened: { close(): void }[] = [];
    try {
      return await renderTree({
        input: {
          ...{ ...options, tree, trees, path: pathInTree(dir), limits: LOCAL_LIMITS },
          opensSealed: programs.sops !== undefined,
        },
        edges: {
          ...{ helm: () => edges.helm(), capabilities, bringData, chartLimits: CHART_LIMITS },
          openSealed: (need) => edges.open(need),
          async bringTree(need) {
            const snapshot = await edges.snapshotOf(need);
            const packs = openPackTree(snapshot.tree, { ...defaultSourceLimits, maxFileBytes });
            opened.push(packs);
            return packs;
          },
        },
        render,
      });
    } finally {
      for (const one of opened) one.close();
    }
  });
}
