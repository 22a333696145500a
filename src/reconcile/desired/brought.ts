/** The forms in which answers to the needs of a render are brought. */
import type { Answer, Need, TreeOrigin } from '../../render/needs.ts';
import type { SnapshotTree } from '../../source/snapshot.ts';
import type { RenderedTree } from '../context.ts';

/** The tree of `spec.source`, and the others by their names. */
export interface TreesOfRender {
  readonly main: SnapshotTree;
  readonly origin: TreeOrigin;
  readonly others: ReadonlyMap<string, RenderedTree>;
}

/** An answer with a digest of its content: of a tree, its object id. */
export interface Brought {
  readonly need: Need;
  readonly answer: Answer;
  readonly digest: string;
  readonly tree?: RenderedTree;
  /** The cluster and the helm that an output of helm is for. */
  readonly renderedFor?: string;
  /** Monotonic. */
  readonly broughtMs: number;
}
