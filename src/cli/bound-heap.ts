/**
 * Replaces the process by one with a bounded heap, with the same process id and streams (execve). Without a bound V8
 * sizes its heap by the memory of the machine and keeps garbage for long; with one it stays close to the memory in use.
 */

/** How this process was started: the flags of node, the script with its arguments, and NODE_OPTIONS. */
export interface Invocation {
  readonly nodeFlags: readonly string[];
  readonly script: readonly string[];
  readonly nodeOptions: string;
}

const YOUNG_GENERATION = '--max-semi-space-size=4';
const OLD_GENERATION = '--max-old-space-size';

/** Does not return if the process is replaced. `heapMib` 0 means no bound. A bound in the flags of node is kept. */
export function boundHeap(heapMib: number, { nodeFlags, script, nodeOptions }: Invocation): void {
  const isBounded = [...nodeFlags, nodeOptions].some((flag) => flag.includes(OLD_GENERATION));
  // Some platforms cannot replace a process. There the agent runs without a bound.
  if (isBounded || heapMib === 0 || typeof process.execve !== 'function' || process.platform === 'win32') return;
  const flags = [YOUNG_GENERATION, `${OLD_GENERATION}=${heapMib}`];
  process.execve(process.execPath, [process.execPath, ...flags, ...nodeFlags, ...script]);
}
