/**
 * Composition root of the sandbox's child process: the jobs by name. It runs with leave to read a few folders and
 * nothing else, and sees no credential.
 */
import { renderPath } from './render/render.ts';
import { serveJobs } from './sandbox/job-server.ts';
import { encodeManifests } from './sandbox/manifests-wire.ts';
import type { RenderJobInput } from './sandbox/render-job.ts';
import { encodeIndexedSnapshot } from './source/index-job.ts';
import { indexPack, type IndexPackInput } from './source/pack-index.ts';
import { openPackTree } from './source/pack-tree.ts';

serveJobs({
  indexPack: (input: IndexPackInput) => encodeIndexedSnapshot(indexPack(input)),
  render: ({ gitDir, treeOid, path, limits, treeLimits }: RenderJobInput) => {
    const tree = openPackTree({
      gitDir,
      treeOid,
      limits: { ...treeLimits, maxFileBytes: limits.maxFileBytes },
    });
    try {
      return encodeManifests({ ...renderPath({ tree, path, limits }), readSet: tree.readSet() });
    } finally {
      tree.close();
    }
  },
});
