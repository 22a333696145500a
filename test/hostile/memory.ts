/** What a process and its children have taken of the machine's memory, as the kernel counts it. Linux only. */
import { readFileSync } from 'node:fs';

export interface PeakMemory {
  /** MiB; the process's own high-water mark. */
  readonly ownMib: number;
  /** MiB; that of whichever child took most. */
  readonly childMib: number;
}

export interface MemoryWatch extends Disposable {
  peak(): PeakMemory;
}

/** A child may live for moments only: looked for this often. */
const LOOK_MS = 50;

export function watchMemory(pid: number): MemoryWatch {
  let peak: PeakMemory = { ownMib: 0, childMib: 0 };
  const look = (): void => {
    const children = childrenOf(pid).map(highWaterMib);
    peak = {
      ownMib: Math.max(peak.ownMib, highWaterMib(pid)),
      childMib: Math.max(peak.childMib, ...children),
    };
  };
  const timer = setInterval(look, LOOK_MS);
  return {
    peak() {
      look();
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

/** '' for a process that is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
