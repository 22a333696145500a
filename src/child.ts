/**
 * Composition root of the sandbox's child process: the jobs by name. It runs with leave to read a few folders and
 * nothing else, and sees no credential.
 */
import { createDocumentCache, type DocumentCache } from './render/document-cache.ts';
import { renderPath } from './render/render.ts';
import { serveJobs } from './sandbox/job-server.ts';
import { encodeManifests, UNCHANGED } from './sandbox/manifests-wire.ts';
import type { RenderJobInput } from './sandbox/render-job.ts';
import { encodeIndexedSnapshot } from './source/packs/index-job.ts';
import { indexPack, type IndexPackInput } from './source/packs/pack-index.ts';
import { openPackTree } from './source/packs/pack-tree.ts';

// No key of any input becomes a member of every object. (Frozen, it would also forbid each object a toString of its
// own.)
Object.preventExtensions(Object.prototype);

serveJobs({
  indexPack: (input: IndexPackInput) => encodeIndexedSnapshot(indexPack(input)),
  render: createRenderJob(),
});

/** Parsed files are kept from one job to the next, within the bound that the first of them names. */
function createRenderJob(): (input: RenderJobInput) => Uint8Array {
  let cache: DocumentCache | undefined;
  return ({ tree: location, path, limits, treeLimits, parsedCacheBytes, known, previousReadSet }) => {
    cache ??= createDocumentCache(parsedCacheBytes);
    const tree = openPackTree(location, { ...treeLimits, maxFileBytes: limits.maxFileBytes });
    try {
      if (previousReadSet !== undefined && tree.isUnchanged(previousReadSet)) return UNCHANGED;
      const rendered = renderPath({ tree, path, limits, cache });
      return encodeManifests({ ...rendered, readSet: tree.readSet() }, new Set(known));
    } finally {
      tree.close();
    }
  };
}
