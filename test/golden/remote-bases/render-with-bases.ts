/** Renders a folder whose bases are in other repositories, as the command `tautline render` does it. */
import type { LocalEdges } from '../../../src/cli/local-edges.ts';
import { openLocalTree } from '../../../src/cli/local-tree.ts';
import { StageError } from '../../../src/object/stage-error.ts';
import { writeYaml } from '../../../src/object/yaml/write.ts';
import type { RenderTree } from '../../../src/render/file-loader.ts';
import type { RenderLimits } from '../../../src/render/manifests.ts';
import type { Answer, Need } from '../../../src/render/needs.ts';
import { renderPath } from '../../../src/render/render.ts';
import { renderWithAnswers } from '../../../src/render/rounds.ts';
import { defaultSourceLimits } from '../../../src/source/limits.ts';
import { openPackTree } from '../../../src/source/packs/pack-tree.ts';

const LIMITS: RenderLimits = { maxFileBytes: 1e7, maxNodes: 1e6, maxDepth: 200, maxObjects: 1e5, maxFiles: 1e4 };

export interface RenderedBases {
  readonly text: string;
  readonly problems: readonly { readonly code: string; readonly message: string }[];
}

/** `locate`: the address from which a repository is read, as `url.insteadOf` of git's configuration. */
export async function renderWithBases(
  edges: LocalEdges,
  folder: string,
  locate: (repoURL: string) => string,
): Promise<RenderedBases> {
  const trees = new Map<string, RenderTree>();
  const opened: { close(): void }[] = [];
  const bring = async (need: Need): Promise<Answer> => {
    if (need.type !== 'repository') throw new Error(`the base asks for ${need.type}`);
    const snapshot = await edges.snapshotOf({ ...need, repoURL: locate(need.repoURL) });
    const tree = openPackTree(snapshot.tree, { ...defaultSourceLimits, maxFileBytes: LIMITS.maxFileBytes });
    opened.push(tree);
    trees.set(need.key, { tree, path: '' });
    return { type: 'tree' };
  };
  try {
    const { manifests } = await renderWithAnswers<Answer>({
      known: new Map(),
      render: (answers) => renderPath({ tree: openLocalTree(folder), trees, path: '', limits: LIMITS, answers }),
      bring,
    });
    const text = manifests.manifests.map(({ object }) => writeYaml(object)).join('---\n');
    return { text, problems: manifests.problems };
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    return { text: '', problems: [{ code: error.code, message: error.message }] };
  } finally {
    for (const one of opened) one.close();
  }
}
