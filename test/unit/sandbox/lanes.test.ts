/** The fairness of the sandbox between tenants, and what a child of one tenant shares with another. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codeDirs, type Sandbox, type SandboxOptions } from '../../../src/sandbox/sandbox.ts';
import { childFile, startSandbox, temporaryFolder } from '../source/source-harness.ts';

const entryFile = fileURLToPath(new URL('hostile-child.ts', import.meta.url));

const SHORT = { deadlineMs: 400, maxHeapMib: 64, maxRssMib: 200 };

function start(t: TestContext, options: Partial<SandboxOptions> = {}): Sandbox {
  return startSandbox(t, { shortLane: SHORT, ...options, entryFile, readableDirs: codeDirs(childFile) });
}

interface Ask {
  readonly tenant?: string;
  readonly dataFolder?: string;
  readonly input?: unknown;
  readonly deadlineMs?: number;
}

async function ask(sandbox: Sandbox, name: string, options: Ask = {}): Promise<string> {
  const { tenant = 'team', dataFolder = import.meta.dirname, input = null, deadlineMs = 60_000 } = options;
  const bytes = await sandbox.run({ name, stage: 'render', tenant, dataFolders: [dataFolder], input }, { deadlineMs });
  return Buffer.from(bytes).toString();
}

test('a short job of another tenant is answered while one tenant has many endless jobs', async (t) => {
  const sandbox = start(t);
  const endless = Array.from({ length: 5 }, () => ask(sandbox, 'spin', { tenant: 'greedy', deadlineMs: 30_000 }));
  const killed = Promise.allSettled(endless);
  const first = await Promise.race([ask(sandbox, 'pid', { tenant: 'victim' }), killed]);
  assert.equal(typeof first, 'string', 'the short job ended only after the endless ones');
  sandbox.close();
  await killed;
});

test('a job that exceeds the bounds of the short lane runs to its end in the long lane', async (t) => {
  const sandbox = start(t);
  // The first job takes the child of the long lane, so that the others begin in the short lane.
  const first = ask(sandbox, 'later', { input: { waitMs: 1_500 } });
  const slow = ask(sandbox, 'later', { input: { waitMs: 1_000 } });
  assert.deepEqual(await Promise.all([first, slow]), ['later', 'later']);
  const again = ask(sandbox, 'later', { input: { waitMs: 1_500 } });
  const large = ask(sandbox, 'keep', { tenant: 'large', input: { mib: 300 } });
  assert.deepEqual(await Promise.all([again, large]), ['later', 'kept']);
});

test('a job that exceeds its own deadline in the short lane does not start again', async (t) => {
  const sandbox = start(t);
  let isLongLaneFree = false;
  const first = ask(sandbox, 'later', { input: { waitMs: 5_000 } }).then(() => (isLongLaneFree = true));
  await assert.rejects(
    ask(sandbox, 'spin', { deadlineMs: SHORT.deadlineMs / 2 }),
    /took longer than allowed \(200 ms\)/,
  );
  assert.equal(isLongLaneFree, false, 'the job waited for the long lane');
  sandbox.close();
  await assert.rejects(first);
});

test('the short lane counts processor time: a job that waits is not taken for a long one', async (t) => {
  const shortLane = { ...SHORT, deadlineMs: 60_000, maxProcessorMs: SHORT.deadlineMs };
  const sandbox = start(t, { shortLane });
  const first = ask(sandbox, 'spin', { tenant: 'greedy', deadlineMs: 30_000 });
  assert.equal(await ask(sandbox, 'later', { input: { waitMs: 2 * SHORT.deadlineMs } }), 'later');
  // The same job, had it been stopped, would now wait for the endless one.
  assert.equal(await ask(sandbox, 'later', { input: { waitMs: 2 * SHORT.deadlineMs } }), 'later');
  const endless = ask(sandbox, 'spin', { tenant: 'other', deadlineMs: 30_000 });
  const ends = Promise.allSettled([first, endless]);
  // The endless job of the other tenant leaves the short lane once it has used its processor time.
  assert.equal(await ask(sandbox, 'later', { tenant: 'third', input: { waitMs: 1 } }), 'later');
  sandbox.close();
  await ends;
});

test('jobs that wait when others of their kind turn out to be long do not try the short lane again', async (t) => {
  const sandbox = start(t);
  const spins = Array.from({ length: 20 }, () => ask(sandbox, 'spin', { tenant: 'greedy', deadlineMs: 30_000 }));
  const ends = Promise.allSettled(spins);
  assert.match(await ask(sandbox, 'pid', { tenant: 'victim' }), /^\d+$/);
  const before = performance.now();
  assert.match(await ask(sandbox, 'pid', { tenant: 'second' }), /^\d+$/);
  t.diagnostic(`a second short job took ${Math.round(performance.now() - before)} ms`);
  sandbox.close();
  await ends;
});

test('a child serves one tenant and one folder, and is replaced before another', async (t) => {
  const folder = await temporaryFolder(t);
  const sandbox = start(t);
  const pids = [
    await ask(sandbox, 'pid', { tenant: 'a' }),
    await ask(sandbox, 'pid', { tenant: 'a' }),
    await ask(sandbox, 'pid', { tenant: 'b' }),
    await ask(sandbox, 'pid', { tenant: 'b', dataFolder: folder }),
  ];
  assert.equal(pids[0], pids[1]);
  assert.equal(new Set(pids).size, 3);
});

test('a child cannot read the folder of another repository', async (t) => {
  const sandbox = start(t);
  const [own, other] = [await temporaryFolder(t), await temporaryFolder(t)];
  await assert.rejects(ask(sandbox, 'read', { dataFolder: own, input: join(other, 'secret') }), /restricted/);
  await assert.rejects(ask(sandbox, 'read', { dataFolder: own, input: join(own, 'missing') }), /no such file/);
});
