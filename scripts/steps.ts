/**
 * Runs the steps of `npm run check`, several at a time. Prints one line with the time of each step, and the output of
 * failed steps. A failed step does not stop the others, so that one run shows all failures.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..');

export interface Step {
  /** Shown at the beginning of the line of the step. */
  readonly name: string;
  /** Arguments for the running Node: a script and its arguments. */
  readonly args: readonly string[];
}

/** Returns the names of the failed steps. */
export async function runSteps(steps: readonly Step[], concurrency: number): Promise<string[]> {
  const waiting = [...steps];
  const failed: string[] = [];
  const work = async (): Promise<void> => {
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      if (!(await runStep(step))) failed.push(step.name);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return failed;
}

async function runStep({ name, args }: Step): Promise<boolean> {
  const startMs = performance.now();
  const { code, output } = await runNode(args);
  printLine(name, code === 0, startMs);
  if (code !== 0) process.stdout.write(`${output.trimEnd()}\n\n`);
  return code === 0;
}

export function printLine(name: string, isOk: boolean, startMs: number): void {
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  process.stdout.write(`${isOk ? 'ok    ' : 'FAILED'}  ${name.padEnd(18)} ${seconds.padStart(6)} s\n`);
}

function runNode(args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString('utf8') }));
  });
}
