/** The memory and the processor time of a child process, as Linux tells them in /proc. */
import { readFileSync } from 'node:fs';

/** `peakMib`: the most since the process began. undefined if there is no /proc. */
export function memoryOf(pid: number | undefined): { rssMib: number; peakMib: number } | undefined {
  if (pid === undefined) return undefined;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const readMib = (name: string) =>
      Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024);
    const [rssMib, peakMib] = [readMib('VmRSS'), readMib('VmHWM')];
    return Number.isFinite(rssMib) && Number.isFinite(peakMib) ? { rssMib, peakMib } : undefined;
  } catch {
    return undefined;
  }
}

/** The kernel counts processor time in hundredths of a second, on every platform of Node. */
const TICK_MS = 10;
/** Fields of /proc/<pid>/stat after the name of the program: time in user mode and in the kernel. */
const [USER_FIELD, KERNEL_FIELD] = [11, 12] as const;

/** Milliseconds of processor time of all threads. undefined if there is no /proc. */
export function processorMsOf(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program is in parentheses, and may contain blanks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[USER_FIELD]) + Number(fields[KERNEL_FIELD]);
    return Number.isFinite(ticks) ? ticks * TICK_MS : undefined;
  } catch {
    return undefined;
  }
}
