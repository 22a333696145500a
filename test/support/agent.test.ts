/** An agent that a test has started ends with the process of the test, however that one ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { untilTrue } from './world.ts';

/** Says what an agent says when it serves, and then waits for ever. */
const ENTRY = `
console.log(JSON.stringify({ msg: 'tautline started', api: '', probes: '', metrics: '', webhooks: '' }));
setInterval(() => undefined, 1_000);
`;

const STARTER = `
import { startAgentProcess } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'agent.ts')).href)};
const agent = await startAgentProcess({ kubeconfig: 'none', entry: process.argv[2] });
console.log(agent.process.pid);
`;

test('an agent ends when the process that started it is killed', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'tautline-agent-test-'));
  const [entry, starter] = [join(folder.path, 'entry.mjs'), join(folder.path, 'starter.mjs')];
  await Promise.all([writeFile(entry, ENTRY), writeFile(starter, STARTER)]);
  const parent = spawn(process.execPath, [starter, entry], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
  assert.ok(isRunning(Number(line)));
  parent.kill('SIGKILL');
  await untilTrue(async () => !isRunning(Number(line)), 'the agent has ended');
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
