import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { controlPlaneBinary } from './binaries.ts';
import { exists } from './go-build.ts';

const execute = promisify(execFile);

async function processesNaming(text: string): Promise<string[]> {
  const { stdout } = await execute('ps', ['-A', '-ww', '-o', 'pid=,args='], { maxBuffer: 64 << 20 });
  return stdout.split('\n').filter((line) => line.includes(text));
}

/** Kills a launcher by SIGKILL, and asserts that its programs end and its data is removed; that takes less than 2 s. */
async function killLauncher(environment: NodeJS.ProcessEnv): Promise<void> {
  const launcher = spawn(process.execPath, [join(import.meta.dirname, 'launch-and-wait.ts')], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let kubeconfig = '';
  for await (const line of createInterface({ input: launcher.stdout })) {
    kubeconfig = line;
    break;
  }
  assert.match(kubeconfig, /kubeconfig$/);
  const directory = dirname(kubeconfig);
  assert.ok((await processesNaming(directory)).length >= 2);
  launcher.kill('SIGKILL');
  const deadlineMs = Date.now() + 60_000;
  while ((await processesNaming(directory)).length > 0 || (await exists(directory))) {
    assert.ok(Date.now() < deadlineMs, `left over:\n${(await processesNaming(directory)).join('\n')}`);
    await sleep(100);
  }
}

test('no process and no data are left after the launcher is killed', async () => {
  await killLauncher({ KUBEBUILDER_ASSETS: '' });
});

test('programs that do not watch their standard input end with the launcher too', async () => {
  const binary = await controlPlaneBinary();
  const assets = await mkdtemp(join(tmpdir(), 'tautline-assets-'));
  try {
    // A pipe that is open for reading and writing never ends. These programs therefore do not notice the end of their
    // standard input, and only the guard can end them.
    await execute('mkfifo', [join(assets, 'endless')]);
    for (const program of ['etcd', 'kube-apiserver', 'kubectl']) {
      const script = `#!/bin/sh\nexec '${binary}' ${program} "$@" <> '${join(assets, 'endless')}'\n`;
      await writeFile(join(assets, program), script);
      await chmod(join(assets, program), 0o755);
    }
    await killLauncher({ KUBEBUILDER_ASSETS: assets });
  } finally {
    await rm(assets, { recursive: true, force: true });
  }
});
