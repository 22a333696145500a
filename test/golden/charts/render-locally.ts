/** Renders a folder with the real helm, as the command line does it. */
import { parse } from 'yaml';
import { renderSchema } from '../../../src/application/render-schema.ts';
import { openLocalTree } from '../../../src/cli/local-tree.ts';
import { NO_CLUSTER } from '../../../src/cli/render-here.ts';
import { renderTree } from '../../../src/cli/render-tree.ts';
import type { Helm } from '../../../src/helm/helm.ts';
import type { Manifests, RenderLimits } from '../../../src/render/manifests.ts';
import type { Release } from '../../../src/render/needs.ts';
import { renderPath } from '../../../src/render/render.ts';

const LIMITS: RenderLimits = { maxFileBytes: 1e7, maxNodes: 1e6, maxDepth: 200, maxObjects: 1e5, maxFiles: 1e4 };

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
  let runs = 0;
  const manifests = await renderTree({
    input: {
      ...{ tree: openLocalTree(folder), path, limits: LIMITS },
      options: renderSchema.parse(typeof render === 'string' ? parse(render) : render),
      ...(release === undefined ? {} : { release }),
    },
    edges: {
      helm: async () => ({
        template(call) {
          runs += 1;
          return options.helm.template(call);
        },
      }),
      capabilities: async () => NO_CLUSTER,
      async bringData({ kind, name }) {
        const data = options.data?.[`${kind} ${name}`];
        return data === undefined ? { type: 'noData' } : { type: 'data', data };
      },
      openSealed: async () => ({ type: 'refused', problem: { code: 'Sealed', message: 'the file is sealed' } }),
      async bringTree(need) {
        const chart = need.type === 'chart' ? options.charts?.[need.name] : undefined;
        if (chart !== undefined) return openLocalTree(chart);
        return { type: 'refused', problem: { code: 'DependencyMissing', message: 'not found' } };
      },
      chartLimits: { maxFiles: 1e4, maxFileBytes: 1e7, maxChartBytes: 1e8 },
    },
    render: renderPath,
  });
  return { manifests, runs };
}
