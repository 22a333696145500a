/**
 * A process that starts a child of the sandbox, prints the process id of the child and waits to be killed. With the
 * argument `busy` the child runs an endless job.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeDirs, createSandbox } from '../../../src/sandbox/sandbox.ts';

const entryFile = fileURLToPath(new URL('hostile-child.ts', import.meta.url));
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const sandbox = createSandbox({
  entryFile,
  slots: 1,
  maxHeapMib: 64,
  maxRssMib: 512,
  shortLane: { deadlineMs: 10_000, maxHeapMib: 64, maxRssMib: 512 },
  jobDeadlineMs: 10_000,
  maxJobsPerChild: 10,
  maxQueuedJobs: 10,
  idleEndMs: 0,
  readableDirs: codeDirs(fileURLToPath(new URL('../../../src/child.ts', import.meta.url))).concat(codeDirs(entryFile)),
  writableDirs: [],
  clock: { monotonicMs: () => performance.now() },
  log,
});
const place = { stage: 'source', input: null, tenant: '', dataFolders: [dirname(entryFile)] } as const;
const pid = await sandbox.run({ name: 'pid', ...place });
if (process.argv[2] === 'busy') void sandbox.run({ name: 'spin', ...place }, { deadlineMs: 500 });
// By then the job has begun.
setTimeout(() => process.stdout.write(Buffer.from(pid).toString()), 200);
setInterval(() => undefined, 1000);
