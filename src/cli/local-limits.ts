/** Bounds of a render on a person's machine: people render their own files, which grow only by mistake. */
import type { RenderLimits } from '../render/manifests.ts';

export const LOCAL_LIMITS: RenderLimits = {
  maxFileBytes: 256 * 1024 * 1024,
  maxNodes: 20_000_000,
  maxDepth: 1_000,
  maxObjects: 1_000_000,
  maxFiles: 1_000_000,
};
