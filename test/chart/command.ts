/** Runs a program to its end, with the Node of this process first in PATH. */
import { spawn } from 'node:child_process';
import { delimiter, dirname } from 'node:path';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** After this time the program and all that it started are killed. Default: none. */
  readonly timeoutMs?: number;
}

/** A failure of the program is in `code`; null if a signal ended it. Rejects only if the program cannot be started. */
export function run(
  command: string,
  args: readonly string[],
  { cwd, environment, input = '', timeoutMs }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const path = [dirname(process.execPath), process.env['PATH']].join(delimiter);
    const env = { ...process.env, PATH: path, ...environment };
    const child = spawn(command, args, { cwd, env, detached: timeoutMs !== undefined });
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => killGroup(child.pid), timeoutMs);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
    // A program may end without reading its input.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
