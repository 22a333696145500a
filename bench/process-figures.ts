/** What processes cost, read from /proc: CPU time and memory of a process and all that it started. Linux only. */
import { readFileSync, readdirSync } from 'node:fs';

/** Clock ticks a second, as every Linux that runs Node has it. */
const TICKS_PER_SECOND = 100;

/** The process and its descendants. */
export function processTree(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = statFields(Number(entry));
    const parent = Number(fields?.[1]);
    if (fields) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const tree = [pid];
  for (const member of tree) tree.push(...(children.get(member) ?? []));
  return tree;
}

/** User and system time of a process tree so far, in milliseconds; children that have ended count too. */
export function cpuMs(pid: number): number {
  const ticks = processTree(pid).reduce((total, member) => {
    const fields = statFields(member);
    // utime, stime, and for the root those of children that were waited for.
    const own = Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0);
    const ended = member === pid ? Number(fields?.[13] ?? 0) + Number(fields?.[14] ?? 0) : 0;
    return total + own + ended;
  }, 0);
  return (ticks * 1000) / TICKS_PER_SECOND;
}

/** Proportional set size of a process tree, in MiB. */
export function pssMiB(pid: number): number {
  const kib = processTree(pid).reduce((total, member) => {
    const rollup = read(`/proc/${member}/smaps_rollup`);
    return total + Number(/^Pss:\s+(\d+) kB/m.exec(rollup ?? '')?.[1] ?? 0);
  }, 0);
  return Math.round((kib / 1024) * 10) / 10;
}

/** The fields after the command's name; [0] is the state. */
function statFields(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process ended meanwhile.
    return undefined;
  }
}
