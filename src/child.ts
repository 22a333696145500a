/**
 * Composition root of the child process of the sandbox: its jobs by name. The process may read its code and one folder
 * with data, may neither use the network nor send signals, and gets no credentials.
 */
import { loadExplainer } from './object/yaml/explain.ts';
import { createDocumentCache, type DocumentCache } from './render/document-cache.ts';
import { renderPath } from './render/render.ts';
import { measureRendered } from './render/rendered-size.ts';
import { hardenProcess } from './sandbox/harden.ts';
import { serveJobs } from './sandbox/job-server.ts';
import { encodeManifests, UNCHANGED } from './sandbox/manifests-wire.ts';
import type { RenderJobInput } from './sandbox/render-job.ts';
import { createWallCheck } from './sandbox/wall-check.ts';
import { encodeIndexedSnapshot } from './source/packs/index-job.ts';
import { indexPack, type IndexPackInput } from './source/packs/pack-index.ts';
import { openPackTree } from './source/packs/pack-tree.ts';

// No input can add a member to all objects. Freezing the prototype would also forbid an object a `toString` of its own.
Object.preventExtensions(Object.prototype);

loadExplainer();
const checkWalls = createWallCheck();
hardenProcess();

serveJobs({
  checkWalls,
  indexPack: (input: IndexPackInput) => encodeIndexedSnapshot(indexPack(input)),
  render: createRenderJob(),
});

/** Keeps parsed files from one job to the next, within the bound that the first job names. */
function createRenderJob(): (input: RenderJobInput) => Uint8Array {
  let cache: DocumentCache | undefined;
  return ({ tree: location, path, limits, sizeLimits, treeLimits, parsedCacheBytes, known, previousReadSet }) => {
    cache ??= createDocumentCache(parsedCacheBytes);
    const tree = openPackTree(location, { ...treeLimits, maxFileBytes: limits.maxFileBytes });
    try {
      if (previousReadSet !== undefined && tree.isUnchanged(previousReadSet)) return UNCHANGED;
      const rendered = renderPath({ tree, path, limits, cache });
      const read = { ...rendered, readSet: tree.readSet() };
      return encodeManifests({ ...read, sizeBytes: measureRendered(read, sizeLimits) }, new Set(known));
    } finally {
      tree.close();
    }
  };
}
