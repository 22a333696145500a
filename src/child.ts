/**
 * Composition root of the sandbox's child process: the jobs by name. It runs with leave to read a few folders and
 * nothing else, and sees no credential.
 */
import { serveJobs } from './sandbox/job-server.ts';
import { encodeIndexedSnapshot } from './source/index-job.ts';
import { indexPack, type IndexPackInput } from './source/pack-index.ts';

serveJobs({
  indexPack: (input: IndexPackInput) => encodeIndexedSnapshot(indexPack(input)),
});
