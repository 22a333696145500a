/** A process that starts a child for an endless job, says the child's id and waits to be killed. */
import { fileURLToPath } from 'node:url';
import { codeDirs, createSandbox } from '../../../src/sandbox/sandbox.ts';

const entryFile = fileURLToPath(new URL('hostile-child.ts', import.meta.url));
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const sandbox = createSandbox({
  entryFile,
  slots: 1,
  heapMb: 64,
  rssLimitMb: 512,
  jobDeadlineMs: 10_000,
  maxJobsPerChild: 10,
  maxQueuedJobs: 10,
  idleEndMs: 0,
  readableDirs: codeDirs(fileURLToPath(new URL('../../../src/child.ts', import.meta.url))).concat(codeDirs(entryFile)),
  writableDirs: [],
  log,
});
const pid = await sandbox.run({ name: 'pid', stage: 'source', input: null });
if (process.argv[2] === 'busy') void sandbox.run({ name: 'spin', stage: 'source', input: null }, { deadlineMs: 500 });
// Long enough for the job to have begun.
setTimeout(() => process.stdout.write(Buffer.from(pid).toString()), 200);
setInterval(() => undefined, 1000);
