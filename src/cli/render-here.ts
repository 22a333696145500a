/** Renders a local folder in this process, and answers what the render asks for as far as a person's machine can. */
import type { Manifests } from '../render/manifests.ts';
import type { Answer, Need } from '../render/needs.ts';
import type { RenderInput } from '../render/render.ts';
import { nameOfNeed, renderWithAnswers } from '../render/rounds.ts';
import { LOCAL_LIMITS } from './local-limits.ts';
import { LOCAL_ROOT, openLocalTree, pathInTree } from './local-tree.ts';

export interface RenderHere<M> extends Pick<RenderInput, 'options' | 'plainFolder' | 'release'> {
  readonly dir: string;
  /** Folders of other sources by `$name`. */
  readonly sources: ReadonlyMap<string, string>;
  /** Brings data of ConfigMaps and Secrets; undefined: it cannot bring it. */
  readonly bringData: (need: Need & { readonly type: 'data' }) => Promise<Answer>;
  readonly render: (input: RenderInput) => M;
}

export async function renderHere<M extends Pick<Manifests, 'needs' | 'problems'>>({
  dir,
  sources,
  bringData,
  render,
  ...input
}: RenderHere<M>): Promise<M> {
  const tree = openLocalTree(LOCAL_ROOT);
  const trees = new Map(Array.from(sources, ([name, folder]) => [name, { tree, path: pathInTree(folder) }]));
  const { manifests } = await renderWithAnswers<Answer, M>({
    known: new Map(),
    render: (answers) => render({ ...input, tree, trees, path: pathInTree(dir), limits: LOCAL_LIMITS, answers }),
    bring: async (need) => (need.type === 'data' ? bringData(need) : cannotBring(need)),
  });
  return manifests;
}

/** The answer to a need for which a person's machine has no means. */
export function cannotBring(need: Need): Answer {
  const message = `${nameOfNeed(need)} cannot be read on this machine`;
  return { type: 'refused', problem: { code: 'Unsupported', message } };
}
