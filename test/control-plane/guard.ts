/**
 * Runs one program and kills it when this process's standard input ends; for programs that do not watch their own.
 *
 * Invariant: the program does not outlive the process that holds the other end of standard input. The guard writes the
 * program's process id to file descriptor 3, so that the launcher can signal the program itself. It ends with the
 * program's exit code.
 */
import { spawn } from 'node:child_process';
import { rmSync, writeSync } from 'node:fs';

const [command, ...args] = process.argv.slice(2);
if (!command) throw new Error('usage: guard.ts <command> [arguments], with a pipe as descriptor 3');

const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
child.on('error', (error) => {
  process.stderr.write(`${command}: ${error.message}\n`);
  process.exit(1);
});
if (child.pid !== undefined) writeSync(3, `${child.pid}\n`);
child.on('exit', (code) => process.exit(code ?? 1));
process.stdin.on('end', end).resume();

function end(): void {
  child.kill('SIGKILL');
  const directory = process.env['CONTROL_PLANE_DATA'];
  if (directory) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}
