/**
 * Runs the real git for tests and the demo.
 *
 * Invariant: the result depends on the arguments alone, not on the Git configuration of the user or the machine, nor on
 * the environment of a surrounding Git hook.
 */
import { spawn } from 'node:child_process';

const identity = { name: 'Test Author', email: 'author@example.invalid' };

export interface GitOptions {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Standard output of `git <args>`, without the last line end. Throws an Error with git's own message when it fails. */
export async function git(args: readonly string[], options: GitOptions = {}): Promise<string> {
  const child = spawn('git', args, {
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: { ...gitEnvironment(), ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'there is no `git` in PATH (or the directory is missing)' : error.message;
      reject(new Error(`git ${args[0]} cannot run: ${why}. Install Git 2.30 or newer.`));
    });
  });
  if (code !== 0) throw new Error(`git ${args.join(' ')} failed: ${Buffer.concat(stderr).toString('utf8').trim()}`);
  return Buffer.concat(stdout).toString('utf8').replace(/\n$/, '');
}

/** The environment of this process, without the variables that change how git behaves. */
export function gitEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  return {
    ...Object.fromEntries(kept),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: identity.name,
    GIT_AUTHOR_EMAIL: identity.email,
    GIT_COMMITTER_NAME: identity.name,
    GIT_COMMITTER_EMAIL: identity.email,
    LC_ALL: 'C',
  };
}

/** `name <email>`, as a commit object holds it. */
export const authorLine = `${identity.name} <${identity.email}>`;
