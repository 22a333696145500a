/**
 * Starts the process anew with a bounded heap, in its own place: same process id, same streams. Without a bound V8
 * sizes its heap by the machine and lets garbage pile up; with one it keeps close to what is in use.
 */

/** How this process was started: flags of node, then the script and its arguments, and NODE_OPTIONS. */
export interface Invocation {
  readonly nodeFlags: readonly string[];
  readonly script: readonly string[];
  readonly nodeOptions: string;
}

const YOUNG_GENERATION = '--max-semi-space-size=4';
const OLD_GENERATION = '--max-old-space-size';

/** Does not return where the process starts anew. 0: no bound. A bound that node was given already is left as it is. */
export function boundHeap(heapMib: number, { nodeFlags, script, nodeOptions }: Invocation): void {
  const isBounded = [...nodeFlags, nodeOptions].some((flag) => flag.includes(OLD_GENERATION));
  // Not every platform can replace a process; without a bound all works the same.
  if (isBounded || heapMib === 0 || typeof process.execve !== 'function' || process.platform === 'win32') return;
  const flags = [YOUNG_GENERATION, `${OLD_GENERATION}=${heapMib}`];
  process.execve(process.execPath, [process.execPath, ...flags, ...nodeFlags, ...script]);
}
