/** Peak memory of a process and of its children, read from /proc. Linux only. */
import { readFileSync } from 'node:fs';

export interface PeakMemory {
  /** Peak resident memory of the process itself. */
  readonly ownMib: number;
  /** Peak resident memory of the child that took most. */
  readonly childMib: number;
}

export interface MemoryWatch extends Disposable {
  peak(): PeakMemory;
}

/** Interval of the checks; short, since a child may live only briefly. */
const CHECK_INTERVAL_MS = 50;

export function watchMemory(pid: number): MemoryWatch {
  let peak: PeakMemory = { ownMib: 0, childMib: 0 };
  const update = (): void => {
    const children = childrenOf(pid).map(highWaterMib);
    peak = {
      ownMib: Math.max(peak.ownMib, highWaterMib(pid)),
      childMib: Math.max(peak.childMib, ...children),
    };
  };
  const timer = setInterval(update, CHECK_INTERVAL_MS);
  return {
    peak() {
      update();
      return peak;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

function highWaterMib(pid: number): number {
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024);
}

/** Returns '' if the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
