/**
 * The walls around a child of the sandbox, tried by code that runs in it: the layer inside the process alone, the layer
 * of the kernel alone, and both.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkSandbox } from '../../src/sandbox/open-sandbox.ts';
import { codeDirs } from '../../src/sandbox/sandbox.ts';
import { landlockBinary } from '../control-plane/binaries.ts';
import { childFile, quietLog, startSandbox, temporaryFolder } from '../unit/source/source-harness.ts';

const folder = new URL('../unit/sandbox/', import.meta.url);

interface Layers {
  readonly isHardened: boolean;
  readonly isConfined: boolean;
}

/** The attempts that were not refused. */
async function successes(t: TestContext, { isHardened, isConfined }: Layers): Promise<string[]> {
  const entryFile = fileURLToPath(new URL(isHardened ? 'hardened-child.ts' : 'hostile-child.ts', folder));
  const confinement = isConfined ? { program: await landlockBinary() } : undefined;
  const readableDirs = [...codeDirs(childFile), ...codeDirs(entryFile)];
  const sandbox = startSandbox(t, { entryFile, readableDirs, confinement });
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  t.after(() => server.close());
  const [own, other] = [await temporaryFolder(t), await temporaryFolder(t)];
  const file = join(other, 'secret');
  await writeFile(file, 'secret');
  // Node would open the inspector of the test.
  const onSignal = (): void => undefined;
  process.on('SIGUSR1', onSignal);
  t.after(() => process.off('SIGUSR1', onSignal));
  const input = { port: (server.address() as AddressInfo).port, file };
  const job = { name: 'makeAttempts', stage: 'render', input, tenant: 'team', dataFolders: [own] } as const;
  const answers = JSON.parse(Buffer.from(await sandbox.run(job)).toString()) as Record<string, string>;
  return Object.entries(answers).flatMap(([name, answer]) => (answer === 'refused' ? [] : [name]));
}

test('without these layers a child can signal its parent and open connections', async (t) => {
  const got = await successes(t, { isHardened: false, isConfined: false });
  for (const name of ['signal by process.kill', 'connection by net', 'datagram', 'getBuiltinModule of net']) {
    assert.ok(got.includes(name), `the attempt '${name}' cannot succeed, so its refusal proves nothing: ${got.join()}`);
  }
  assert.ok(!got.includes('file by fs') && !got.includes('environment of the parent'));
});

test('in a hardened child every attempt fails', async (t) => {
  assert.deepEqual(await successes(t, { isHardened: true, isConfined: false }), []);
});

test('the kernel refuses signals, connections and files of a child that is not hardened', async (t) => {
  const got = await successes(t, { isHardened: false, isConfined: true });
  const harmless = /^(import|require|getBuiltinModule) of /;
  assert.deepEqual(
    got.filter((name) => !harmless.test(name)),
    [],
  );
});

test('the agent finds out which walls the kernel holds, and logs it', async (t) => {
  const logged: string[] = [];
  const log = {
    ...quietLog,
    info: (message: string) => void logged.push(message),
    warn: (message: string, fields?: object) => void logged.push(`${message} ${JSON.stringify(fields)}`),
  };
  await checkSandbox(startSandbox(t, { confinement: { program: await landlockBinary() } }), log);
  await checkSandbox(startSandbox(t), log);
  assert.deepEqual(logged, [
    'child processes are confined by the kernel',
    'the kernel does not confine child processes completely; see --landlock-program {"isNetworkClosed":false,"areDatagramsClosed":false,"isSignallingClosed":false}',
  ]);
});
