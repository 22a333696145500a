import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { StageError } from '../../../src/object/stage-error.ts';
import { codeDirs, type Sandbox, type SandboxOptions } from '../../../src/sandbox/sandbox.ts';
import type { KillCause } from '../../../src/sandbox/slot.ts';
import { childFile, startSandbox, temporaryFolder } from '../source/source-harness.ts';

/** A job that reads nothing. */
const place = { stage: 'render', input: null, tenant: 'team', dataFolders: [dirname(childFile)] } as const;

const entryFile = fileURLToPath(new URL('hostile-child.ts', import.meta.url));

function startHostile(t: TestContext, options: Partial<SandboxOptions> = {}): Sandbox {
  const readableDirs = [...codeDirs(childFile), ...(options.readableDirs ?? [])];
  return startSandbox(t, { maxHeapMib: 64, maxRssMib: 300, ...options, entryFile, readableDirs });
}

function run(sandbox: Sandbox, name: string, input: unknown = null, deadlineMs = 60_000): Promise<string> {
  return sandbox.run({ name, ...place, input }, { deadlineMs }).then((bytes) => Buffer.from(bytes).toString());
}

async function failureOf(work: Promise<unknown>): Promise<StageError> {
  const error = await work.then(
    () => assert.fail('expected a failure'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof StageError, String(error));
  return error;
}

async function killedBy(work: Promise<unknown>, reason: KillCause['reason']): Promise<KillCause> {
  const error = await failureOf(work);
  assert.deepEqual([error.code, error.stage, error.retry], ['Killed', 'render', 'backoff'], error.message);
  const cause = error.cause as KillCause;
  assert.equal(cause.reason, reason, error.message);
  return cause;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('a job gets its input and returns its bytes, and one child runs many jobs', async (t) => {
  const sandbox = startHostile(t);
  const bytes = Buffer.alloc(3_000_000, 'abc');
  assert.deepEqual(Buffer.from(await sandbox.run({ name: 'echo', ...place, input: bytes })), bytes);
  assert.equal(await run(sandbox, 'pid'), await run(sandbox, 'pid'));
});

test('a StageError of a job arrives unchanged, and any other error becomes a failure of the stage', async (t) => {
  const sandbox = startHostile(t);
  const refused = await failureOf(run(sandbox, 'refuse'));
  assert.deepEqual(
    [refused.stage, refused.code, refused.retry, refused.message],
    ['source', 'RateLimited', { afterMs: 5 }, 'No, because.'],
  );
  const failed = await failureOf(run(sandbox, 'fail'));
  assert.deepEqual([failed.stage, failed.code], ['render', 'Failed']);
  assert.match(failed.message, /fail.*oops/);
  assert.doesNotMatch(failed.message, /\n|    at /);
  assert.equal((await failureOf(run(sandbox, 'constructor'))).code, 'Failed');
});

test('a job that takes too long is killed, and jobs in other children go on', async (t) => {
  const sandbox = startHostile(t, { slots: 2 });
  const other = run(sandbox, 'later', { waitMs: 600 });
  await killedBy(run(sandbox, 'spin', null, 300), 'time');
  assert.equal(await other, 'later');
  assert.equal(await run(sandbox, 'echo', Buffer.from('next')), 'next');
});

test('a job with too much memory on the heap or in buffers is killed, and jobs in other children go on', async (t) => {
  const sandbox = startHostile(t, { slots: 2 });
  const other = run(sandbox, 'later', { waitMs: 1500 });
  const { peakRssMib } = await killedBy(run(sandbox, 'buffers'), 'memory');
  assert.ok((peakRssMib ?? 0) > 250, `${peakRssMib} MiB`);
  await killedBy(run(sandbox, 'heap'), 'memory');
  assert.equal(await other, 'later');
});

test('a child that crashes or exits fails only its own job', async (t) => {
  const sandbox = startHostile(t);
  const crashed = killedBy(run(sandbox, 'crash'), 'crash');
  const exited = killedBy(run(sandbox, 'exit'), 'crash');
  const echoed = run(sandbox, 'echo', Buffer.from('still here'));
  await Promise.all([crashed, exited]);
  assert.equal(await echoed, 'still here');
});

test('a child has no environment, reads only allowed folders, and cannot write files or start processes', async (t) => {
  const folder = await temporaryFolder(t);
  const readable = join(folder, 'readable');
  const sandbox = startHostile(t, { readableDirs: [dirname(readable) + '/readable'] });
  assert.equal(await run(sandbox, 'environment'), '[]');
  for (const [name, input] of [
    ['read', '/etc/hostname'],
    ['read', join(folder, 'other')],
    ['read', `${readable}/../other`],
    ['write', join(folder, 'x')],
    ['spawn', null],
  ] as const) {
    const { message } = await failureOf(run(sandbox, name, input));
    assert.match(message, /restricted/, `${name} ${input}: ${message}`);
  }
  assert.match(await run(sandbox, 'read', entryFile), /hostile/);
});

test('a child is replaced after its last allowed job, after its memory has grown, and after it was idle', async (t) => {
  const few = startHostile(t, { maxJobsPerChild: 2 });
  const [first, second, third] = [await run(few, 'pid'), await run(few, 'pid'), await run(few, 'pid')];
  assert.equal(first, second);
  assert.notEqual(second, third);
  await untilGone(Number(first));

  const grown = startHostile(t);
  const before = await run(grown, 'pid');
  await run(grown, 'keep', { mib: 150 });
  assert.notEqual(await run(grown, 'pid'), before);

  const idle = startHostile(t, { idleEndMs: 30 });
  await untilGone(Number(await run(idle, 'pid')));
  assert.equal(await run(idle, 'echo', Buffer.from('again')), 'again');
});

test('jobs are queued up to a bound, and both waiting and running jobs can be cancelled', async (t) => {
  const sandbox = startHostile(t, { maxQueuedJobs: 2 });
  const running = new AbortController();
  const waiting = new AbortController();
  const busy = failureOf(sandbox.run({ name: 'spin', ...place }, { signal: running.signal }));
  const spin = failureOf(sandbox.run({ name: 'spin', ...place }, { signal: running.signal }));
  const waits = failureOf(sandbox.run({ name: 'spin', ...place }, { signal: waiting.signal }));
  const next = run(sandbox, 'echo', Buffer.from('next'));
  assert.equal((await failureOf(run(sandbox, 'echo'))).code, 'SandboxBusy');
  waiting.abort();
  assert.equal((await waits).code, 'Cancelled');
  running.abort();
  assert.deepEqual([(await busy).code, (await spin).code], ['Cancelled', 'Cancelled']);
  assert.equal(await next, 'next');
  assert.equal(
    (await failureOf(sandbox.run({ name: 'echo', ...place }, { signal: running.signal }))).code,
    'Cancelled',
  );
});

test('closing the sandbox rejects running and waiting jobs and ends all children', async (t) => {
  const sandbox = startHostile(t);
  const pid = Number(await run(sandbox, 'pid'));
  const jobs = ['spin', 'spin', 'echo'].map((name) => failureOf(run(sandbox, name)));
  sandbox.close();
  for (const job of jobs) assert.equal((await job).code, 'SandboxClosed');
  assert.equal((await failureOf(run(sandbox, 'echo'))).code, 'SandboxClosed');
  await untilGone(pid);
});

for (const activity of ['idle', 'busy']) {
  test(`a child that is ${activity} ends after its parent was killed`, async (t) => {
    const parent = spawn(process.execPath, [fileURLToPath(new URL('forgotten-parent.ts', import.meta.url)), activity]);
    t.after(() => parent.kill('SIGKILL'));
    const [output] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(output.toString());
    assert.ok(isAlive(pid));
    parent.kill('SIGKILL');
    await untilGone(pid);
  });
}
