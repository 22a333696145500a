import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { missingFlags } from '../../../src/cli/restart-with-flags.ts';

const moduleUrl = new URL('../../../src/cli/restart-with-flags.ts', import.meta.url);

test('a bound on the heap and the lock on the inspector are added unless they were given', () => {
  const heap = ['--max-semi-space-size=4', '--max-old-space-size=512'];
  assert.deepEqual(missingFlags(512, []), [...heap, '--disable-sigusr1']);
  assert.deepEqual(missingFlags(0, []), ['--disable-sigusr1']);
  assert.deepEqual(missingFlags(512, ['--max-old-space-size=100']), ['--disable-sigusr1']);
  assert.deepEqual(missingFlags(512, ['--disable-sigusr1']), heap);
  assert.deepEqual(missingFlags(512, ['--max-old-space-size=100', '--disable-sigusr1']), []);
});

/** Returns the error output of a process that gets SIGUSR1 and then ends by itself. */
async function afterSignal(nodeFlags: readonly string[], prelude: string): Promise<string> {
  const code = `${prelude}; console.log('up'); setTimeout(() => undefined, 1500);`;
  const child = spawn(process.execPath, [...nodeFlags, '--input-type=module', '-e', code]);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await once(child.stdout, 'data');
  child.kill('SIGUSR1');
  await once(child, 'close');
  return errors;
}

test('a signal opens the inspector of a plain process, but not of a command or of the agent', async () => {
  const ignoring = `import { ignoreInspectorSignal } from '${moduleUrl.href}'; ignoreInspectorSignal()`;
  const inspectorPort = '--inspect-port=0';
  assert.match(await afterSignal([inspectorPort], ''), /Debugger listening/);
  assert.equal(await afterSignal([inspectorPort], ignoring), '');
  assert.equal(await afterSignal([inspectorPort, '--disable-sigusr1'], ''), '');
});

test('the command line handles the signal before it does anything else', async () => {
  const cli = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));
  const child = spawn(process.execPath, [
    '--inspect-port=0',
    '--input-type=module',
    '-e',
    `process.argv[1] = 'tautline'; process.argv[2] = '--version'; await import('${cli}'); console.log('up'); setTimeout(() => undefined, 1500);`,
  ]);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  for (let printed = ''; !printed.includes('up');) {
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    printed += chunk.toString();
  }
  child.kill('SIGUSR1');
  await once(child, 'close');
  assert.doesNotMatch(errors, /Debugger listening/);
});
