/**
 * Composition root of the sandbox's child process: the jobs by name. It runs with leave to read a few folders and
 * nothing else, and sees no credential.
 */
import { createDocumentCache } from './render/document-cache.ts';
import { renderPath } from './render/render.ts';
import { serveJobs } from './sandbox/job-server.ts';
import { encodeManifests, UNCHANGED } from './sandbox/manifests-wire.ts';
import type { RenderJobInput } from './sandbox/render-job.ts';
import { encodeIndexedSnapshot } from './source/index-job.ts';
import { indexPack, type IndexPackInput } from './source/pack-index.ts';
import { openPackTree } from './source/pack-tree.ts';

/** A quarter of the heap that such a process has by default; lost with the process. */
const cache = createDocumentCache(128 * 1024 * 1024);

serveJobs({
  indexPack: (input: IndexPackInput) => encodeIndexedSnapshot(indexPack(input)),
  render: ({ gitDir, treeOid, path, limits, treeLimits, known, previousReadSet }: RenderJobInput) => {
    const tree = openPackTree({
      gitDir,
      treeOid,
      limits: { ...treeLimits, maxFileBytes: limits.maxFileBytes },
    });
    try {
      if (previousReadSet !== undefined && tree.isUnchanged(previousReadSet)) return UNCHANGED;
      const rendered = renderPath({ tree, path, limits, cache });
      return encodeManifests({ ...rendered, readSet: tree.readSet() }, new Set(known));
    } finally {
      tree.close();
    }
  },
});
