/** The part of a render through which its trees ask for what belongs to them: submodules, and content in Git LFS. */
import type { RenderContext, RenderTree } from './file-loader.ts';
import type { RenderLimits } from './manifests.ts';

export interface Asking extends Pick<RenderContext, 'answers' | 'needs' | 'answersUsed' | 'usage'> {
  readonly limits: Pick<RenderLimits, 'maxFileBytes'>;
  /** The trees that answer needs, by the key of the need. */
  readonly trees: ReadonlyMap<string, RenderTree>;
}

/** Everything that is bounded in one render, before it begins. */
export function unused(): RenderContext['usage'] {
  return { kustomizations: 0, generatedChars: 0, sealedBytes: 0, submodules: 0, lfs: new Map() };
}
