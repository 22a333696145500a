/**
 * Replaces the process by one with the flags of node that the agent needs, with the same process id and streams
 * (execve):
 *
 * - a bounded heap. Without a bound V8 sizes its heap by the memory of the machine and keeps garbage for long; with one
 *   it stays close to the memory in use.
 * - `--disable-sigusr1`. Without it, any process of the same user can open the inspector of the agent by a signal, and
 *   through it use the credentials of the agent.
 */

/** How this process was started: the flags of node, the script with its arguments, and NODE_OPTIONS. */
export interface Invocation {
  readonly nodeFlags: readonly string[];
  readonly script: readonly string[];
  readonly nodeOptions: string;
}

const YOUNG_GENERATION = '--max-semi-space-size=4';
const OLD_GENERATION = '--max-old-space-size';
const NO_INSPECTOR_BY_SIGNAL = '--disable-sigusr1';

/** Does not return if the process is replaced. `heapMib` 0 means no bound. A bound in the flags of node is kept. */
export function restartWithFlags(heapMib: number, { nodeFlags, script, nodeOptions }: Invocation): void {
  const missing = missingFlags(heapMib, [...nodeFlags, ...nodeOptions.split(' ')]);
  // Some platforms cannot replace a process. There the agent runs without these flags.
  if (missing.length === 0 || typeof process.execve !== 'function' || process.platform === 'win32') return;
  process.execve(process.execPath, [process.execPath, ...missing, ...nodeFlags, ...script]);
}

/** The flags to add to those that the process was started with. */
export function missingFlags(heapMib: number, given: readonly string[]): string[] {
  const isBounded = heapMib === 0 || given.some((flag) => flag.startsWith(OLD_GENERATION));
  return [
    ...(isBounded ? [] : [YOUNG_GENERATION, `${OLD_GENERATION}=${heapMib}`]),
    ...(given.includes(NO_INSPECTOR_BY_SIGNAL) ? [] : [NO_INSPECTOR_BY_SIGNAL]),
  ];
}

/**
 * Keeps the signal SIGUSR1 from opening the inspector of this process. A command of the command line lives too briefly
 * for a restart, so it handles the signal instead.
 */
export function ignoreInspectorSignal(): void {
  if (process.platform !== 'win32') process.on('SIGUSR1', () => undefined);
}
