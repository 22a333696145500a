/**
 * Starts the process anew with a bounded heap, in its own place: same process id, same streams. Without a bound V8 sizes
 * its heap by the machine and lets garbage pile up; with one it keeps close to what is in use (at 1,000 objects 140
 * instead of 250 MiB). Where NODE_OPTIONS or node's own flags set a bound already, that one counts.
 */
import { readNodeOptions } from '../config.ts';

const YOUNG_GENERATION = '--max-semi-space-size=4';
const OLD_GENERATION = '--max-old-space-size';

/** Does not return where the process starts anew. 0: no bound. */
export function boundHeap(heapMib: number): void {
  const isBounded = [...process.execArgv, readNodeOptions()].some((flag) => flag.includes(OLD_GENERATION));
  // Not every platform can replace a process; without a bound all works the same.
  if (isBounded || heapMib === 0 || typeof process.execve !== 'function' || process.platform === 'win32') return;
  const flags = [YOUNG_GENERATION, `${OLD_GENERATION}=${heapMib}`];
  const [script, ...rest] = process.argv.slice(1);
  process.execve(process.execPath, [process.execPath, ...flags, ...process.execArgv, script ?? '', ...rest]);
}
